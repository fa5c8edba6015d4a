# SPDX-License-Identifier: Apache-2.0
# The invented GBK table through clean, dedup and terms, with the dictionaries that are shipped.
D=$ROOT/dicts
sft-clean -q --fold-width --columns ask,answer --drop-null answer "$ROOT/samples/medical/questions.csv" | sft-dedup -q --key ask >clean.csv
sft-terms replace --dict "$D/medical.tsv" --dict "$D/medical-variants.tsv" --columns ask,answer --stats s.json -o out.csv clean.csv
wc -l <out.csv
grep -o '"changed":[0-9]*' s.json
grep -o '"replacements":[0-9]*' s.json
sed -n 2,6p out.csv
sft-terms check --dict "$D/medical.tsv" --dict "$D/medical-variants.tsv" --confusables "$D/confusables.tsv" --answer answer --question ask \
	--contradict 疾病,药物 --fail-under 1 -o checked.csv out.csv; echo "exit $?"
sft-terms count --dict "$D/medical.tsv" --dict "$D/medical-variants.tsv" --columns ask,answer --top 3 out.csv
printf 'q\n佢哋点解唔系而家返屋企？\n' | sft-terms replace --dict "$D/cantonese-sample.tsv" --columns q
printf 'q\n信用卡帐单的贷款\n' | sft-terms count --dict "$D/finance.tsv" --columns q --top 3
