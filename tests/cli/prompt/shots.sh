# SPDX-License-Identifier: Apache-2.0
# tests/cli/prompt/shots.sh - examples: never the record itself, the same for the same seed and id, each label in turn
cat >pool.csv <<'EOF'
id,text,label
1,a1,A
2,a2,A
3,a3,A
4,b1,B
5,c1,C
EOF
shots() { sft-prompt --input text --output label --shots pool.csv "$@" | sed 's/.*"content":"\(.*\)"},{"role":"assistant".*/\1/; s/\\n/ /g'; }
echo "-- fixed"
shots -k 2 pool.csv
echo "-- balanced: three examples have three labels"
for s in 0 1 2 3; do shots -k 3 --select balanced --seed $s pool.csv | tail -n 4 | while read -r line; do grep -o 'output: [ABC]' <<<"$line" | sort -u | wc -l; done; done | sort | uniq -c | tr -s ' '
echo "-- a record keeps its examples whatever stands before it"
{ head -n 1 pool.csv; tail -n 2 pool.csv; } >part.csv
cmp <(shots -k 2 --select random pool.csv | tail -n 2) <(shots -k 2 --select random part.csv) && echo same
echo "-- another seed gives others"
cmp -s <(shots -k 2 --select random pool.csv) <(shots -k 2 --select random --seed 7 pool.csv) || echo different
echo "-- never the record itself"
shots -k 4 --select random pool.csv | while read -r line; do last=$(grep -o 'input: [^ ]*' <<<"$line" | tail -n 1); grep -o "$last" <<<"$line" | wc -l; done | sort -u
echo "-- more than there are"
sft-prompt --input text --output label --shots pool.csv -k 9 pool.csv | wc -l
