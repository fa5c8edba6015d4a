/* SPDX-License-Identifier: Apache-2.0 */
#include "csvline.h"

#include <math.h>
#include <string.h>

#include "json.h"

static void comma(struct csvline *c)
{
	if (c->begun)
		buf_ch(c->to, ',');
	c->begun = true;
}

void csv_text(struct csvline *c, const char *s, size_t n)
{
	bool quote = false;

	comma(c);
	for (size_t i = 0; i < n && !quote; i++)
		quote = s[i] == ',' || s[i] == '"' || s[i] == '\n' || s[i] == '\r';
	if (!quote) {
		buf_add(c->to, s, n);
		return;
	}
	buf_ch(c->to, '"');
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '"')
			buf_ch(c->to, '"');
		buf_ch(c->to, s[i]);
	}
	buf_ch(c->to, '"');
}

void csv_str(struct csvline *c, const char *s)
{
	csv_text(c, s ? s : "", s ? strlen(s) : 0);
}

void csv_uint(struct csvline *c, uint64_t v)
{
	comma(c);
	buf_fmt(c->to, "%llu", (unsigned long long)v);
}

void csv_real(struct csvline *c, double v)
{
	char out[32];

	comma(c);
	if (!isnan(v))
		buf_add(c->to, out, json_double_text(out, v));
}

void csv_end(struct csvline *c)
{
	buf_ch(c->to, '\n');
	c->begun = false;
}

void csv_head(struct csvline *c, const char *const *name, size_t n)
{
	for (size_t k = 0; k < n; k++)
		csv_str(c, name[k]);
	csv_end(c);
}
