/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "mem.h"
#include "plan.h"
#include "tool.h"

static const char synopsis[] = "sft-plan [-m] MODEL [options]";
static const char about[] = "Say what a training run would take, before anything is loaded: memory, arithmetic, time, disk, and whether it fits.";

static int show(const struct tool *t, const struct plan_opts *o, bool json, struct err *e)
{
	struct buf out = {0};
	struct plan p;
	int rc = plan_reckon(&p, o, e);

	if (rc == 0) {
		if (json)
			plan_json(&p, &out);
		else
			plan_table(&p, t->verbose, &out);
		fwrite(out.p, 1, out.n, stdout);
	}
	buf_free(&out);
	plan_free(&p);
	return rc;
}

int main(int argc, char **argv)
{
	static struct plan_opts o;
	static bool json;
	static const struct opt model[] = {
		OPT_HEAD("Model and method, as sft-train has them"),
		OPT_STR('m', "model", &o.model, "MODEL", "folder, config.json or GGUF file; headers are read, no weights [$SFT_MODEL]"),
		OPT_STR(0, "base", &o.base, "TYPE", "type of the base matrices: f32, bf16, fp8, q8_0, q4_0... [the file's]"),
		OPT_CHOICE(0, "method", &o.method, "lora|full|prefix", "what is trained: an adapter, or all weights [lora]"),
		OPT_INT(0, "prefix-len", &o.prefix_len, "N", "virtual tokens of prefix tuning [16]", 1, 65536),
		OPT_INT(0, "rank", &o.rank, "N", "rank of the adapter [8]", 1, 4096),
		OPT_REAL(0, "alpha", &o.alpha, "X", "takes nothing; so that train's options can be given", 1e-6, 1e6),
		OPT_REAL(0, "dropout", &o.dropout, "P", "share of what the adapter reads that is dropped [0]", 0, 0.999),
		OPT_STR(0, "targets", &o.targets, "LIST", "all, attention, mlp, experts, q_proj..., layers=A-B, heads=A-B, /REGEX/ [all]"),
		OPT_FLAG(0, "rslora", &o.rslora, "takes nothing, as --alpha"),
		OPT_FLAG(0, "dora", &o.dora, "DoRA"),
		OPT_CHOICE(0, "optim", &o.optim, "adamw|sgd|lion|adafactor", "the optimiser [adamw]"),
		OPT_CHOICE(0, "dtype", &o.dtype, "auto|f32|bf16", "type of activations and products [auto]"),
		OPT_FLAG(0, "checkpointing", &o.checkpointing, "compute activations again on the way back"),
		OPT_END
	};
	static const struct opt data[] = {
		OPT_HEAD("Data"),
		OPT_INT(0, "length", &o.length, "N", "tokens of a row [512]", 1, 1 << 24),
		OPT_INT(0, "longest", &o.longest, "N", "tokens of the longest row [all are alike]", 1, 1 << 24),
		OPT_REAL(0, "trained", &o.trained, "X", "share of the tokens that the loss counts [1]", 0, 1),
		OPT_INT(0, "rows", &o.rows, "N", "rows of the data: gives epochs and the run", 1, 0x1p53),
		OPT_REAL(0, "epochs", &o.epochs, "X", "times through the data [3]", 1e-6, 1e9),
		OPT_INT(0, "steps", &o.steps, "N", "optimiser steps, instead of epochs", 1, 0x1p53),
		OPT_INT(0, "batch", &o.batch, "N", "rows of a micro-step [16]", 1, 1 << 20),
		OPT_INT(0, "accumulate", &o.accumulate, "N", "micro-steps of a step [2]", 1, 1 << 20),
		OPT_INT(0, "micro-tokens", &o.micro_tokens, "N", "split micro-steps into passes of at most N tokens [1280]", 1, 1 << 24),
		OPT_END
	};
	static const struct opt where[] = {
		OPT_HEAD("Devices"),
		OPT_STR(0, "device", &o.device, "NAME", "cpu (this machine), a100, a100-40, h100, h200, 4090... [cpu]"),
		OPT_INT(0, "devices", &o.devices, "N", "how many of them [1]", 1, 1 << 20),
		OPT_INT(0, "split", &o.split, "N", "devices that hold a copy of the model together [the fewest that can]", 1, 1024),
		OPT_REAL(0, "efficiency", &o.efficiency, "X", "share of the peak that products reach [cpu 0.8, else 0.5]", 0.01, 1),
		OPT_REAL(0, "price", &o.price, "X", "of a device and hour: gives the cost of the run", 0, 1e6),
		OPT_FLAG(0, "json", &json, "print one JSON object"),
		OPT_END
	};
	static const struct opt *tables[] = { model, data, where, NULL };
	struct tool_env env;
	struct tool t;
	int rc;

	tool_env(&env);
	plan_opts_init(&o);
	o.model = env.sft_model;
	if ((rc = tool_begin(&t, "sft-plan", synopsis, about, tables, argc, argv)) != 0)
		return tool_end(&t, rc);
	if (t.noperands == 1 && o.model == env.sft_model)
		o.model = t.operands[0];
	else if (t.noperands)
		rc = err_set(&t.e, SFT_USAGE, "'%s' is more than one model (expected -m MODEL, or MODEL alone)", t.operands[t.noperands - 1]);
	o.threads = (int)t.threads;
	if (rc == 0)
		rc = show(&t, &o, json, &t.e);
	return tool_end(&t, rc);
}
