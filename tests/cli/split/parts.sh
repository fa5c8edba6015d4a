# SPDX-License-Identifier: Apache-2.0
# Sizes, files and figures.
{ echo id,label; for i in $(seq 20); do echo "$i,$((i % 5 == 0))"; done; } >in.csv
sft-split --seed 7 -o a in.csv
wc -l a/*
cat a/val.csv
sft-split --val 0.25 --test 3 --stratify label --to jsonl -o b --stats stats.json in.csv
wc -l b/*
grep -o '"train":.*' stats.json
sft-split --val 5 --group label -o c in.csv
wc -l c/*
sft-split --val 0 --test 0.5 -o d in.csv
ls d
printf 'id,label\n' | sft-split -o e
cat e/train.csv e/val.csv
printf '{"id":1}\n{"id":2,"x":[1]}\n' | sft-split --val 1 -o f
cat f/train.jsonl f/val.jsonl
