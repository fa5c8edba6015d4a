# SPDX-License-Identifier: Apache-2.0
# Faults of answers, by kind; the gate.
printf '发热\t发烧\t症状\n高血压\t\t疾病\n糖尿病\t\t疾病\n2型糖尿病\t\t疾病\n急性心肌梗死\t\t疾病\n心脏\nparacetamol pill\n阿司匹林\t\t药物\n' >d.tsv
printf '梗\t埂|哽\n肌\t机\n' >like.tsv
cat >in.csv <<'END'
id,q,a
variant,发烧怎么办,发烧多喝水
confusable,x,急性心机埂死
near: wrong,x,急性心几梗死
near: missing,x,急性心梗死
near: too many,x,急性心肌的梗死
near: Latin,x,one paracetmol pill and Paracetamol Pills
contradiction,糖尿病和高血压吃什么,吃阿司匹林治急性心肌梗死
answered,糖尿病和高血压吃什么,高血压和急性心肌梗死
related,糖尿病吃什么,2型糖尿病吃
none,急性心肌梗死,急性心肌梗死伤心脏
END
sft-terms check --dict d.tsv --question q --answer a --confusables like.tsv --stats s.json in.csv
grep -o '"terms":.*' s.json
echo 'no near, no question'
sft-terms check --dict d.tsv --answer a --near 0 in.csv | cut -d, -f1,4
echo 'other classes'
sft-terms check --dict d.tsv --answer a --question q --contradict 症状,药物 in.csv | grep -c contradiction\"
sft-terms check --dict d.tsv --answer a --near 0 --fail-under 0.9 -o out.csv in.csv; echo "exit $?"
sft-terms check --dict d.tsv --answer a --near 0 --fail-under 0.91 -o out.csv in.csv; echo "exit $?"
wc -l <out.csv
sft-terms check --dict d.tsv --answer a out.csv | head -n 2
printf 'a\n' | sft-terms check --dict d.tsv --answer a --fail-under 1
echo 'chat records and predictions'
cat >chat.jsonl <<'END'
{"messages":[{"role":"user","content":"发烧"},{"role":"assistant","content":"发热"},{"role":"user","content":"糖尿病"},{"role":"assistant","content":"高血压，发烧"}],"prediction":"发烧"}
{"messages":[{"role":"user","content":"糖尿病"}],"prediction":"糖尿病"}
{"messages":[{"role":"user","content":["x"]},1],"prediction":null}
END
sft-terms check --dict d.tsv --answer messages --question messages chat.jsonl | grep -o '"term_faults.*'
sft-terms check --dict d.tsv --answer prediction --question messages chat.jsonl | grep -o '"term_faults.*'
