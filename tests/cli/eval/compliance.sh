# SPDX-License-Identifier: Apache-2.0
# Rule files as TSV and JSONL, by class, with broken rules named; match side by side; output as CSV.
try() { "$@"; echo "exit $?"; }
exec 2>&1
printf 'rule\tpattern\tclass\tname\nrequired\t(?i)risk\tloan\trisk notice\nforbidden\tguarantee\t\t\nrequired\thours\tcard\t\n' >rules.tsv
cat >rules.jsonl <<'X2'
{"rule":"required","pattern":"(?i)risk","class":"loan","name":"risk notice"}
{"rule":"forbidden","pattern":"guarantee"}
{"rule":"required","pattern":"hours","class":"card"}
X2
cat >a.jsonl <<'X2'
{"id":1,"class":"loan","prediction":"There is a Risk."}
{"id":2,"class":"loan","prediction":"We guarantee it"}
{"id":3,"class":"card","prediction":"24 hours"}
{"id":4,"prediction":"保证 guarantee"}
X2
try sft-eval compliance --rules rules.tsv --items items a.jsonl
cat items
[ "$(sft-eval compliance --rules rules.tsv --json a.jsonl)" = "$(sft-eval compliance --rules rules.jsonl --json a.jsonl)" ] && echo same
sft-eval compliance --rules rules.tsv --json a.jsonl
try sft-eval compliance --rules rules.tsv --fail-under compliance=1 -o out a.jsonl
try sft-eval compliance --rules rules.tsv --class id a.jsonl --csv
try sft-eval compliance a.jsonl
try sft-eval compliance accuracy --rules rules.tsv a.jsonl
for r in 'must,x' 'required,(' 'required,' 'required,\C'; do
	printf 'rule,pattern\n%s\n' "$r" >bad.csv
	try sft-eval compliance --rules bad.csv a.jsonl
done
printf 'rule,pattern\n' >bad.csv
try sft-eval compliance --rules bad.csv a.jsonl
printf 'rule,patern\nrequired,x\n' >bad.csv
try sft-eval compliance --rules bad.csv a.jsonl
try sft-eval compliance --rules nowhere a.jsonl
cat >m.jsonl <<'X2'
{"prediction":"The answer is 1,234.50, so x","reference":["7","1234.50"]}
{"prediction":"ａn Äpfel!","reference":"äpfel"}
{"prediction":"","reference":""}
{"prediction":"The cat: a dog","reference":"dog cat dog"}
X2
sft-eval match --items items m.jsonl
cat items
try sft-eval match --csv --ci --resamples 100 m.jsonl
