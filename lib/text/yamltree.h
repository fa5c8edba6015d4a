/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SFT_YAMLTREE_H
#define SFT_YAMLTREE_H
/* YAML as far as recipes need it.  yamltree.c is the door to libyaml; nothing else includes it.
 *
 * One document of mappings, lists and scalars.  Anchors, aliases and tags, several documents, a key given twice, a value
 * that is missing, and more than YAML_DEPTH levels are refused: a recipe has no use for them, and each has been a trap elsewhere. */
#include <stddef.h>
#include "err.h"
#include "mem.h"

enum { YAML_DEPTH = 16 };

enum yaml_kind { YAML_NONE, YAML_TEXT, YAML_LIST, YAML_MAP };

/* A value; all of it in an arena. */
struct yaml {
	enum yaml_kind kind;           /* YAML_NONE: an empty file */
	const char *text;              /* YAML_TEXT: UTF-8 without NUL; a plain True or TRUE is "true", False or FALSE "false" */
	struct yaml *item;             /* n items, or the values of n keys, in order */
	const char **key;              /* YAML_MAP */
	size_t n, cap;
	size_t line;                   /* 1-based, where it begins */
};

/* TEXT of N bytes; NAME stands for the file in messages.  SFT_BADDATA with "NAME:LINE: what". */
int yaml_parse(struct arena *a, const char *name, const char *text, size_t n, struct yaml *out, struct err *e);
/* File PATH; more than 1 MiB is no recipe.  SFT_SYSTEM where it cannot be read. */
int yaml_file(struct arena *a, const char *path, struct yaml *out, struct err *e);
/* The value of KEY in a mapping, or NULL. */
const struct yaml *yaml_get(const struct yaml *v, const char *key);

#endif
