/* SPDX-License-Identifier: Apache-2.0 */
#include "weakslices.h"

#include <string.h>

#include "json.h"
#include "strmap.h"

static int add_slice(struct weak_slices *w, const struct json *item, struct strmap *seen, struct arena *a, struct err *e)
{
	const char *name = NULL;
	double n = -1, rate = -1;
	bool added;
	int rc;

	if ((rc = json_get_str(item, "slice", &name, e)) != 0 || (rc = json_get_double(item, "n", &n, e)) != 0 ||
	    (rc = json_get_double(item, "error_rate", &rate, e)) != 0)
		return rc;
	if (name == NULL || !(n >= 0 && n < 0x1p53) || !(rate >= 0 && rate <= 1))
		return err_set(e, SFT_BADDATA, "slice %zu (expected slice, n of 0 or more, error_rate from 0 to 1)", w->n + 1);
	strmap_put(seen, name, strlen(name), w->n, &added);
	if (!added)
		return err_set(e, SFT_BADDATA, "slice '%.100s' stands twice", name);
	w->v[w->n++] = (struct weak_slice){ arena_str(a, name, strlen(name)), n, rate };
	return 0;
}

int weak_read(struct weak_slices *w, const char *path, struct arena *a, struct err *e)
{
	const struct json *doc, *list;
	struct strmap seen = { 0 };
	int rc;

	memset(w, 0, sizeof *w);
	if ((rc = json_file(a, path, &doc, e)) != 0)
		return rc;
	list = json_get(doc, "slices");
	if (list && list->type == JSON_ARR && list->n > WEAK_MAX_SLICES)
		return err_set(e, SFT_BADDATA, "%s: %zu slices (expected at most %d)", path, list->n, WEAK_MAX_SLICES);
	if (list == NULL || list->type != JSON_ARR || list->n == 0)
		return err_set(e, SFT_BADDATA, "%s: no slices (expected {\"slices\":[{\"slice\",\"n\",\"error_rate\"}]})", path);
	w->v = arena_get(a, list->n * sizeof *w->v);
	for (size_t i = 0; i < list->n && rc == 0; i++) {
		if ((rc = add_slice(w, &list->item[i], &seen, a, e)) != 0)
			break;
		w->errors += w->v[i].n * w->v[i].rate;
		w->all += w->v[i].n;
	}
	strmap_free(&seen);
	return rc ? err_in(e, "%s", path) : 0;
}
