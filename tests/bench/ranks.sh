#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two ranks of one core each against one that takes twice the micro-steps, in one run: rows a second, CPU time, and that their adapters are the same bytes.
# usage: ranks.sh [BATCH [LENGTH [STEPS]]]       default 2 512 4: rows of a micro-step, tokens of each, steps
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build} batch=${1:-2} length=${2:-512} steps=${3:-4}
command -v mpirun >/dev/null && [ -e "$build/bin/sft-mpi.so" ] || { echo "  skipped: no mpirun, or built without MPI"; exit 0; }
[ "$(nproc)" -ge 2 ] || { echo "  skipped: one core"; exit 0; }
model=$(samples/get-model)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" "$((2 * batch * steps))" "$length" <<'PY'
import json, random, sys
work, rows, length = sys.argv[1], *map(int, sys.argv[2:])
rng = random.Random(5)
with open(work + "/ids.jsonl", "w") as f:
    for _ in range(rows):
        f.write(json.dumps({"ids": [rng.randrange(20, 49000) for _ in range(length)], "mask": [1] * length}) + "\n")
PY
"$build/bin/sft" tokenize -q --from ids -o "$work/ids.shard" "$work/ids.jsonl"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
run() {                         # run RANKS ACCUMULATE
	TIMEFORMAT='%U %S'
	{ time mpirun --bind-to core -n "$1" "$build/bin/sft" train -q -j 1 -m "$model" --data "$work/ids.shard" --order sequential --batch "$batch" \
		--accumulate "$2" --steps "$steps" --lr 1e-4 --targets all --rank 8 --dtype bf16 -o "$work/$1"; } 2>"$work/$1.cpu"
}
run 1 2
run 2 1
cmp "$work/1/last/adapter_model.safetensors" "$work/2/last/adapter_model.safetensors" && echo "  the same adapter"
python3 - "$work" "$batch" "$length" <<'PY'
import json, sys
work, batch, length = sys.argv[1], *map(int, sys.argv[2:])
speed, cpu = {}, {}
print(f"LoRA r=8, SmolLM2-135M, {2 * batch} rows of {length} tokens a step, bf16, a core for each rank")
for n in (1, 2):
    log = [json.loads(x) for x in open(f"{work}/{n}/log.jsonl")]
    speed[n] = max(x["tokens_per_s"] for x in log if "tokens_per_s" in x) / length
    cpu[n] = sum(map(float, open(f"{work}/{n}.cpu").read().split()[-2:]))
    print(f"  {n} rank{'s' if n > 1 else ' '}  {speed[n]:6.3f} rows/s   {cpu[n]:6.1f} s of CPU time   {log[-1]['rss_bytes'] / 2**20:5.0f} MiB a rank")
print(f"  ratio {speed[2] / speed[1]:.2f}; by CPU time at most {2 * cpu[1] / cpu[2]:.2f}")
PY
