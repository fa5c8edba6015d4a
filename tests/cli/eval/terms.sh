# SPDX-License-Identifier: Apache-2.0
# Term consistency with variants, several references, a dictionary that no reference uses; style without references.
printf '理财产品\t理财商品|理财产物\t产品\n手续费\t手续费用|服务费用\t费用\nAPR\tannual rate|A.P.R.\trate\n' >d.tsv
cat >p.jsonl <<'END'
{"id":"a","prediction":"这款理财产品收取手续费用。","reference":"该理财产品要收手续费。"}
{"id":"b","prediction":"The APR is 5%, the APR.","reference":["nothing here","the annual rate is 5%"]}
{"id":"c","prediction":"no idea","reference":"理财产品 apr"}
{"id":"d","prediction":"hello hello hello hello hello","reference":"nothing"}
{"id":"e","prediction":"The apr, that is the annual rate","reference":"APR"}
END
sft-eval terms --dict d.tsv --ci --items i.jsonl p.jsonl
cat i.jsonl
sft-eval terms --dict d.tsv --json p.jsonl
sft-eval terms accuracy --dict d.tsv --csv --fail-under term_consistency=0.5 p.jsonl; echo "gate: $?"
printf 'zzz\n' >none.tsv
sft-eval terms --dict none.tsv --json p.jsonl
sft-eval terms p.jsonl; echo "no dictionary: $?"
sft-eval terms --dict nowhere.tsv p.jsonl; echo "no such file: $?"
sed 's/,"reference":[^}]*//' p.jsonl >answers.jsonl
sft-eval length repetition distinct --ci --items i.jsonl answers.jsonl
tail -n 2 i.jsonl
sft-eval distinct --json answers.jsonl
printf '我爱北京天安门\n' >h.txt
printf '我爱天安门\n' >r.txt
sft-eval rouge --rouge-tokenizer icu --rouge-types rouge1,rougeL --hyp h.txt --ref r.txt
