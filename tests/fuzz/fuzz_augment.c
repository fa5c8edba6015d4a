/* SPDX-License-Identifier: Apache-2.0 */
/* The first half as a dictionary of all methods, the second as a text: what comes out is UTF-8, and is as it was where the method
 * says that nothing changed. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "augment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static augment_method *const methods[AUG_KINDS] = {
	augment_entities, augment_numbers, augment_dialect, augment_forms, augment_forms, augment_keyboard, augment_punctuation,
	augment_case, augment_width
};

static void all_methods(const struct augment *g, const char *text, size_t n)
{
	struct buf out = {0};

	for (int k = 0; k < AUG_KINDS; k++)
		for (uint64_t copy = 1; copy < 4; copy++) {
			bool changed;

			out.n = 0;
			augwork_seed(&g->work[0], 5, n, copy);
			changed = methods[k](g, (enum augment_kind)k, &g->work[0], text, n, &out);
			if (!utf8_valid(out.p ? out.p : "", out.n, NULL) || (!changed && (out.n != n || (n && memcmp(out.p, text, n) != 0))))
				abort();
		}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum augment_kind with_dict[] = { AUG_ENTITIES, AUG_DIALECT, AUG_SYNONYMS, AUG_HOMOPHONES };
	const char *middle = size ? memchr(data, '\f', size) : NULL;
	size_t n = middle ? (size_t)(middle - (const char *)data) : size / 2;
	struct augment g;
	struct err e = {0};
	int rc = 0, fd = memfd_create("fuzz", 0);
	char path[40];

	if (fd < 0 || (n && write(fd, data, n) != (ssize_t)n))
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	augment_init(&g);
	g.rate = 0.8;
	g.keyboard = 0.5;
	for (size_t i = 0; i < sizeof with_dict / sizeof *with_dict && rc == 0; i++)
		rc = augment_dict(&g, with_dict[i], path, &e);
	if (rc == 0 && augment_ready(&g, 1, &e) == 0 && utf8_valid((const char *)data + n, size - n, NULL))
		all_methods(&g, (const char *)data + n, size - n);
	augment_release(&g);
	close(fd);
	return 0;
}
