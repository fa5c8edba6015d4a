/* SPDX-License-Identifier: Apache-2.0 */
#include "targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heads.h"
#include "mem.h"
#include "pattern.h"

static bool of_expert(enum param p)
{
	return p >= P_EGATE;
}

bool targets_can(const struct model_config *c, size_t place)
{
	struct place at = place_at(c, place);
	uint32_t rows, cols;

	return (param_table[at.p].linear || of_expert(at.p)) && param_shape(c, at.p, at.layer, &rows, &cols);
}

void targets_module(const struct model_config *c, size_t place, char out[96])
{
	struct place at = place_at(c, place);

	param_hf_name(c, at.p, at.layer, at.expert, out);
	out[strlen(out) - strlen(".weight")] = '\0';
}

/* --- items --- */

struct item {
	const char *s;
	size_t n;
	struct pattern *regex;         /* of /REGEX/ */
	struct matcher *matcher;
};

static bool word(const struct item *it, const char *s)
{
	return it->n == strlen(s) && memcmp(it->s, s, it->n) == 0;
}

/* Is the item the end of the module's path, from a dot on. */
static bool ends(const struct item *it, const char *module)
{
	size_t n = strlen(module);

	return it->n <= n && memcmp(module + n - it->n, it->s, it->n) == 0 && (it->n == n || module[n - it->n - 1] == '.');
}

static int names(const struct item *it, const struct model_config *c, size_t place, bool *yes, struct err *e)
{
	enum param p = place_at(c, place).p;
	char module[96];

	if (word(it, "all") || word(it, "attention") || word(it, "mlp") || word(it, "experts")) {
		*yes = it->s[0] == 'e' ? of_expert(p) : !of_expert(p) && (word(it, "all") || (p < P_NORM2) == word(it, "attention"));
		return 0;
	}
	targets_module(c, place, module);
	if (it->regex)
		return pattern_find(it->regex, it->matcher, module, strlen(module), 0, yes, e);
	*yes = ends(it, module) && (!of_expert(p) || memchr(it->s, '.', it->n));      /* a bare leaf is no routed expert's */
	return 0;
}

static int nothing(const struct item *it, const struct model_config *c, struct err *e)
{
	struct buf known = {0};

	for (int p = 0; p < P_COUNT; p++) {
		const char *leaf = param_table[p].leaf;

		if (param_adaptable(c, (enum param)p) && (known.n == 0 || strstr(known.p, leaf) == NULL))
			buf_fmt(&known, "%s%s", known.n ? ", " : "", leaf);
	}
	err_set(e, SFT_USAGE, "no linear layer is called '%.*s' (expected all, attention, mlp,%s or some of %s)",
	        (int)(it->n > 60 ? 60 : it->n), it->s, c->experts ? " experts," : "", known.p);
	buf_free(&known);
	return SFT_USAGE;
}

static int choose(struct item *it, const struct model_config *c, bool *chosen, struct err *e)
{
	bool any = false, yes = false;
	int rc;

	for (size_t i = 0; i < place_count(c); i++) {
		if (!targets_can(c, i))
			continue;
		if ((rc = names(it, c, i, &yes, e)) != 0)
			return rc;
		chosen[i] |= yes;
		any |= yes;
	}
	return any ? 0 : nothing(it, c, e);
}

static int choose_by_pattern(struct item *it, const struct model_config *c, bool *chosen, struct err *e)
{
	struct buf whole = {0};
	int rc;

	buf_fmt(&whole, "\\A(?:%.*s)\\z", (int)(it->n - 2), it->s + 1);
	rc = pattern_new(&it->regex, whole.p, whole.n, 0, e);
	buf_free(&whole);
	if (rc != 0)
		return err_in(e, "--targets");
	it->matcher = matcher_new();
	rc = choose(it, c, chosen, e);
	matcher_free(it->matcher);
	pattern_free(it->regex);
	return rc;
}

