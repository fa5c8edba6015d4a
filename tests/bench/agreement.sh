#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Agreement of a million ratings, whole programs by their CPU time on one core: sft eval kappa against the Python references on the same
# CSV, read with the csv module as peer_eval.py does.  Ours computes all coefficients each time, the references the one that is named.
# PEERS_PYTHON: a Python with scikit-learn, statsmodels, krippendorff; without it only ours is timed.
# usage: agreement.sh [RATINGS]          default 1000000
set -eu
cd "$(dirname "$0")/../.."
python=${PEERS_PYTHON:-python3} work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BUILD=${BUILD:-build} OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"$python" - "$work" "${1:-1000000}" <<'PY'
import os, random, resource, subprocess, sys

work, ratings = sys.argv[1], int(sys.argv[2])
rng = random.Random(1)
labels = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot"]
with open(work + "/two.csv", "w") as f:
    f.write("id,gold,pred\n")
    for i in range(ratings // 2):
        g = rng.choice(labels)
        f.write(f"{i},{g},{g if rng.random() < .8 else rng.choice(labels)}\n")
with open(work + "/five.csv", "w") as full, open(work + "/missing.csv", "w") as missing:
    for f in (full, missing):
        f.write("item,r1,r2,r3,r4,r5\n")
    for i in range(ratings // 5):
        t = rng.randint(1, 5)
        v = [str(t if rng.random() < .7 else rng.randint(1, 5)) for _ in range(5)]
        full.write(f"{i},{','.join(v)}\n")
        missing.write(f"{i},{','.join('' if rng.random() < .1 else x for x in v)}\n")

READ = "import csv, numpy as np\nrows = list(csv.reader(open({path!r}, newline='')))[1:]\n"
PEERS = {
    "two.csv": ("Cohen, scikit-learn", "from sklearn.metrics import cohen_kappa_score\n" + READ + "print(cohen_kappa_score(*zip(*[(r[1], r[2]) for r in rows])))"),
    "five.csv": ("Fleiss, statsmodels", "from statsmodels.stats.inter_rater import fleiss_kappa\n" + READ +
                 "m = np.array([[int(x) for x in r[1:]] for r in rows])\nprint(fleiss_kappa(np.stack([(m == c).sum(1) for c in range(1, 6)], 1)))"),
    "missing.csv": ("alpha, krippendorff", "import krippendorff\n" + READ + "m = [[None if x == '' else int(x) for x in r[1:]] for r in rows]\n"
                    "print(krippendorff.alpha(np.array([[np.nan if v is None else v for v in r] for r in m], dtype=float).T, level_of_measurement='nominal'))"),
}


def cpu(command):
    """The least CPU time of three runs, in seconds; None where one fails."""
    best = None
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            return None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = used if best is None else min(best, used)
    return best


for name, (what, script) in PEERS.items():
    path = f"{work}/{name}"
    with open(path) as f:
        raters = ",".join(f.readline().strip().split(",")[1:])
    ours = cpu([os.environ["BUILD"] + "/bin/sft-eval", "kappa", "-j1", "--raters", raters, "--json", path])
    peer, bare = cpu([sys.executable, "-c", script.format(path=path)]), cpu([sys.executable, "-c", script.split("\n")[0] + "\nimport csv, numpy"])
    line = f"  {what:20} {ratings} ratings: sft {ours:.3f} s"
    print(line + (f", peer {peer:.2f} s (without imports {peer - bare:.2f} s): {peer / ours:.0f} x ({(peer - bare) / ours:.0f} x)" if peer else ", peer skipped"))
PY
