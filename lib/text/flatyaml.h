/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_FLATYAML_H
#define SFT_FLATYAML_H
/* A flat YAML mapping, as --recipe takes it.
 *
 *     drop-null: text          one pair
 *     replace:                 one pair per item, in order
 *       - text:/a/b/
 *       - text:/c/d/
 *     quiet: true
 *
 * Keys and values are scalars; a value may be a list of scalars.  Nested mappings are refused, and what yamltree.h refuses. */
#include <stddef.h>
#include "err.h"
#include "mem.h"

struct yaml_pair {
	const char *key, *value;     /* UTF-8, NUL-terminated, in the arena; VALUE is never NULL */
	size_t line;                 /* 1-based line of the value */
};

/* The pairs of file PATH, in order, in arena A.  SFT_BADDATA with "PATH:LINE: what", SFT_SYSTEM if it cannot be read.
 * A file of more than 1 MiB is no recipe (SFT_BADDATA).  An empty file has no pairs. */
int yaml_pairs(struct arena *a, const char *path, struct yaml_pair **out, size_t *n, struct err *e);

/* The same from TEXT of N bytes; NAME stands for the path in errors. */
int yaml_pairs_text(struct arena *a, const char *name, const char *text, size_t n, struct yaml_pair **out, size_t *count, struct err *e);

#endif
