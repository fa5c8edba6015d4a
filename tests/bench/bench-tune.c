/* SPDX-License-Identifier: Apache-2.0 */
/* Searches at equal budget on grids of measured runs: the regret of the best run that each found, over 20 seeds. */
#include "../surrogate.h"

enum { SEEDS = 20 };

static void grid(const char *name)
{
	static const struct {
		enum tune_kind kind;
		const char *name;
	} search[] = { { TUNE_RANDOM, "random" }, { TUNE_ASHA, "asha" }, { TUNE_POLICY, "policy" } };
	static const double budget[] = { 15, 25, 40 };
	struct surrogate s;
	char path[300];

	snprintf(path, sizeof path, "tests/data/tune/%s.csv", name);
	if (!surrogate_open(&s, path)) {
		printf("%s: not there\n", path);
		return;
	}
	printf("%s: %zu measured runs, the best loss %.4f; regret over %d seeds (median, quartiles)\n", name, s.n, s.best, SEEDS);
	for (size_t b = 0; b < sizeof budget / sizeof *budget; b++)
		for (size_t k = 0; k < sizeof search / sizeof *search; k++) {
			struct tune_opts o;
			double r[SEEDS];

			tune_opts_init(&o);
			o.kind = search[k].kind;
			surrogate_regrets(&s, o, budget[b], r, SEEDS);
			printf("  %2.0f runs  %-7s %.4f  (%.4f to %.4f)\n", budget[b], search[k].name, (r[SEEDS / 2 - 1] + r[SEEDS / 2]) / 2, r[SEEDS / 4], r[3 * SEEDS / 4]);
		}
	surrogate_close(&s);
}

int main(void)
{
	grid("cards");
	grid("words");
	return 0;
}
