#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The end of the medical demo: what the tools' JSON files say, as a table and as summary.json.

usage: summary.py SECONDS CPU TABLE DIR"""
import json, math, pathlib, sys

seconds, cpu, table, where = float(sys.argv[1]), float(sys.argv[2]), pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]).resolve()
WAYS = {"before": "the model as it is", "plain": "tuned", "terms": "tuned, with the penalty"}


def load(name):
    return json.loads((where / name).read_text())


def places(way):
    """Whether the term was likelier than all its rivals, place by place."""
    rows = map(json.loads, (where / f"{way}.items.jsonl").read_text(encoding="utf-8").splitlines())
    return [r["score"] > max(r["rivals"].values()) for r in rows]


def mcnemar(a, b):
    """Exact, two-sided."""
    x, y = sum(p and not q for p, q in zip(a, b)), sum(q and not p for p, q in zip(a, b))
    n = x + y
    return min(1.0, 2 * sum(math.comb(n, k) for k in range(min(x, y) + 1)) / 2 ** n) if n else 1.0


out = {"table": table.name, "invented": table.name == "questions.csv", "seconds": seconds, "cpu_seconds": cpu}
for way in WAYS:
    m = load(f"{way}.likelier.json")["metrics"]["likelier"]
    out |= {f"likelier_{way}": m["likelier"], f"likelier_{way}_ci": m["likelier_ci"], f"pairs_{way}": m["pairs_won"], f"margin_{way}": m["mean_margin"],
            f"perplexity_{way}": load(f"{way}.perplexity.json")["metrics"]["perplexity"]["perplexity"],
            f"rougeL_{way}": load(f"{way}.rouge.json")["metrics"]["rouge"]["mean_prf"]["rougeL"][2], "places": m["places"], "pairs": m["pairs"]}
out["answers"] = load("terms.rouge.json")["n"]
seen = {way: places(way) for way in WAYS}
out["p_plain_terms"], out["p_before_terms"] = mcnemar(seen["plain"], seen["terms"]), mcnemar(seen["before"], seen["terms"])
size = load("run-terms/config.json")["settings"]
out["trainable_share"] = size["trained"] / (size["parameters"] + size["trained"])
(where / "summary.json").write_text(json.dumps(out, indent=1) + "\n")

print(f"\n  {out['places']} places where an answer has a term, {out['pairs']} pairs of a term and what could be taken for it; {out['answers']} answers for ROUGE-L\n")
print(f"  {'':<26}{'likelier than all':>18}  {'95% interval':<16}{'pairs':>7}{'margin':>8}{'perplexity':>12}{'ROUGE-L':>9}")
for way, what in WAYS.items():
    lo, hi = out[f"likelier_{way}_ci"]
    print(f"  {what:<26}{out[f'likelier_{way}']:>18.3f}  {lo:.3f} to {hi:.3f}  {out[f'pairs_{way}']:>7.3f}{out[f'margin_{way}']:>8.2f}"
          f"{out[f'perplexity_{way}']:>12.2f}{out[f'rougeL_{way}']:>9.3f}")
print(f"\n  with against without the penalty: p = {out['p_plain_terms']:.2g} (McNemar, exact, place by place)")
print(f"  {100 * out['trainable_share']:.2f} % of the parameters trained; the whole job {seconds:.0f} s, {cpu:.0f} s of CPU time")
print(f"\n  summary  {where}/summary.json\n  report   {where}/report.html")
