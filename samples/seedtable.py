#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Figures of several runs that differ in their seed: each, their mean, and its 95% interval (Student's t over the seeds).

usage: seedtable.py FIGURE[-FIGURE]... -- SUMMARY.json...      A-B: the difference of two figures of a run, which pairs them by seed"""
import json, math, statistics, sys

# Student's t at 97.5%, by degrees of freedom: the seeds are few.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
cut = sys.argv.index("--")
runs = [json.load(open(f)) for f in sys.argv[cut + 1:]]
for name in sys.argv[1:cut]:
    a, _, b = name.partition("-")
    v = [r[a] - (r[b] if b else 0) for r in runs]
    line = f"  {name:<44} {'  '.join(f'{x:.4f}' for x in v)}   mean {statistics.mean(v):.4f}"
    if len(v) > 1:
        half = T.get(len(v) - 1, 1.96) * statistics.stdev(v) / math.sqrt(len(v))
        line += f", {statistics.mean(v) - half:.4f} to {statistics.mean(v) + half:.4f}"
    print(line)
