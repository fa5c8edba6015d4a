# SPDX-License-Identifier: Apache-2.0
# Variants become terms: longest first, whole words of Latin, in the columns named, from several dictionaries; counted.
printf '发热\t发烧|高烧\t症状\n2型糖尿病\t二型糖尿病\t疾病\nCT\tct|cat scan\n' >d.tsv
printf '糖尿病\t99\n高烧\t88\n发热\t70\n' >thuocl.txt
cat >in.csv <<'END'
id,q,a
1,我发烧了，又高烧,"二型糖尿病，""高烧"""
2,做ｃｔ和Cat Scan，FACT,ct
END
sft-terms replace --dict d.tsv --dict thuocl.txt --columns q,a --stats s.json in.csv
grep -o '"terms":.*' s.json
echo columns
sft-terms replace --dict d.tsv --columns a --to jsonl in.csv
echo json
printf '{"q":"发烧","n":1,"l":["发烧"]}\n' | sft-terms replace --dict d.tsv --columns all
printf 'q\n' | sft-terms replace --dict d.tsv --columns q
printf '{"q":"发烧"}\n{"a":"ct"}\n' | sft-terms replace --dict d.tsv --columns q,a --union
