/* SPDX-License-Identifier: Apache-2.0 */
/* sft eval agree make | merge | history */
#include "rounds.h"

#include <string.h>

#include "evaltools.h"
#include "tool.h"

int agree_main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} commands[] = { { "make", round_make_main }, { "merge", round_merge_main }, { "history", round_history_main } };
	static const struct opt none[] = { OPT_END };
	const struct opt *tables[] = { none, NULL };
	struct tool t;
	int rc;

	for (size_t k = 0; argc > 2 && k < sizeof commands / sizeof *commands; k++)
		if (strcmp(argv[2], commands[k].name) == 0)
			return commands[k].run(argc, argv);
	rc = tool_begin(&t, "sft-eval", "sft-eval agree make | merge | history ...",
	                "Rounds of annotation: sheets out, labels in, what is to be settled, one label for each item.", tables, argc, argv);
	if (rc == 0)
		rc = err_set(&t.e, SFT_USAGE, "agree: expected make, merge or history next");
	return tool_end(&t, rc);
}
