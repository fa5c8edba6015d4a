# SPDX-License-Identifier: Apache-2.0
# Several metrics in one pass, groups, items, gates, and a comparison.
exec 2>&1
cat >a.jsonl <<'X'
{"id":"1","slice":"en","prediction":"The cat sat on the mat.","reference":"The cat sat on the mat."}
{"id":"2","slice":"en","prediction":"A dog ran in the park today","reference":["The dog ran in the park today.","A dog was running in the park."]}
{"id":"3","slice":"zh","prediction":"我爱北京","reference":"我爱北京。"}
{"id":"4","slice":"zh","prediction":" 42 ","reference":42}
X
sed -e 's/我爱北京"/我爱北京。"/' -e 's/sat on the mat\.","r/lay on a rug.","r/' a.jsonl | tac >b.jsonl
sft-eval accuracy bleu chrf ter rouge --rouge-tokenizer cjk-mixed a.jsonl
sft-eval accuracy bleu --tokenize zh --by slice --items items.jsonl a.jsonl
cat items.jsonl
sft-eval accuracy ter a.jsonl --fail-under accuracy=0.5 --fail-under ter=1 -o out
echo "exit $?"
sft-eval accuracy --match contains --ci --resamples 100 a.jsonl
sft-eval compare a.jsonl b.jsonl
sft-eval compare --metric chrf --json a.jsonl b.jsonl | grep -o '"win.*"loss":[0-9]*'
X=$(sft-eval compare --json --seed 5 a.jsonl b.jsonl)
[ "$X" = "$(sft-eval compare --json --seed 5 -j 1 a.jsonl b.jsonl)" ] && echo same
