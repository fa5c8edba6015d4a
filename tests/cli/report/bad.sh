# SPDX-License-Identifier: Apache-2.0
# Wrong options and inputs that have no place in a report: one line each, the exit status, and no page.
try() { "$@"; echo "exit $?"; }
exec 2>&1
: >empty.json; echo '{"a":1}' >plain.json; echo '{"schema":"sft.state/1"}' >state.json
printf '{\n "schema": "sft.eval/1",\n "metrics": {}\n}{\n' >twice.json
printf '{"schema":"sft.eval/1","metrics":{}}\n{"schema":"sft.eval/1","metrics":{}}\n' >two.jsonl
printf 'id,text\n1,a\n' >table.csv
printf 'id,prediction,reference\n1,a,a\n1,b,b\n' >ids.csv
printf 'id,prediction,reference\n1,a,a\n2,b,b\n' >good.csv
printf 'id,prediction,reference\n1,a,a\n3,b,b\n' >other.csv
printf '{"step":1,"loss":2}\n{"step":2,"loss":NaN}\n' >nan.jsonl
printf '{"step":2,"loss":2}\n{"step":1,"loss":2}\n' >back.jsonl
printf '{"step":"x","loss":2}\n' >step.jsonl
mkdir folder
try sft-report -o out.html nowhere
try sft-report -o out.html empty.json
try sft-report -o out.html plain.json
try sft-report -o out.html state.json
try sft-report -o out.html twice.json
try sft-report -o out.html two.jsonl
try sft-report -o out.html table.csv
try sft-report -o out.html ids.csv
try sft-report -o out.html good.csv other.csv
try sft-report -o out.html nan.jsonl
try sft-report -o out.html back.jsonl
try sft-report -o out.html step.jsonl
try sft-report -o out.html folder
try sft-report -o out.html - <good.csv
try sft-report -o out.html --name a --name b good.csv
try sft-report -o out.html --metric acuracy good.csv
try sft-report -o out.html --by slise good.csv
try sft-report -o out.html --match fuzzy good.csv
try sft-report -o out.html --input question good.csv
try sft-report -o out.html --diff letters good.csv
try sft-report -o out.html --examples -1 good.csv
try sft-report -o out.html --rejects bad good.csv
try sft-report -o nowhere/out.html good.csv
ls
