# SPDX-License-Identifier: Apache-2.0
# Coverage, as tables and as JSON.
printf '发热\t发烧\t症状\n咳嗽\t\t症状\n糖尿病\t\t疾病\n无类\n发烧\n' >d.tsv
printf 'q,a\n发烧发热,发热\n糖尿病,无\n无,无\n' >in.csv
sft-terms count --dict d.tsv --columns q,a in.csv
sft-terms count --dict d.tsv --columns all --json --top 1 -o c.json in.csv
cat c.json
printf 'x\e\tx\n' >esc.tsv
printf 'a\nb\n' | sft-terms count --dict esc.tsv --columns a | cat -v
printf 'x\e[1m\ty\n' >esc.tsv
printf 'a\ny\n' | sft-terms count --dict esc.tsv --columns a | cat -v
