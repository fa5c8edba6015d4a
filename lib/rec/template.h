/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_TEMPLATE_H
#define SFT_TEMPLATE_H
/* The template engine: the subset of Jinja that chat templates and prompt templates use, with Jinja 3.1's own semantics, as
 * Hugging Face sets it up (trim_blocks, lstrip_blocks, tojson, raise_exception, strftime_now, {% generation %}).
 *
 * A template is a program from a stranger: values are null, bool, number, string, list and map; nothing of C is reachable; steps, depth
 * and output have limits (10^7 steps, 64 MiB), and a limit that is hit is an error that names it. */
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

/* A stretch of the output: who wrote it. */
struct template_span {
	size_t start, end;          /* bytes of the output */
	int    message;             /* the text came from a string inside messages[message]; -1: the template's own words */
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
 * Strings that come, even after filters and slices, from inside vars.messages[i] are marked with i in the spans. */
int template_render(const struct template *t, const struct json *vars, const char *now, struct template_out *out, struct err *e);

#endif
