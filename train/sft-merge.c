/* SPDX-License-Identifier: Apache-2.0 */
#include "merge.h"

static const char synopsis[] = "sft-merge -m MODEL [-a ADAPTER] [options] -o OUT";
static const char about[] = "Fold an adapter into its model, or write a model with other types of numbers.";

int main(int argc, char **argv)
{
	static const enum dtype types[] = { DT_NONE, DT_F32, DT_F16, DT_BF16, DT_Q8_0 };
	static struct merge_opts o;
	static int type;
	static const struct opt options[] = {
		OPT_STR('m', "model", &o.model, "MODEL", "Hugging Face folder or GGUF file [$SFT_MODEL]"),
		OPT_STR('a', "adapter", &o.adapter, "DIR", "PEFT folder with a LoRA or DoRA adapter of the model"),
		OPT_STR('o', "output", &o.out, "OUT", "folder or file to write"),
		OPT_CHOICE(0, "to", &o.to, "hf|gguf|gguf-lora", "folder, GGUF file, or the adapter alone for llama.cpp [as the model is]"),
		OPT_CHOICE(0, "dtype", &type, "auto|f32|f16|bf16|q8_0", "type of the weights [auto: as the model has them]"),
		OPT_END
	};
	static const struct opt *tables[] = { options, NULL };
	struct tool_env env;
	struct tool t;
	int rc;

	tool_env(&env);
	o.model = env.sft_model;
	o.to = MERGE_SAME;
	if ((rc = tool_begin(&t, "sft-merge", synopsis, about, tables, argc, argv)) != 0)
		return tool_end(&t, rc);
	if (t.noperands) {
		rc = err_set(&t.e, SFT_USAGE, "'%s' is no option (expected -m MODEL -a ADAPTER -o OUT)", t.operands[0]);
		return tool_end(&t, rc);
	}
	o.type = types[type];
	return tool_end(&t, merge_run(&o, &t, &t.e));
}
