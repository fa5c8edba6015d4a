#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The usual preparation of a table of dialogues (drop records with an empty field and repeated ids, lower case, strip symbols, split), by three
# tools joined by pipes, against polars, pandas and Miller in one run: seconds, CPU time and peak memory.
# Needs the peers' scripts and, for each peer, its package or program: PEERS (folder, default ../shared/peers), PEERS_PYTHON.
# usage: prep.sh [ROWS [PEER...]]       default 1000000 polars-stream polars pandas miller
set -eu
cd "$(dirname "$0")/../.."
build=$(realpath "${BUILD:-build}") peers=${PEERS:-../shared/peers} python=${PEERS_PYTHON:-}
rows=${1:-1000000}
[ $# -gt 1 ] && shift || set -- polars-stream polars pandas miller
for p in "$python" "$(command -v python3)"; do
	[ -n "$p" ] && [ -x "$p" ] && "$p" -c 'import polars' 2>/dev/null && { python=$p; break; }
done
if [ ! -x "$python" ] || [ ! -e "$peers/peer_clean.py" ]; then
	echo "skipped: no Python with polars, or no peers' scripts (PEERS_PYTHON, PEERS)"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" "$peers/make_dialogues.py" --rows "$rows" --seed 1 >"$work/in.csv"
for p; do
	if [ "$p" != miller ] || command -v mlr >/dev/null; then
		"$python" "$peers/peer_clean.py" --engine "$p" --in "$work/in.csv" --out "$work/peer" 2>/dev/null >>"$work/peers.jsonl" || true
	fi
done
# Not "$python": what is in memory where a process starts counts for it.
python3 - "$work" "$build" "$rows" <<'PY'
import json, os, sys, time
work, build, rows = sys.argv[1:]
size = os.path.getsize(work + "/in.csv")
steps = [["clean", "--drop-null", "all", "--lower", "text", "--strip-symbols-exact", "text", work + "/in.csv"],
         ["dedup", "--key", "dialogue_id"], ["split", "--val", "0.1", "-o", work + "/out"]]
env = dict(os.environ, SFT_PIPE="rec")

def recipe():
    """Seconds by the clock, and for each tool CPU seconds and peak MiB."""
    start, pids, last = time.time(), [], None
    for i, s in enumerate(steps):
        r, w = os.pipe() if i + 1 < len(steps) else (None, None)
        ends = [(os.POSIX_SPAWN_DUP2, fd, to) for fd, to in ((last, 0), (w, 1)) if fd is not None]
        pids.append(os.posix_spawn(f"{build}/bin/sft-{s[0]}", [f"sft-{s[0]}", "-q", *s[1:]], env, file_actions=ends))
        for fd in (last, w):
            if fd is not None:
                os.close(fd)
        last = r
    used = []
    for pid in pids:
        _, status, u = os.wait4(pid, 0)
        assert status == 0
        used.append((u.ru_utime + u.ru_stime, u.ru_maxrss / 1024))
    return time.time() - start, used

runs = [recipe() for _ in range(3)]
seconds, (_, used) = min(r[0] for r in runs), min(runs, key=lambda r: sum(c for c, _ in r[1]))
cpu = sum(c for c, _ in used)
print(f"{int(rows):,} rows, {size / 1e6:.0f} MB of CSV, {os.cpu_count()} cores; best of 3")
print(f"  {'sft':14} {seconds:6.2f} s {cpu:6.2f} CPU-s {size / seconds / 1e6:5.0f} MB/s   "
      + ", ".join(f"{s[0]} {c:.2f} CPU-s {m:.0f} MiB" for s, (c, m) in zip(steps, used)))
for p in map(json.loads, open(work + "/peers.jsonl")):
    print(f"  {p['peer']:14} {p['seconds']:6.2f} s {p['cpu_s']:6.2f} CPU-s {p['mb_s']:5.0f} MB/s   {p['peak_rss_mib']} MiB; "
          f"ours {p['seconds'] / seconds:.1f} times as fast, with {p['cpu_s'] / cpu:.1f} times less CPU time")
PY
