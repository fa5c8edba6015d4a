/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "evaltools.h"

/* What stands first on the command line and has options of its own; everything else is a list of metrics. */
static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "kappa", kappa_main },
	{ "compare", compare_main },
	{ "ab", ab_main },
	{ "agree", agree_main },
	{ "errors", errors_main },
	{ "perplexity", perplexity_main },
	{ "changes", changes_main },
	{ "likelier", likelier_main },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc, argv);
	return metrics_main(argc, argv);
}
