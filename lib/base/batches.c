/* SPDX-License-Identifier: Apache-2.0 */
#include "batches.h"

#include "mem.h"

int batches_run(const struct omap *m, size_t size, void (*release)(void *item), int nthreads, const struct err *read_error, struct err *e)
{
	int n = nthreads > 1 ? nthreads + 1 : 1, rc;
	void **items = mem_new((size_t)n * sizeof *items);

	for (int i = 0; i < n; i++)
		items[i] = mem_new(size);
	rc = omap_run(m, items, n, nthreads);
	for (int i = 0; i < n; i++) {
		release(items[i]);
		mem_free(items[i]);
	}
	mem_free(items);
	if (rc < 0 && e->code == 0)
		*e = *read_error;
	return rc < 0 ? e->code : 0;
}
