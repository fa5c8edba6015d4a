#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The end of the loop: errors of the weak slices and of the others, before and after, with intervals, and the guard; summary.json.

usage: summary.py GUARD DIR      exit 1 where the others' error has risen by more than GUARD"""
import json, pathlib, sys

guard, where = float(sys.argv[1]), pathlib.Path(sys.argv[2])
docs = {k: json.loads((where / f"{k}.json").read_text()) for k in ("weak", "rest", "all")}


def errors(doc):
    """n, errors before and after with Wilson's intervals, p of McNemar's test: of accuracy, turned round."""
    m = doc["metrics"]["accuracy"]
    v = m["values"]["accuracy"]
    turn = lambda c: [1 - c[1], 1 - c[0]]
    return {"n": doc["n"], "before": 1 - v["a"], "before_ci": turn(v["a_ci"]), "after": 1 - v["b"], "after_ci": turn(v["b_ci"]), "p_value": m["mcnemar_p"]}


def row(name, e):
    (a, b), (c, d) = e["before_ci"], e["after_ci"]
    p = f"  p = {e['p_value']:.2g}" if "p_value" in e else ""
    print(f"  {name:<34}{e['n']:>5}  {e['before']:.3f} ({a:.3f} to {b:.3f})  {e['after']:.3f} ({c:.3f} to {d:.3f}){p}")


print(f"\n  {'error on held-out questions':<34}{'n':>5}  before (95%)            after (95%)")
slices = {g["group"]: errors({"n": g["n"], **g}) for g in docs["weak"]["groups"]}
for name, e in slices.items():
    row(name, e)
weak, rest, whole = (errors(docs[k]) for k in ("weak", "rest", "all"))
row("weak slices together", weak)
row("the others", rest)
row("all", whole)
kept = rest["after"] - rest["before"] <= guard
print(f"\n  guard: the others' error rose by {rest['after'] - rest['before']:+.3f} (at most {guard:g}): {'kept' if kept else 'NOT kept'}")
(where / "summary.json").write_text(json.dumps({"slices": slices, "weak": weak, "rest": rest, "all": whole, "guard": guard, "guard_kept": kept}, indent=1) + "\n")
sys.exit(not kept)
