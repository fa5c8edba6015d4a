#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The end of the bank's demo: what the tools' JSON files say, as a table and as summary.json.

usage: summary.py --sizes SHARD.json     rows, tokens a row, share of them trained: what `sft plan` wants to know
       summary.py SECONDS CPU DIR        SECONDS and CPU seconds of the whole job"""
import json, pathlib, sys

PRICE = 0.10        # of an hour of the machine


def load(name):
    return json.loads((where / name).read_text())


def sizes(shard):
    s = json.loads(pathlib.Path(shard).read_text())
    print(s["sequences"], max(1, round(s["tokens"] / s["sequences"])), round(s["trained_tokens"] / s["tokens"], 3))


def compliance(name):
    m = load(name)["metrics"]["compliance"]
    return m["compliance"]


def training():
    lines = [json.loads(x) for x in (where / "run/log.jsonl").read_text().splitlines()]
    steps = [s for s in lines if "tokens_per_s" in s]
    return lines[-1].get("seconds", steps[-1]["seconds"]), sum(s["tokens"] for s in steps), max(s["rss_bytes"] for s in steps), len(steps)


if sys.argv[1] == "--sizes":
    sizes(sys.argv[2])
    sys.exit()
seconds, cpu, where = float(sys.argv[1]), float(sys.argv[2]), pathlib.Path(sys.argv[3]).resolve()
compared = load("compare.json")
accuracy = compared["metrics"]["accuracy"]["values"]["accuracy"]         # intervals: Wilson, 95%
before, before_ci, after, after_ci = (accuracy[k] for k in ("a", "a_ci", "b", "b_ci"))
n, p = compared["n"], compared["metrics"]["accuracy"]["mcnemar_p"]
size, plan = load("run/config.json")["settings"], load("plan.json")
share = size["trained"] / (size["parameters"] + size["trained"])
busy, tokens, rss, steps = training()
classes = (where / "labels.txt").read_text().splitlines()
ruled = {json.loads(x)["class"] for x in (where / "rules.jsonl").read_text().splitlines()}
covered = sum(c in ruled for c in classes)
given, asked_before, asked_after = compliance("compliance.json"), compliance("asked-before.json"), compliance("asked-after.json")

(where / "summary.json").write_text(json.dumps({
    "accuracy_before": before, "accuracy_before_ci": before_ci, "accuracy_after": after, "accuracy_after_ci": after_ci, "n": n, "p_value": p,
    "trainable_share": share, "rules_coverage": covered / len(classes), "compliance": given, "compliance_asked_before": asked_before,
    "compliance_asked_after": asked_after, "train_seconds": busy, "train_tokens": tokens, "plan_seconds": plan["time"]["run_s"],
    "peak_rss_bytes": rss, "plan_bytes": plan["memory"]["total"], "seconds": seconds, "cpu_seconds": cpu}, indent=1) + "\n")

rows = [
    ("accuracy before", f"{before:.3f}", f"95% interval {before_ci[0]:.3f} to {before_ci[1]:.3f}; {n} held-out questions, {len(classes)} classes; task and examples"),
    ("accuracy after", f"{after:.3f}", f"95% interval {after_ci[0]:.3f} to {after_ci[1]:.3f}; the task alone"),
    ("difference", f"{after - before:+.3f}", f"p = {p:.2g} (McNemar, exact)"),
    ("trained values", f"{100 * share:.2f} %", f"{size['trained']:,} of {size['parameters'] + size['trained']:,}"),
    ("rules", f"{covered}/{len(classes)}", "classes that the rule file covers"),
    ("compliance", f"{100 * given:.1f} %", "answers that keep the rules of the class they were given for"),
    ("", f"{100 * asked_after:.1f} %", f"and of the class that was asked about (before: {100 * asked_before:.1f} %)"),
    ("training", f"{busy:.0f} s", f"{steps} steps, {tokens:,} tokens; planned {plan['time']['run_s']:.0f} s for this machine as it was then"),
    ("cost", f"{busy / 3600 * PRICE:.4f}", f"at {PRICE:.2f} an hour; planned {plan['time']['run_s'] / 3600 * PRICE:.4f}"),
    ("peak memory", f"{rss / 2**20:.0f} MiB", f"in training; planned {plan['memory']['total'] / 2**20:.0f} MiB"),
    ("the whole job", f"{seconds:.0f} s", f"{cpu:.0f} s of CPU time"),
]
print()
for name, value, note in rows:
    print(f"  {name:<16}{value:>9}  {note}")
print(f"\n  adapter   {where}/run/best\n  A/B sheet {where}/ab-sheet.csv, as a page {where}/ab.html\n  report    {where}/report.html\n  summary   {where}/summary.json")
