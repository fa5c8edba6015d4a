#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the grids of this folder: every combination is one real run of `sft train`, its validation loss read at three rungs.

usage: measure.py GRID OUT.csv       GRID: cards or words; needs build/bin in PATH; an OUT.csv with lines in it is gone on with
"""
import csv, itertools, json, pathlib, random, shutil, subprocess, sys, tempfile

MODEL = pathlib.Path(__file__).resolve().parent.parent / "models/tiny_chat"
RUNGS = (6, 18, 54)
LR = ["1e-4", "3e-4", "1e-3", "3e-3", "1e-2", "3e-2", "1e-1", "3e-1"]
GRIDS = {
    "cards": [{"lr": LR, "rank": ["1", "4", "16"], "targets": ["attention", "mlp", "all"], "batch": ["4", "8", "16"], "warmup": ["0", "0.2"],
               "dropout": ["0", "0.1"]}],
    "words": [{"method": ["lora"], "lr": LR, "rank": ["2", "8"], "alpha": ["8", "32"], "optim": ["adamw", "lion", "sgd"], "batch": ["4", "16"],
               "weight-decay": ["0", "0.1"]},
              {"method": ["full"], "lr": LR, "optim": ["adamw", "lion", "sgd"], "batch": ["4", "16"], "weight-decay": ["0", "0.1"]}],
}
CARDS = {"late": ["card", "parcel", "letter"], "lost": ["card", "key", "phone"], "fee": ["transfer", "withdrawal", "payment"],
         "pin": ["code", "pin", "password"], "rate": ["exchange", "dollar", "euro"], "limit": ["daily", "monthly", "cash"]}
SAY = {"late": "where is my {} number {}, it has not come", "lost": "i lost my {} in town {}", "fee": "why was i charged {1} for a {0}",
       "pin": "my {} is blocked after {} tries", "rate": "which {} rate do you use on day {}", "limit": "what is my {} limit for account {}"}


def card(rng):
    topic = rng.choice(list(CARDS))
    word = rng.choice(CARDS[topic])
    return SAY[topic].format(word, rng.randrange(1000)), f"{topic}: {word}"


def word(rng):
    letters = [rng.choice("abcdef") for _ in range(4)]
    return "sort " + " ".join(letters), " ".join(sorted(letters))


def records(path, make, n, rng):
    with open(path, "w") as f:
        for _ in range(n):
            q, a = make(rng)
            f.write(json.dumps({"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]}) + "\n")


def measure(point, work):
    run = work / "run"
    shutil.rmtree(run, ignore_errors=True)
    options = [x for k, v in point.items() if v for x in ("--" + k, v)]
    r = subprocess.run(["sft", "train", "-q", "-j", "1", "-m", MODEL, "--data", work / "train.shard", "--val", work / "val.shard", "--steps", str(RUNGS[-1]),
                        "--eval-every", str(RUNGS[0]), "--patience", "0", "--accumulate", "1", *options, "-o", run], capture_output=True, text=True)
    if r.returncode not in (0, 3):
        sys.exit(r.stderr)
    seen = [json.loads(line) for line in open(run / "log.jsonl")]
    seen = [x for x in seen if x.get("val_loss") is not None]
    done = max((x["step"] for x in seen), default=0)
    return [f"{min(x['val_loss'] for x in seen if x['step'] <= n):.6g}" if done >= n else "" for n in RUNGS]


def main(grid, out):
    keys = list(dict.fromkeys(k for part in GRIDS[grid] for k in part))
    points = [dict(zip(part, v)) for part in GRIDS[grid] for v in itertools.product(*part.values())]
    have = sum(1 for _ in open(out)) - 1 if pathlib.Path(out).exists() else -1
    with tempfile.TemporaryDirectory() as tmp, open(out, "a") as f:
        work, rng, rows = pathlib.Path(tmp), random.Random(1), csv.writer(f, lineterminator="\n")
        make, sizes = (card, (240, 60)) if grid == "cards" else (word, (400, 100))
        for name, n in zip(("train", "val"), sizes):
            records(work / f"{name}.jsonl", make, n, rng)
            subprocess.run(["sft", "tokenize", "-q", "-m", MODEL, "-o", work / f"{name}.shard", work / f"{name}.jsonl"], check=True)
        if have < 0:
            rows.writerow(keys + [f"loss_{n}" for n in RUNGS])
        for p in points[max(have, 0):]:
            rows.writerow([p.get(k, "") for k in keys] + measure(p, work))
            f.flush()


main(*sys.argv[1:])
