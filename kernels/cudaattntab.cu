/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of attention, and which kernels an attention takes. */
#include <algorithm>
#include <vector>

#include "cudaattn.h"

/* Tiles of queries; those that see most come first, so that the last blocks to run are short. */
static std::vector<attn_tile> tiles_of(const struct kern_attn *a, uint32_t each)
{
	std::vector<attn_tile> all;

	for (uint32_t g = 0; g < a->nseg; g++)
		for (uint32_t i = 0; i < a->seg[g].nq; i += each)
			all.push_back({ g, i });
	std::stable_sort(all.begin(), all.end(), [=](const attn_tile &x, const attn_tile &y) {
		const struct kern_seg &s = a->seg[x.seg], &t = a->seg[y.seg];

		return s.np + s.nk - s.nq + x.first > t.np + t.nk - t.nq + y.first;
	});
	return all;
}

/* The segments' runs of key rows, by first row. */
static std::vector<attn_visit> runs_of(const struct kern_attn *a)
{
	std::vector<attn_visit> all;

	for (uint32_t g = 0; g < a->nseg; g++) {
		const struct kern_seg &s = a->seg[g];

		if (s.np > 0)
			all.push_back({ g, s.p0, s.p0 + s.np, 0 });
		if (s.nk > 0)
			all.push_back({ g, s.k0, s.k0 + s.nk, s.np });
	}
	std::stable_sort(all.begin(), all.end(), [](const attn_visit &x, const attn_visit &y) { return x.lo < y.lo; });
	return all;
}

/* Rows that some segment covers, EACH at a time, and who sees them: in the order of the runs, so sums have one order. */
static void rows_of(const struct kern_attn *a, uint32_t each, std::vector<attn_rows> *rows, std::vector<attn_visit> *visits)
{
	std::vector<attn_visit> runs = runs_of(a);

	for (size_t i = 0, open = 0; i < runs.size();) {
		uint32_t lo = runs[i].lo, hi = runs[i].hi;

		for (i++; i < runs.size() && runs[i].lo <= hi; i++)
			hi = std::max(hi, runs[i].hi);
		for (uint32_t row = lo; row < hi; row += each) {
			attn_rows r = { row, std::min(each, hi - row), (uint32_t)visits->size(), 0 };

			for (size_t j = open; j < i && runs[j].lo < row + r.rows; j++)
				if (runs[j].hi > row)
					visits->push_back(runs[j]);
			r.visits = (uint32_t)visits->size() - r.visit;
			rows->push_back(r);
		}
		open = i;
	}
}

template <typename T> static const T *upload(struct kern *k, const std::vector<T> &v)
{
	return v.empty() ? NULL : (const T *)cuda_upload(k, v.data(), v.size() * sizeof(T));
}

struct attn attn_of(struct kern *k, const struct kern_attn *a, uint32_t each, bool back)
{
	std::vector<attn_tile> tiles = tiles_of(a, each);
	std::vector<attn_rows> rows;
	std::vector<attn_visit> visits;
	struct attn t = {};

	if (back)
		rows_of(a, each, &rows, &visits);
	t.seg = (const struct kern_seg *)cuda_upload(k, a->seg, a->nseg * sizeof *a->seg);
	t.tile = upload(k, tiles);
	t.rows = upload(k, rows);
	t.visit = upload(k, visits);
	t.ntiles = (uint32_t)tiles.size();
	t.nrows = (uint32_t)rows.size();
	t.heads = a->heads;
	t.kv_heads = a->kv_heads;
	t.dk = a->dk;
	t.dv = a->dv;
	t.window = a->window;
	t.scale = a->scale;
	t.q = a->q;
	t.ldq = a->ldq;
	t.k = a->k;
	t.ldk = a->ldk;
	t.v = a->v;
	t.ldv = a->ldv;
	t.o = a->o;
	t.ldo = a->ldo;
	t.lse = a->lse;
	t.wide = cuda_wide(a->q, a->ldq) && cuda_wide(a->k, a->ldk) && cuda_wide(a->v, a->ldv) && cuda_wide(a->o, a->ldo) && a->dk % PACK == 0 && a->dv % PACK == 0;
	return t;
}
