#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The whole way with the tiny chat model: raw CSV in, adapter and scores out.  Prints the lines that tests/run counts.
# shellcheck disable=SC2317  # steps are called by name
# Needs $DATA, and sft on PATH; works in the current folder.  usage: pipeline.sh NAME
set -u
name=$1
model=$DATA/models/tiny_chat
bad=0

step() {                        # step WHAT COMMAND...
	local what=$1
	shift
	if "$@" 2>err; then
		echo "ok $name-$what"
	else
		echo "not ok $name-$what: exit $?: $(head -c 300 err | tr '\n' ' ')"
		bad=1
	fi
}

cat >raw.csv <<'CSV'
id,text,label
1,"My CARD has not arrived, yet!",card
2,"How do I change my PIN?",pin
2,"How do I change my PIN?",pin
3,,fee
4,"Why is there a ""fee"" on my
statement?",fee
5,"Where is my card? It has not arrived.",card
6,"I want to change the PIN of my card",pin
7,"Why was a fee taken?",fee
8,"my card is not here",card
9,"please change my pin",pin
10,"there is a fee that I do not know",fee
11,"can you tell me where my card is",card
12,"change pin",pin
CSV
cat >labels.txt <<'TXT'
card
pin
fee
TXT

prep() {
	sft clean --drop-null all --lower text --strip-symbols text raw.csv | sft dedup --key id |
		sft split --val 2 --test 3 --seed 7 -o data
}
chat() { sft prompt --task "classify the question" --input text --output label -o chat data/train.csv data/val.csv data/test.csv; }
shards() { sft tokenize -m "$model" -o shards chat/train.jsonl chat/val.jsonl; }
verify() { sft shard verify shards/train.shard >verify && sft shard info shards/train.shard >info && sft shard cat shards/train.shard >"cat"; }
train() {
	sft train -q -m "$model" --data shards/train.shard --val shards/val.shard --rank 4 --lr 1e-2 --batch 2 --accumulate 2 --epochs 4 \
		--save-every 2 -o run
}
resume() { sft train -q -m "$model" --data shards/train.shard --val shards/val.shard --rank 4 --lr 1e-2 --batch 2 --accumulate 2 --epochs 4 \
		--save-every 2 --resume -o run; }
before() { sft generate -q -m "$model" --choices @labels.txt -o before.jsonl chat/test.jsonl; }
after() { sft generate -q -m "$model" -a run/best --choices @labels.txt -o after.jsonl chat/test.jsonl; }
free() { sft generate -q -m "$model" -a run/last --max-tokens 8 --temperature 0.7 --top-p 0.9 --seed 3 -o free.jsonl chat/test.jsonl; }
scores() { sft eval accuracy bleu rouge --json after.jsonl >scores.json && sft eval compare before.jsonl after.jsonl >compare.txt; }
perplexity() { sft eval perplexity -m "$model" -a run/best --json chat/test.jsonl >perplexity.json; }

step prep prep
step prompt chat
step tokenize shards
step shard verify
step train train
step resume resume
step before before
step after after
step generate free
step eval scores
step perplexity perplexity
step files test -s run/best/adapter_model.safetensors -a -s run/last/adapter_config.json -a -s run/log.jsonl -a -s scores.json
step loss-fell python3 -c '
import json
l = [json.loads(x) for x in open("run/log.jsonl")]
l = [x["loss"] for x in l if "loss" in x]
assert l[-1] < 0.8 * l[0], l'
exit $bad
