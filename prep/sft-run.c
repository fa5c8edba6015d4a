/* SPDX-License-Identifier: Apache-2.0 */
/* sft-run: a recipe in, everything from clean records to a report out. */
#include <stdio.h>
#include <string.h>

#include "outfile.h"
#include "runexec.h"
#include "runnew.h"

static const char synopsis[] = "sft-run [--dry-run] [-o DIR] RECIPE.yaml | --new FILE.csv -m MODEL [-o RECIPE.yaml]";
static const char about[] = "Run a whole pipeline from one file, each step only when something it depends on has changed.";

static struct {
	const char *output, *fresh, *model;
	bool dry;
} o;

static const struct opt options[] = {
	OPT_HEAD("Run"),
	OPT_STR('o', "output", &o.output, "DIR", "where everything goes [the recipe's name without its ending]"),
	OPT_FLAG(0, "dry-run", &o.dry, "print the commands, run none"),
	OPT_HEAD("Begin"),
	OPT_STR(0, "new", &o.fresh, "FILE", "write a recipe for this table (to -o RECIPE.yaml, or standard output)"),
	OPT_STR('m', "model", &o.model, "MODEL", "its model: Hugging Face folder or GGUF file [$SFT_MODEL]"),
	OPT_END
};

/* recipes/bank.yaml -> bank */
static const char *folder_of(struct arena *a, const char *recipe)
{
	const char *slash = strrchr(recipe, '/'), *name = slash ? slash + 1 : recipe, *dot = strrchr(name, '.');

	return arena_str(a, name, dot && dot > name ? (size_t)(dot - name) : strlen(name));
}

/* The folders that the commands write to; sft run makes them as it goes. */
static void print_folders(const struct run_plan *p, struct buf *out)
{
	struct strings folders = {0};
	struct strmap seen = {0};
	bool added;

	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->step[i].out.n; k++) {
			const char *path = p->step[i].out.v[k], *slash = strrchr(path, '/');

			if (slash == NULL || p->step[i].folder)
				continue;
			strmap_put(&seen, path, (size_t)(slash - path), 0, &added);
			if (added)
				strings_add(&folders, arena_str(p->a, path, (size_t)(slash - path)));
		}
	buf_str(out, "mkdir -p");
	plan_print_words(&folders, out);
	strmap_free(&seen);
	mem_free(folders.v);
}

static void print_all(const struct run_plan *p)
{
	struct buf out = {0};

	print_folders(p, &out);
	for (size_t i = 0; i < p->n; i++)
		plan_print(&p->step[i], &out);
	fwrite(out.p, 1, out.n, stdout);
	buf_free(&out);
}

static int run(struct tool *t)
{
	struct run_plan p = { .a = &t->arena, .e = &t->e };
	struct run_counts counts = {0};
	int rc;

	if (t->noperands != 1)
		return err_set(&t->e, SFT_USAGE, "%d recipes (expected one: RECIPE.yaml)", t->noperands);
	if (o.model)
		return err_set(&t->e, SFT_USAGE, "-m is for --new (a recipe names its model)");
	p.path = t->operands[0];
	p.dir = o.output ? o.output : folder_of(&t->arena, p.path);
	if ((rc = plan_make(&p)) == 0) {
		if (o.dry)
			print_all(&p);
		else if ((rc = plan_run(&p, t, &counts, &t->e)) == 0)
			tool_note(t, "%llu steps ran, %llu were unchanged", (unsigned long long)counts.ran, (unsigned long long)counts.unchanged);
	}
	plan_release(&p);
	return rc;
}

static int begin(struct tool *t)
{
	struct buf out = {0};
	int rc;

	if (t->noperands || o.dry)
		return err_set(&t->e, SFT_USAGE, "--new takes one table and no recipe");
	if (o.model == NULL)
		o.model = t->env.sft_model;
	if (o.model == NULL)
		return err_set(&t->e, SFT_USAGE, "--new needs -m MODEL (or $SFT_MODEL)");
	if ((rc = runnew_write(o.fresh, o.model, t, &out, &t->e)) == 0)
		rc = out_whole(o.output, out.p, out.n, false, &t->e);
	buf_free(&out);
	return rc;
}

int main(int argc, char **argv)
{
	const struct opt *tables[] = { options, NULL };
	struct tool t;
	int rc = tool_begin(&t, "sft-run", synopsis, about, tables, argc, argv);

	if (rc == 0)
		rc = o.fresh ? begin(&t) : run(&t);
	return tool_end(&t, rc);
}
