/* SPDX-License-Identifier: Apache-2.0 */
/* The dialect of a CSV file: delimiter, quote, escape. */
#include <string.h>

#include "recin.h"

/* One ASCII byte, or a word for it. */
static int one_byte(const char *option, const char *text, bool none, int *out, struct err *e)
{
	static const struct { const char *word; char byte; } words[] = { { "tab", '\t' }, { "\\t", '\t' }, { "space", ' ' } };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(text, words[i].word) == 0) {
			*out = words[i].byte;
			return 0;
		}
	if (none && strcmp(text, "none") == 0) {
		*out = -1;
		return 0;
	}
	if (text[0] == '\0' || text[1] != '\0' || (unsigned char)text[0] >= 0x80 || text[0] == '\n' || text[0] == '\r')
		return err_set(e, SFT_USAGE, "%s '%s' (expected one ASCII character%s)", option, text, none ? " or none" : ", tab or auto");
	*out = (unsigned char)text[0];
	return 0;
}

/* The delimiter most frequent in the first line, outside quotes; a comma where there is none. */
static char sniff(const char *text, size_t n, int quote)
{
	static const char candidates[] = ",\t;|\x1f";
	size_t count[sizeof candidates] = {0}, best = 0;
	bool quoted = false, any = false;

	for (size_t i = 0; i < n; i++) {
		const char *c;

		if (quote >= 0 && text[i] == (char)quote)
			quoted = !quoted;
		if (quoted)
			continue;
		if (text[i] == '\n' || text[i] == '\r') {
			if (any)
				break;
			continue;
		}
		any = true;
		if (text[i] && (c = strchr(candidates, text[i])) != NULL)
			count[c - candidates]++;
	}
	for (size_t i = 1; candidates[i]; i++)
		if (count[i] > count[best])
			best = i;
	return candidates[best];
}

int dialect_choose(const struct rec_opts *o, bool tsv, const char *text, size_t n, struct csv_dialect *d, struct err *e)
{
	int rc, delimiter;

	d->quote = '"';
	d->escape = -1;
	d->far = csv_find_best();
	if (o->quote && (rc = one_byte("--quote", o->quote, true, &d->quote, e)) != 0)
		return rc;
	if (o->escape && (rc = one_byte("--escape", o->escape, true, &d->escape, e)) != 0)
		return rc;
	if (d->escape == d->quote)
		d->escape = -1;                  /* doubling, which is understood anyway */
	if (o->delimiter && strcmp(o->delimiter, "auto") != 0) {
		if ((rc = one_byte("--delimiter", o->delimiter, false, &delimiter, e)) != 0)
			return rc;
		d->delimiter = (char)delimiter;
	} else {
		d->delimiter = tsv ? '\t' : sniff(text, n < WINDOW_FIRST ? n : WINDOW_FIRST, d->quote);
	}
	if ((d->quote >= 0 && d->delimiter == (char)d->quote) || (d->escape >= 0 && d->delimiter == (char)d->escape))
		return err_set(e, SFT_USAGE, "--delimiter is also the quote or the escape");
	return 0;
}
