#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Near-duplicates of made dialogues, ours against rensa and datasketch in one run: CPU time and peak memory, recall and precision against all
# pairs of the first 3,000 texts.
# Needs the peers' scripts and a Python with rensa and datasketch: PEERS (folder, default ../shared/peers), PEERS_PYTHON.
# usage: dedup.sh [ROWS [PEER...]]       default 100000 rensa datasketch
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build} peers=${PEERS:-../shared/peers} python=${PEERS_PYTHON:-}
rows=${1:-100000}
[ $# -gt 1 ] && shift || set -- rensa datasketch
for p in "$python" "$(command -v python3)"; do
	[ -n "$p" ] && [ -x "$p" ] && "$p" -c 'import rensa, datasketch' 2>/dev/null && { python=$p; break; }
done
if [ ! -x "$python" ] || [ ! -e "$peers/peer_dedup.py" ]; then
	echo "skipped: no Python with rensa and datasketch, or no peers' scripts (PEERS_PYTHON, PEERS)"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$peers/make_dialogues.py" --rows $((rows + rows / 5)) --seed 1 >"$work/all.csv"
"$python" - "$work" "$rows" <<'PY'
import csv, itertools, sys
csv.field_size_limit(1 << 30)
texts = (r for r in csv.DictReader(open(sys.argv[1] + "/all.csv", encoding="utf-8", newline="")) if r["text"])
with open(sys.argv[1] + "/in.csv", "w", encoding="utf-8", newline="") as f:
    w = csv.writer(f, lineterminator="\n")
    w.writerow(["row", "text"])
    w.writerows([i, r["text"]] for i, r in enumerate(itertools.islice(texts, int(sys.argv[2]))))
PY
rm "$work/all.csv"
for p; do
	"$python" "$peers/peer_dedup.py" --engine "$p" --in "$work/in.csv" --rows "$rows" --sample 3000 >>"$work/peers.jsonl"
done
# Not "$python": what is in memory where a process starts counts for it.
python3 - "$work" "$build" "$rows" <<'PY'
import csv, json, os, sys
work, build, rows = sys.argv[1:]
pid = os.posix_spawn(build + "/bin/sft-dedup", ["sft-dedup", "-q", "-j", "1", "--near", "text", "--id", "row", "--pairs", work + "/pairs.csv",
                                                "-o", work + "/out.csv", work + "/in.csv"], os.environ)
_, status, u = os.wait4(pid, 0)
assert status == 0
cpu, mib = u.ru_utime + u.ru_stime, u.ru_maxrss / 1024
sets, index, exact = [], {}, set()
for i, r in zip(range(3000), csv.DictReader(open(work + "/in.csv", encoding="utf-8", newline=""))):
    t = " ".join(r["text"].lower().split())
    sets.append({t[k:k + 5] for k in range(max(1, len(t) - 4))})
    common = {}
    for g in sets[i]:
        for j in index.setdefault(g, []):
            common[j] = common.get(j, 0) + 1
        index[g].append(i)
    exact |= {(j, i) for j, n in common.items() if n / (len(sets[i]) + len(sets[j]) - n) >= 0.8}
got = {(int(a), int(b)) for a, b, _ in list(csv.reader(open(work + "/pairs.csv")))[1:] if int(b) < 3000 and int(a) < 3000}
print(f"near-duplicates of {int(rows):,} texts, 5 characters, Jaccard 0.8, one thread; recall and precision among {len(exact)} pairs of 3,000")
print(f"  {'sft':12} {cpu:8.2f} CPU-s {mib:6.0f} MiB   recall {len(got & exact) / max(1, len(exact)):.3f}, precision {len(got & exact) / max(1, len(got)):.3f}")
for p in map(json.loads, open(work + "/peers.jsonl")):
    print(f"  {p['peer']:12} {p['cpu_s']:8.2f} CPU-s {p['peak_rss_mib']:6.0f} MiB   recall {p['recall']:.3f}, precision {p['precision']:.3f}; "
          f"ours {p['cpu_s'] / cpu:.1f} times as fast, {mib / p['peak_rss_mib']:.2f} of the memory")
PY
