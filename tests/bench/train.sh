#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# LoRA training, ours against torch + transformers + peft in one run: same model, same token batches, all tokens trained but those of a common PROMPT.
# Needs the peers' script and a Python with the packages it names: PEERS (folder, default ../shared/peers), PEERS_PYTHON.
# usage: train.sh [BATCH [LENGTH [STEPS [PROMPT]]]]       default 4 512 6 0: rows, tokens of each, steps, tokens that all rows begin with
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build} peers=${PEERS:-../shared/peers} python=${PEERS_PYTHON:-}
batch=${1:-4} length=${2:-512} steps=${3:-6} prompt=${4:-0}
for p in "$python" "$(command -v python3)"; do
	[ -n "$p" ] && [ -x "$p" ] && "$p" -c 'import torch, peft, transformers, gguf' 2>/dev/null && { python=$p; break; }
done
model=$(samples/get-model)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 - "$work" "$batch" "$length" "$steps" "$prompt" <<'PY'
import json, random, struct, sys
work, batch, length, steps, prompt = sys.argv[1], *map(int, sys.argv[2:])
rng = random.Random(5)
common = [rng.randrange(20, 49000) for _ in range(prompt)]
rows = [common + [rng.randrange(20, 49000) for _ in range(length - prompt)] for _ in range(batch * steps)]
with open(work + "/ids.jsonl", "w") as f:
    for r in rows:
        f.write(json.dumps({"ids": r, "mask": [0] * prompt + [1] * (length - prompt)}) + "\n")
open(work + "/ids.u32", "wb").write(b"".join(struct.pack("<%dI" % length, *r) for r in rows))
PY
"$build/bin/sft" tokenize -q --from ids -o "$work/ids.shard" "$work/ids.jsonl"
"$build/bin/sft" train -q -m "$model" --data "$work/ids.shard" --order sequential --batch "$batch" --accumulate 1 --steps "$steps" \
	--lr 1e-4 --targets all --rank 8 --dtype bf16 --device cpu -o "$work/run"
for d in bf16 autocast; do
	if [ -x "$python" ] && [ -e "$peers/peer_train.py" ]; then
		"$python" "$peers/peer_train.py" --gguf "$model" --dtype $d --batch "$batch" --seq "$length" --prompt "$(python3 -c "print($prompt / $length)")" --steps 3 \
			--tokens "$work/ids.u32" 2>/dev/null >>"$work/peer.jsonl"
	fi
done
python3 - "$work" "$batch" "$length" "$prompt" <<'PY'
import json, os, sys
work, batch, length, prompt = sys.argv[1], *map(int, sys.argv[2:])
log = [json.loads(l) for l in open(work + "/run/log.jsonl")]
log = [x for x in log if "tokens_per_s" in x][1:]
ours, mem = max(x["tokens_per_s"] for x in log), max(x["rss_bytes"] for x in log) / 2**20
print(f"LoRA r=8, SmolLM2-135M, {batch} x {length} tokens, " + (f"{prompt} of them a common prompt" if prompt else "all trained") + ", bf16")
print(f"  {'sft':14} {ours:8.0f} tokens/s {mem:8.0f} MiB")
if os.path.exists(work + "/peer.jsonl"):
    peers = [json.loads(l) for l in open(work + "/peer.jsonl")]
    for p in peers:
        print(f"  torch {p['dtype']:8} {p['tokens_s']:8.0f} tokens/s {p['peak_rss_mib']:8.0f} MiB   ratio {ours / p['tokens_s']:.2f}, memory {mem / p['peak_rss_mib']:.2f}")
else:
    print("  torch + peft   skipped: no Python with the peers (PEERS_PYTHON)")
PY
