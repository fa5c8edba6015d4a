/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "mem.h"
#include "train.h"

static const char synopsis[] = "sft-train -m MODEL --data FILE[:WEIGHT[-WEIGHT]]... [--val FILE] [options] -o RUN";
static const char about[] = "Fine-tune a language model: an adapter for MODEL, or all of its weights, from shards of token ids.";

/* The signal that asked for a stop. */
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = sig;
}

/* The first SIGINT stops after the step; the second finds the default action again and ends the process at once. */
static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal };

	sigemptyset(&a.sa_mask);
	a.sa_flags = SA_RESTART;
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGUSR1, &a, NULL);
	a.sa_flags |= (int)SA_RESETHAND;
	sigaction(SIGINT, &a, NULL);
}

int main(int argc, char **argv)
{
	static struct train_opts o;
	static struct opt model[6];
	static const struct opt what[] = {
		OPT_HEAD("Data"),
		OPT_LIST(0, "data", &o.data, "FILE[:W]", "shard or chat records to train on; an epoch takes them W times [1], W-V: from W to V over the run"),
		OPT_LIST(0, "val", &o.val, "FILE", "shard or chat records to validate on"),
		OPT_CHOICE(0, "order", &o.order, "shuffled|sequential", "order of the rows in an epoch [shuffled]"),
		OPT_STR(0, "chat-template", &o.records.template, "FILE|NAME", "for chat records [the model's]"),
		OPT_STR(0, "train-on", &o.records.train_on, "WHOSE", "for chat records: assistant, last or all [assistant]"),
		OPT_INT(0, "max-len", &o.records.max_len, "N", "for chat records: longest sequence [the model's context]", 1, 1 << 28),
		OPT_STR(0, "on-long", &o.records.on_long, "WHAT", "for chat records: drop, truncate-left, truncate-right or stop [drop]"),
		OPT_INT(0, "pack", &o.records.pack, "N", "for chat records: rows of at most N tokens", 1, 1 << 24),
		OPT_HEAD("Method"),
		OPT_CHOICE(0, "method", &o.method, "lora|full|prefix", "what is trained: an adapter, or all weights [lora]"),
		OPT_INT(0, "prefix-len", &o.prefix_len, "N", "virtual tokens of prefix tuning [16]", 1, 65536),
		OPT_INT(0, "rank", &o.rank, "N", "rank of the adapter [8]", 1, 4096),
		OPT_REAL(0, "alpha", &o.alpha, "X", "its scale is alpha / rank [16]", 1e-6, 1e6),
		OPT_REAL(0, "dropout", &o.dropout, "P", "share of what the adapter reads that is dropped, anew at each step [0]", 0, 0.999),
		OPT_STR(0, "targets", &o.targets, "LIST", "all, attention, mlp, experts, q_proj..., layers=A-B, heads=A-B, /REGEX/ [all]"),
		OPT_FLAG(0, "rslora", &o.rslora, "scale is alpha / sqrt(rank)"),
		OPT_FLAG(0, "dora", &o.dora, "DoRA: magnitudes of the rows are trained apart from their directions"),
		OPT_STR(0, "adapter", &o.use.adapter, "DIR", "go on from this adapter: rank, alpha and targets are its own"),
		OPT_END
	};
	static const struct opt how[] = {
		OPT_HEAD("Optimisation"),
		OPT_REAL(0, "epochs", &o.epochs, "X", "times through the data [3]", 1e-6, 1e9),
		OPT_INT(0, "steps", &o.steps, "N", "optimiser steps, instead of epochs", 1, 0x1p53),
		OPT_INT(0, "batch", &o.batch, "N", "rows of a micro-step [16]", 1, 1 << 20),
		OPT_INT(0, "accumulate", &o.accumulate, "N", "micro-steps of a step [2]", 1, 1 << 20),
		OPT_INT(0, "micro-tokens", &o.micro_tokens, "N", "split micro-steps into passes of at most N tokens [1280]", 1, 1 << 24),
		OPT_REAL(0, "lr", &o.lr, "X", "learning rate [2e-4; full 2e-5, prefix 1e-2]", 0, 1e3),
		OPT_CHOICE(0, "schedule", &o.schedule, "cosine|linear|constant|wsd", "of the learning rate [cosine]"),
		OPT_REAL(0, "warmup", &o.warmup, "X", "a share of the steps, or their number where 1 or more [0.03]", 0, 0x1p53),
		OPT_CHOICE(0, "optim", &o.optim, "adamw|sgd|lion|adafactor", "the optimiser [adamw]"),
		OPT_REAL(0, "loraplus-ratio", &o.loraplus, "X", "LoRA+: the rate of the Bs is X times that of the As [1]", 1e-6, 1e6),
		OPT_REAL(0, "weight-decay", &o.decay, "X", "on every trained value [0.01]", 0, 1e3),
		OPT_REAL(0, "clip", &o.clip, "X", "largest norm of the gradient, 0 for none [1]", 0, 1e9),
		OPT_REAL(0, "label-smoothing", &o.smoothing, "X", "share of the target spread over the vocabulary [0]", 0, 0.999),
		OPT_REAL(0, "term-weight", &o.term_weight, "X", "weight of -log(1 - p of rivals) where terms stand (shards of tokenize --terms) [0]", 0, 1e6),
		OPT_REAL(0, "neftune-alpha", &o.neftune, "X", "noise on the embeddings, of size X / sqrt(tokens x width) [0]", 0, 1e6),
		OPT_FLAG(0, "no-sharing", &o.apart, "compute what rows have in common at their beginning anew for each: slower, same result"),
		OPT_FLAG(0, "checkpointing", &o.checkpointing, "compute activations again on the way back: less memory, same result"),
		OPT_END
	};
	static const struct opt run[] = {
		OPT_HEAD("Run"),
		OPT_STR('o', "output", &o.out, "RUN", "folder of the run: log, checkpoints, best/ and last/"),
		OPT_INT(0, "eval-every", &o.eval_every, "N", "steps between evaluations [a quarter of an epoch, at least 10]", 1, 0x1p53),
		OPT_STR(0, "metric", &o.metric, "NAME", "best/ and --patience go by accuracy, bleu, rougeL... of answers to the validation data"),
		OPT_INT(0, "sample-every", &o.sample_every, "N", "steps between looks at three answers to the validation data", 1, 0x1p53),
		OPT_REAL(0, "max-forgetting", &o.max_forgetting, "F", "stop where a --val file's loss is over (1 + F) x that before training", 0, 1e6),
		OPT_INT(0, "patience", &o.patience, "N", "evaluations without a better one that end the run, 0: never [3]", 0, 1 << 30),
		OPT_INT(0, "save-every", &o.save_every, "N", "steps between checkpoints [as evaluations]", 1, 0x1p53),
		OPT_INT(0, "until", &o.until, "N", "stop after step N with a checkpoint; the run is still of --steps, and --resume goes on", 1, 0x1p53),
		OPT_FLAG(0, "profile", &o.profile, "print at the end what each operation took"),
		OPT_FLAG(0, "resume", &o.resume, "go on from the newest checkpoint of RUN"),
		OPT_END
	};
	static const struct opt *tables[] = { model, what, how, run, NULL };
	struct tool_env env;
	struct tool t;
	bool stopped = false;
	char *cache;
	int rc;

	tool_env(&env);
	train_opts_init(&o);
	loaded_options(&o.use, env.sft_model, false, model);
	if ((rc = tool_begin(&t, "sft-train", synopsis, about, tables, argc, argv)) != 0)
		return tool_end(&t, rc);
	if (t.noperands) {
		rc = err_set(&t.e, SFT_USAGE, "'%s' is no option (data is given with --data)", t.operands[0]);
		return tool_end(&t, rc);
	}
	if (t.env.rank && (rc = ranks_open(&o.ranks, &t.e)) != 0)
		return tool_end(&t, rc);
	if (ranks_rank(o.ranks) > 0)
		t.quiet = t.progress_off = true;
	o.records.cache = cache = tool_cache(&t.env);
	catch_signals();
	rc = train_run(&o, &t, &stop, &stopped, &t.e);
	mem_free(cache);
	rc = tool_end(&t, rc);
	ranks_close(o.ranks, rc);
	if (rc == 0 && stopped && stop == SIGINT)
		raise(SIGINT);                  /* as interrupted, so that a script around us stops too */
	return rc;
}
