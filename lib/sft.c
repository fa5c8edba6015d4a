/* SPDX-License-Identifier: Apache-2.0 */
/* sft TOOL ...: runs sft-TOOL, from the folder beside this program, from libexec, or from PATH. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "mem.h"
#include "opt.h"
#include "tool.h"

/* The tools in the order of the pipeline; only those that are installed are listed. */
static const struct {
	const char *name, *job;
} tools[] = {
	{ "run", "a whole pipeline from one file" },
	{ "clean", "encodings, nulls, normalisation, filters, masking" },
	{ "terms", "term dictionaries: replace, check, count" },
	{ "dedup", "exact and near duplicates" },
	{ "describe", "what is in the data" },
	{ "split", "train / val / test: seeded, stratified, grouped" },
	{ "mix", "ratio mixing, curriculum order" },
	{ "augment", "changed copies, marked as such" },
	{ "prompt", "task description, examples and templates: chat records" },
	{ "tokenize", "chat template, token ids, loss mask, packing: a shard" },
	{ "shard", "look at, check, merge, shuffle and sample shards" },
	{ "train", "adapters (LoRA, DoRA, prefixes) or all weights" },
	{ "generate", "answers: greedy, sampled, or by scoring choices" },
	{ "merge", "fold an adapter into its model; export" },
	{ "eval", "metrics, agreement, comparison, weak slices, blind votes" },
	{ "plan", "memory and time before anything is loaded" },
	{ "tune", "search over recipes" },
	{ "report", "one page of figures" },
};

static const char *places[3];   /* folders a tool may be in; NULL: PATH */

static void find_places(void)
{
	static char here[PATH_MAX], libexec[PATH_MAX + 16];
	ssize_t n = readlink("/proc/self/exe", here, sizeof here - 1);
	char *slash;

	if (n <= 0)
		return;
	here[n] = '\0';
	if ((slash = strrchr(here, '/')) == NULL)
		return;
	*slash = '\0';
	places[0] = here;
	snprintf(libexec, sizeof libexec, "%s/../libexec/sft", here);
	places[1] = libexec;
}

static int installed(const char *tool)
{
	char path[PATH_MAX + 300];

	for (int i = 0; i < 2 && places[i]; i++) {
		snprintf(path, sizeof path, "%s/sft-%s", places[i], tool);
		if (access(path, X_OK) == 0)
			return 1;
	}
	return 0;
}

static void usage(FILE *f)
{
	fputs("usage: sft TOOL [options] [FILE...]\n"
	      "From raw dialogue data to a fine-tuned, measured language model.\n\n", f);
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
		if (installed(tools[i].name))
			fprintf(f, "  %-10s %s\n", tools[i].name, tools[i].job);
	fputs("\nsft TOOL -h shows a tool's options, sft TOOL --help its manual; man 7 sft is the tour.\n", f);
}

static int unknown(const char *name)
{
	const char *have[sizeof tools / sizeof *tools], *near;
	size_t n = 0;

	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
		if (installed(tools[i].name))
			have[n++] = tools[i].name;
	near = opt_nearest(name, have, n);
	if (near)
		fprintf(stderr, "sft: no tool '%s' (did you mean '%s'?)\n", name, near);
	else
		fprintf(stderr, "sft: no tool '%s' (sft -h lists them)\n", name);
	return SFT_USAGE;
}

int main(int argc, char **argv)
{
	char path[PATH_MAX + 300];
	const char *tool = argc > 1 ? argv[1] : NULL;

	find_places();
	if (tool == NULL) {
		usage(stderr);
		return SFT_USAGE;
	}
	if (strcmp(tool, "-h") == 0 || strcmp(tool, "help") == 0) {
		usage(stdout);
		return fflush(stdout) ? SFT_SYSTEM : SFT_OK;
	}
	if (strcmp(tool, "--help") == 0) {
		execlp("man", "man", "7", "sft", (char *)NULL);
		usage(stdout);
		return SFT_OK;
	}
	if (strcmp(tool, "--version") == 0) {
		puts("sft " SFT_VERSION);
		return fflush(stdout) ? SFT_SYSTEM : SFT_OK;
	}
	if (strchr(tool, '/') || strlen(tool) > 200)
		return unknown(tool);
	for (int i = 0; i < 2 && places[i]; i++) {
		snprintf(path, sizeof path, "%s/sft-%s", places[i], tool);
		execv(path, argv + 1);
	}
	snprintf(path, sizeof path, "sft-%s", tool);
	execvp(path, argv + 1);
	if (errno != ENOENT) {
		fprintf(stderr, "sft: %s: %s\n", path, strerror(errno));
		return SFT_SYSTEM;
	}
	return unknown(tool);
}
