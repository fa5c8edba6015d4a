# SPDX-License-Identifier: Apache-2.0
# Long and wide tables, second ratings, the gate, disagreements, bad tables.
try() { "$@"; echo "exit $?"; }
exec 2>&1
cat >long.csv <<'X'
item,rater,label
q1,18446744073709551615,yes
q1,18446744073709551614,yes
q2,18446744073709551615,no
q2,18446744073709551614,yes
q3,18446744073709551615,no
q3,18446744073709551614,no
X
cat >wide.csv <<'X'
item,ann,bob,cem
q1,1,1,1.0
q2,2,2,3
q3,3,,3
q4,,2,2
X
{ cat long.csv; echo q3,18446744073709551614,yes; } >again.csv
try sft-eval kappa --item item --rater rater --label label long.csv
try sft-eval kappa --item item --rater rater --label label --min-kappa 0.95 -o out long.csv
try sft-eval kappa --item item --rater rater --label label --min-kappa 0.3 -o out long.csv
try sft-eval kappa --item item --rater rater --label label again.csv
for r in first last; do
	try sft-eval kappa --item item --rater rater --label label --repeat $r --gate percent --min-kappa 1 -o out again.csv
done
try sft-eval kappa --raters ann,bob,cem --disagreements list.csv wide.csv
cat list.csv
try sft-eval kappa --item item --label label --disagreements list.jsonl -o out long.csv
cat list.jsonl
sed 's/^1,2,2,3,2,,/1,2,2,3,2,3,looked it up/' list.csv >settled.csv
try sft-eval kappa --raters ann,bob,cem --resolved settled.csv --gold gold.csv --disagreements again.csv -o out wide.csv
cat gold.csv
cmp settled.csv again.csv
printf 'item,resolved\n0,9\n' | try sft-eval kappa --raters ann,bob,cem --resolved /dev/stdin --gold gold.csv wide.csv
printf 'item,resolved\n9,1\n' | try sft-eval kappa --raters ann,bob,cem --resolved /dev/stdin --gold gold.csv wide.csv
printf 'item,resolved\n0,1\n0,1\n' | try sft-eval kappa --raters ann,bob,cem --resolved /dev/stdin --gold gold.csv wide.csv
printf 'item,resolved\nq1,yess\n' | try sft-eval kappa --item item --rater rater --label label --resolved /dev/stdin --gold gold.csv long.csv
try sft-eval kappa --raters ann,bob,cem --resolved settled.csv wide.csv
try sft-eval kappa --raters ann,bob,cem --csv wide.csv
try sft-eval kappa wide.csv
try sft-eval kappa --raters ann wide.csv
try sft-eval kappa --raters ann,bop wide.csv
printf '1\n2\n' >categories
try sft-eval kappa --raters ann,bob --categories categories wide.csv
printf 'a,b\nx,x\nx,x\n' | try sft-eval kappa --raters a,b --min-kappa 0.5
printf 'a,b\n,\n' | try sft-eval kappa --raters a,b
