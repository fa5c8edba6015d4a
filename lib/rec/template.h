/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TEMPLATE_H
#define SFT_TEMPLATE_H
/* The template engine: Jinja 3.1 in its own semantics, as Hugging Face sets it up (trim_blocks, lstrip_blocks, the immutable
 * sandbox, break and continue, tojson, raise_exception, strftime_now, {% generation %}).  Left out is what needs a loader or is not the
 * same from run to run: include, import, extends, autoescape; the filters random, pprint, urlize and wordwrap.
 *
 * A template is a program from a stranger: values are null, bool, number, string, list and map; nothing of C is reachable; steps, depth,
 * output and memory have limits (10^7 steps, 64 MiB of output, 256 MiB of values), and a limit that is hit is an error that names it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "err.h"
#include "json.h"
#include "mem.h"

struct template;

/* NAME appears in messages: "NAME:LINE: what". */
int  template_open(struct template **t, const char *name, const char *source, size_t n, struct err *e);
void template_close(struct template *t);

enum {
	TEMPLATE_OWN  = -1,         /* the template's own words, and those of the variables that are not named below */
	TEMPLATE_DATA = -2          /* a string inside `tools` or `documents`, or of the data of template_render_data() */
};

/* A stretch of the output: who wrote it. */
struct template_span {
	size_t start, end;          /* bytes of the output */
	int    message;             /* the text came from a string inside messages[message]; or TEMPLATE_OWN, TEMPLATE_DATA */
	bool   generation;          /* inside {% generation %} */
};

struct template_out {
	struct buf text;
	struct template_span *span; /* in order, gapless, covering text */
	size_t nspans, cap;
	bool   raised;              /* the error came from raise_exception() */
	bool   has_generation;      /* a {% generation %} block was entered */
};
void template_out_free(struct template_out *o);

/* Render with the members of VARS (a JSON object) as variables.  NOW: what strftime_now sees ("YYYY-MM-DD HH:MM:SS", NULL: the clock).
 * Strings that come, even after filters and slices, from inside vars.messages[i] are marked with i in the spans; but a role that
 * is a plain word ("user") counts as the template's own, since templates make up tokens such as <|user|> with it.
 * `generation` is as the reference has it: a block inside a macro or a set block starts where the output stood before.
 * Threads may render with one template at once.  On failure OUT holds nothing but `raised`. */
int template_render(const struct template *t, const struct json *vars, const char *now, struct template_out *out, struct err *e);
/* The same with more variables, the members of DATA (NULL: none), where VARS has none of the name; their strings are TEMPLATE_DATA. */
int template_render_data(const struct template *t, const struct json *vars, const struct json *data, const char *now, struct template_out *out, struct err *e);

#endif
