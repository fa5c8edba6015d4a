#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The end of the demo: what the tools' JSON files say, as a table and as summary.json.

usage: summary.py SECONDS DIR      SECONDS: what the main job took, building and fetching left out"""
import json, pathlib, sys


def load(name):
    return json.loads((where / name).read_text())


def training():
    """Seconds of the steps, tokens in them, the peak of resident memory."""
    steps = [s for s in map(json.loads, (where / "run/log.jsonl").read_text().splitlines()) if "tokens_per_s" in s]
    return sum(s["tokens"] / s["tokens_per_s"] for s in steps), sum(s["tokens"] for s in steps), max(s["rss_bytes"] for s in steps), len(steps)


seconds, where = float(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
compared = load("compare.json")
accuracy = compared["metrics"]["accuracy"]["values"]["accuracy"]         # intervals: Wilson, 95%
before, before_ci, after, after_ci = (accuracy[k] for k in ("a", "a_ci", "b", "b_ci"))
n, p = compared["n"], compared["metrics"]["accuracy"]["mcnemar_p"]
size = load("run/config.json")["settings"]
share = size["trained"] / (size["parameters"] + size["trained"])
busy, tokens, rss, steps = training()

(where / "summary.json").write_text(json.dumps({
    "accuracy_before": before, "accuracy_before_ci": before_ci, "accuracy_after": after, "accuracy_after_ci": after_ci, "n": n, "p_value": p, "trainable_share": share,
    "tokens_per_s": tokens / busy, "peak_rss_bytes": rss, "seconds": seconds}, indent=1) + "\n")

rows = [
    ("accuracy before", f"{before:.3f}", f"95% interval {before_ci[0]:.3f} to {before_ci[1]:.3f}, {n} held-out questions"),
    ("accuracy after", f"{after:.3f}", f"95% interval {after_ci[0]:.3f} to {after_ci[1]:.3f}"),
    ("difference", f"{after - before:+.3f}", f"p = {p:.2g} (McNemar, exact)"),
    ("trained values", f"{100 * share:.2f} %", f"{size['trained']:,} of {size['parameters'] + size['trained']:,}"),
    ("training", f"{busy:.0f} s", f"{steps} steps, {tokens:,} tokens"),
    ("speed", f"{tokens / busy:.0f}/s", "tokens in training"),
    ("peak memory", f"{rss / 2**20:.0f} MiB", "in training"),
    ("the whole job", f"{seconds:.0f} s", "building and fetching left out"),
]
print()
for name, value, note in rows:
    print(f"  {name:<16}{value:>9}  {note}")
print(f"\n  adapter  {where}/run/best\n  log      {where}/run/log.jsonl\n  summary  {where}/summary.json")
