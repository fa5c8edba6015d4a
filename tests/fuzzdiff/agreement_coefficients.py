#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Agreement against scikit-learn (Cohen, all weights), statsmodels (Fleiss) and krippendorff (all levels), to 1e-9 relative, on random
tables: labels of random Unicode text or numbers, missing ratings, degenerate ones; FUZZ_N / 500 tables.  Where a reference finds no number,
ours is null with a reason."""
import csv, json, math, os, random, subprocess, sys, warnings

N, SEED = max(20, int(os.environ.get("FUZZ_N", "100000")) // 500), int(os.environ.get("FUZZ_SEED", "0"))
try:
    import krippendorff
    import numpy as np
    from sklearn.metrics import cohen_kappa_score
    from statsmodels.stats.inter_rater import fleiss_kappa
except ImportError as e:
    print(f"skip agreement_coefficients: {e} (PEERS_PYTHON names a Python that has it)")
    sys.exit()
warnings.filterwarnings("ignore")
LEVELS = ("nominal", "ordinal", "interval", "ratio")


def labels(rng):
    if rng.random() < 0.4:
        return [str(k) for k in range(rng.randint(1, 6))]
    text = {"".join(chr(rng.choice([rng.randrange(33, 127), rng.randrange(0xa1, 0x800), rng.randrange(0x4e00, 0x9fff), rng.randrange(0x1f300, 0x1f600)]))
                    for _ in range(rng.randint(1, 6))) for _ in range(rng.randint(1, 6))}
    return sorted(text - {"null"}) or ["x"]


def table(rng):
    """[rater][item] of labels, None where there is none; at least one is there."""
    kinds, raters, items = labels(rng), rng.randint(2, 6), rng.randint(1, 40)
    missing, skill = rng.choice([0, 0, 0.2, 0.6]), rng.choice([0, 0.5, 0.9, 1])
    truth = [rng.choice(kinds) for _ in range(items)]
    t = [[None if rng.random() < missing else truth[i] if rng.random() < skill else rng.choice(kinds) for i in range(items)] for _ in range(raters)]
    t[0][0] = t[0][0] or kinds[0]
    return t, all(k.isdecimal() and k.isascii() for k in kinds)


def number(f, *args, **more):
    """F's answer; None where it has no number."""
    try:
        v = float(f(*args, **more))
    except (ValueError, ZeroDivisionError, AssertionError):
        return None
    return v if math.isfinite(v) else None


def fleiss(t, kinds):
    rated = [c for c in zip(*t) if any(x is not None for x in c)]
    if len({sum(x is not None for x in c) for c in rated}) != 1 or sum(x is not None for x in rated[0]) < 2:
        return None
    return number(fleiss_kappa, np.array([[sum(x == k for x in c) for k in kinds] for c in rated]))


def reference(t, numbers):
    kinds = sorted({x for r in t for x in r if x is not None}, key=(lambda x: float(x)) if numbers else None)
    out = {"fleiss": fleiss(t, kinds)}
    of = {k: float(k) if numbers else kinds.index(k) for k in kinds}
    data = np.array([[np.nan if x is None else of[x] for x in r] for r in t])
    for level in LEVELS if numbers else LEVELS[:1]:
        out[level] = number(krippendorff.alpha, reliability_data=data, level_of_measurement=level) if len(kinds) > 1 else None
    for a in range(len(t)):
        for b in range(a + 1, len(t)):
            both = [(of[x], of[y]) for x, y in zip(t[a], t[b]) if x is not None and y is not None]
            for weights in (None, "linear", "quadratic"):
                used = sorted({x for pair in both for x in pair})
                out[f"r{a} r{b} {weights or 'unweighted'}"] = number(cohen_kappa_score, [used.index(x) for x, _ in both], [used.index(y) for _, y in both],
                                                                     weights=weights) if both else None
    return out


def ours(t):
    with open("t.csv", "w", newline="", encoding="utf-8") as f:
        csv.writer(f).writerows([[f"r{k}" for k in range(len(t))], *[["" if x is None else x for x in c] for c in zip(*t)]])
    p = subprocess.run(["sft-eval", "kappa", "--json", "--delimiter", ",", "--raters", ",".join(f"r{k}" for k in range(len(t))), "t.csv"], capture_output=True, text=True)
    m = json.loads(p.stdout)["metrics"]["kappa"]
    out = {"fleiss": m["fleiss"], **m["krippendorff"]}
    for c in m["cohen"]:
        out.update({f"{c['raters'][0]} {c['raters'][1]} {w}": c[w] for w in ("unweighted", "linear", "quadratic")})
    named = all(m["reason"].get(k if k == "fleiss" else f"krippendorff.{k}") for k in ("fleiss", *LEVELS) if out[k] is None)
    return out, named and all("reason" in c for c in m["cohen"] if c["unweighted"] is None)


def main():
    compared = 0
    for k in range(N):
        rng = random.Random(f"{SEED} {k}")
        t, numbers = table(rng)
        want, (got, named) = reference(t, numbers), ours(t)
        for key, w in want.items():
            g = got[key]
            compared += 1
            if (w is None) != (g is None) or (w is not None and not math.isclose(g, w, rel_tol=1e-9, abs_tol=1e-12)):
                print(f"not ok agreement_coefficients: FUZZ_SEED={SEED}, table {k}, {key}: {g} is not {w}: {t!r}"[:1000])
                return
        if not named:
            print(f"not ok agreement_coefficients: FUZZ_SEED={SEED}, table {k}: a null without a reason")
            return
    print(f"ok agreement_coefficients: {compared} figures of {N} tables")


main()
