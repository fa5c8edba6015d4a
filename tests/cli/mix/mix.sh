# SPDX-License-Identifier: Apache-2.0
# Numbers, orders, the source field, weak slices.
for f in a b c; do echo id,text >$f.csv; done
seq 30 | sed 's/.*/a&,x/' >>a.csv; seq 10 | sed 's/.*/b&,y/' >>b.csv; seq 5 | sed 's/.*/c&,z/' >>c.csv
count() { sed 1d | cut -c1 | sort | uniq -c | tr -s ' \n' ' '; echo; }
echo 'as many as need none twice'; sft-mix a.csv:3 b.csv | count
echo 'a total'; sft-mix --total 100 a.csv:2 b.csv:1 c.csv:1 | count
echo 'equal weights'; sft-mix --total 10 a.csv b.csv c.csv | count
echo 'one by one, in order, gone round'; sft-mix --order sequential --total 26 a.csv c.csv:1.6 | cut -d, -f1 | tr '\n' ' '; echo
echo 'from first to last'; sft-mix --order progressive --total 60 a.csv b.csv c.csv | sed 1d | cut -c1 | tr -d '\n'; echo
echo 'shuffled'; sft-mix --total 12 --seed 1 a.csv b.csv | sed 1d | cut -d, -f1 | tr '\n' ' '; echo
sft-mix --source --order sequential --total 4 --to jsonl --stats s.json -v a.csv c.csv
grep -o '"sources":.*' s.json
cat >errors.json <<'END'
{"slices":[{"slice":"hard","n":20,"error_rate":0.5},{"slice":"easy","n":80,"error_rate":0.05}]}
END
for i in $(seq 100); do echo "{\"id\":$i,\"slice\":\"$([ $((i % 10)) = 0 ] && echo hard || echo easy)\"}"; done >s.jsonl
sft-mix --weak errors.json --total 120 --stats s.json s.jsonl | grep -c hard
grep -o '"slices":.*' s.json
sft-mix --weak errors.json --weak-limit 2 --total 110 --order sequential s.jsonl | grep -c hard
printf 'id,text\n' >none.csv
sft-mix --total 5 a.csv none.csv:0.0001 | count
sft-mix none.csv
printf '{"x":1}\n' | sft-mix --source -
