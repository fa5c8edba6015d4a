/* SPDX-License-Identifier: Apache-2.0 */
/* Any mapping as the values of a space: it is refused with a line, or what is drawn from it keeps to its levels and conditions. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tunespace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw(struct tune_space *s)
{
	struct tune_choice c[64];
	struct rng r;

	rng_init(&r, 1, 1);
	for (int k = 0; k < 8; k++)
		for (size_t i = 0; i < s->ndim; i++) {
			c[i] = (struct tune_choice){ -1, NULL };
			for (size_t j = 0; j < s->dim[i].nwhen; j++)
				if (s->dim[i].when[j].dim >= i)
					abort();
			if (!dim_active(s->dim, i, c))
				continue;
			c[i] = dim_draw(s->p.a, &s->dim[i], &r, NULL);
			if (c[i].level < 0 || (size_t)c[i].level >= s->dim[i].levels || c[i].text == NULL)
				abort();
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tune_space s = {0};
	struct arena a;
	struct err e = {0};
	int rc;

	arena_init(&a);
	s.p = (struct run_plan){ .a = &a, .e = &e, .path = "space" };
	if (yaml_parse(&a, "space", (const char *)data, size, &s.doc, &e) == 0 && s.doc.kind == YAML_MAP && s.doc.n <= 64) {
		rc = 0;
		for (size_t i = 0; i < s.doc.n && rc == 0; i++)
			rc = value_take(&s, s.doc.key[i], (struct tune_option){ .to = TO_TRAIN, .key = s.doc.key[i], .flag = s.doc.key[i][0] == 'r' }, &s.doc.item[i]);
		if (rc == 0 && (rc = value_order(&s)) == 0)
			draw(&s);
		if (rc && e.msg[0] == '\0')
			abort();
	}
	space_release(&s);
	arena_release(&a);
	return 0;
}
