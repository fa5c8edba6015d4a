/* SPDX-License-Identifier: Apache-2.0 */
/* Asynchronous copies, ldmatrix and the tensor core's product, lane by lane as PTX lays them out. */
#include "emu.h"

/* --- copies: nothing arrives before the wait, so that a missing one shows --- */

void cp_async16(void *shared, const void *global, uint32_t bytes)
{
	struct emu_thread *t = emu_cur;

	emu_aligned(shared, 16, "cp_async16 (shared)");
	emu_aligned(global, 16, "cp_async16 (global)");
	if (t->ncopies == EMU_COPIES || bytes > 16)
		emu_die("more than %d copies under way, or %u bytes in one", EMU_COPIES, bytes);
	t->copy[t->ncopies++] = { shared, global, bytes, t->group };
}

void cp_async_commit(void)
{
	emu_cur->group++;
}

void emu_copies_wait(unsigned n)
{
	struct emu_thread *t = emu_cur;
	unsigned kept = 0;

	for (unsigned i = 0; i < t->ncopies; i++) {
		if (t->copy[i].group + n >= t->group) {
			t->copy[kept++] = t->copy[i];
			continue;
		}
		memset(t->copy[i].to, 0, 16);
		memcpy(t->copy[i].to, t->copy[i].from, t->copy[i].bytes);
	}
	t->ncopies = kept;
}

/* --- tensor cores --- */

static void matrices(uint32_t *r, const void *row, int n, bool turned)
{
	const char *all;
	unsigned g = emu_cur->lane / 4, c = 2 * (emu_cur->lane % 4);

	if ((int)emu_cur->lane < 8 * n)
		emu_aligned(row, 16, "ldmatrix");
	all = emu_show(0xffffffffu, &row, sizeof row, __FILE__, __LINE__);
	for (int i = 0; i < n; i++) {
		const uint16_t *at[2];

		for (unsigned j = 0; j < 2; j++) {
			const char *slot = all + EMU_SLOT * (8 * (unsigned)i + (turned ? c + j : g));

			memcpy(&at[j], slot, sizeof at[j]);
			at[j] += turned ? g : c + j;
		}
		r[i] = *at[0] | (uint32_t)*at[1] << 16;
	}
	/* Nobody goes on to overwrite the rows before all have read them. */
	emu_warp_barrier(0xffffffffu, __FILE__, __LINE__);
}

void ldmatrix4(uint32_t r[4], const void *row) { matrices(r, row, 4, false); }
void ldmatrix4_t(uint32_t r[4], const void *row) { matrices(r, row, 4, true); }
void ldmatrix2(uint32_t r[2], const void *row) { matrices(r, row, 2, false); }
void ldmatrix2_t(uint32_t r[2], const void *row) { matrices(r, row, 2, true); }

struct operands {
	uint32_t a[4], b[2];
};

static float half_of(uint32_t word, unsigned which)
{
	return bf16_f((uint16_t)(word >> 16 * which));
}

void mma16816(float d[4], const uint32_t a[4], const uint32_t b[2])
{
	struct operands mine = { { a[0], a[1], a[2], a[3] }, { b[0], b[1] } };
	const char *all = emu_show(0xffffffffu, &mine, sizeof mine, __FILE__, __LINE__);
	unsigned g = emu_cur->lane / 4, c = 2 * (emu_cur->lane % 4);

	for (unsigned i = 0; i < 4; i++) {
		unsigned row = g + 8 * (i / 2), col = c + i % 2;
		float sum = 0;

		for (unsigned k = 0; k < 16; k++) {
			const struct operands *pa = (const struct operands *)(all + EMU_SLOT * (4 * (row % 8) + k % 8 / 2));
			const struct operands *pb = (const struct operands *)(all + EMU_SLOT * (4 * col + k % 8 / 2));

			sum += half_of(pa->a[row / 8 + 2 * (k / 8)], k % 2) * half_of(pb->b[k / 8], k % 2);
		}
		d[i] += sum;
	}
}
