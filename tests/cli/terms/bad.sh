# SPDX-License-Identifier: Apache-2.0
# Wrong options, bad dictionaries, columns that are not there.
try() { "$@"; echo "exit $?"; }
exec 2>&1
printf 'id,text\n1,x\n' >in.csv
printf 'a\tb\n' >d.tsv
printf 'a\tx\nb\tX\n' >two.tsv
printf 'a\t|\n' >empty.tsv
printf '\304\343\n' >gbk.tsv
printf 'ab\tc\n' >long.tsv
printf '{"text":"x"}\n{"txt":"x"}\n' >keys.jsonl
try sft-terms
try sft-terms chek
try sft-terms replace --columns text in.csv
try sft-terms replace --dict d.tsv in.csv
try sft-terms check --dict d.tsv in.csv
try sft-terms check --dict d.tsv --answer text --contradict x in.csv
try sft-terms replace --dict not-there --columns text in.csv
try sft-terms replace --dict two.tsv --columns text in.csv
try sft-terms replace --dict empty.tsv --columns text in.csv
try sft-terms replace --dict gbk.tsv --columns text in.csv
try sft-terms replace --dict . --columns text in.csv
try sft-terms replace --dict d.tsv --columns txt in.csv
try sft-terms check --dict d.tsv --answer txt in.csv
try sft-terms check --dict d.tsv --answer text --confusables long.tsv in.csv
try sft-terms count --dict d.tsv --columns text keys.jsonl
try sft-terms replace --dict d.tsv --columns text -o out.jsonl keys.jsonl
ls