/* "WHAT=A-B" or "WHAT=A", WHAT layers or heads, of which there are N: KEEP [n]. */
static int add_range(const struct item *it, const char *what, uint32_t n, bool *keep, struct err *e)
{
	size_t skip = strlen(what) + 1;
	char text[32], *end = text;
	unsigned long a = 0, b = 0;

	snprintf(text, sizeof text, "%.*s", (int)(it->n - skip), it->s + skip);
	if (text[0] >= '0' && text[0] <= '9')
		a = b = strtoul(text, &end, 10);
	if (end != text && *end == '-' && end[1] >= '0' && end[1] <= '9')
		b = strtoul(end + 1, &end, 10);
	if (end == text || *end || b < a || b >= n || it->n - skip >= sizeof text)
		return err_set(e, SFT_USAGE, "'%.*s' (expected %s=A or %s=A-B, of %s 0 to %u)", (int)(it->n > 60 ? 60 : it->n), it->s, what, what, what, n - 1);
	for (unsigned long i = a; i <= b; i++)
		keep[i] = true;
	return 0;
}

/* The item at S: to the next comma, but a pattern to its closing slash. */
static size_t item_length(const char *s)
{
	const char *end = s;

	if (*s != '/')
		return strcspn(s, ",");
	for (end++; *end && !(*end == '/' && (end[1] == ',' || end[1] == '\0')); end++)
		;
	return (size_t)(end - s) + (*end == '/');
}

static int keep_layers(const struct model_config *c, const bool *keep, bool *chosen, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < place_count(c); i++) {
		chosen[i] = chosen[i] && keep[place_at(c, i).layer];
		any |= chosen[i];
	}
	return any ? 0 : err_set(e, SFT_USAGE, "--targets names nothing in the layers it keeps");
}

/* Only matrices with heads. */
static int keep_heads(const struct model_config *c, bool *chosen, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < place_count(c); i++) {
		chosen[i] = chosen[i] && heads_has(place_at(c, i).p);
		any |= chosen[i];
	}
	return any ? 0 : err_set(e, SFT_USAGE, "--targets names nothing that has heads (expected attention, or some of its matrices)");
}

static bool starts(const struct item *it, const char *what)
{
	return it->n > strlen(what) && memcmp(it->s, what, strlen(what)) == 0;
}

int targets_parse(bool *chosen, bool *fused, bool *heads, bool *limited, const struct model_config *c, const char *targets, struct err *e)
{
	bool *keep = mem_new(c->layers * sizeof *keep), some = false, named = false;
	struct item attention = { .s = "attention", .n = 9 };
	int rc = 0;

	memset(chosen, 0, place_count(c) * sizeof *chosen);
	memset(heads, 0, c->heads * sizeof *heads);
	*fused = *limited = false;
	for (const char *s = targets; rc == 0; s++) {
		struct item it = { s, item_length(s), NULL, NULL };

		if (starts(&it, "layers=")) {
			some = true;
			rc = add_range(&it, "layers", c->layers, keep, e);
		} else if (starts(&it, "heads=")) {
			*limited = true;
			rc = add_range(&it, "heads", c->heads, heads, e);
		} else if (it.n > 2 && s[0] == '/' && s[it.n - 1] == '/') {
			named = true;
			rc = choose_by_pattern(&it, c, chosen, e);
		} else if (it.n == 0) {
			rc = nothing(&it, c, e);
		} else {
			named = true;
			*fused |= word(&it, "experts");
			rc = choose(&it, c, chosen, e);
		}
		s += it.n;
		if (*s == '\0')
			break;
	}
	if (rc == 0 && *limited && !named)
		rc = choose(&attention, c, chosen, e);
	if (rc == 0 && some)
		rc = keep_layers(c, keep, chosen, e);
	if (rc == 0 && *limited)
		rc = keep_heads(c, chosen, e);
	mem_free(keep);
	return rc;
}
