# SPDX-License-Identifier: Apache-2.0
# Figures, items, rejects and messages are the same bytes for every number of threads: plain lines, records, groups, a bad record
awk 'BEGIN { srand(7); for (i = 0; i < 4000; i++) { n = 1 + int(rand() * (i % 50 ? 30 : 150)); h = r = ""
	for (k = 0; k < n; k++) { w = "w" int(rand() * 40); r = r " " w; h = h " " (rand() < 0.2 ? "x" : w) }
	print "h" h > "hyp"; print "h" r > "ref"
	printf "{\"id\":%d,\"class\":\"c%d\",\"prediction\":\"%s\",\"reference\":%s}\n", i, i % 3, h, i % 700 == 9 ? "null" : i % 5 ? "\"" r "\"" : "[\"" r "\",\"y" h "\"]" > "records.jsonl" } }'
for j in 1 2 5; do
	sft eval bleu rouge chrf ter -j $j --ci --resamples 100 --hyp hyp --ref ref --items items.$j --json >lines.$j
	sft eval bleu rouge match distinct length -j $j --by class --on-bad skip --rejects rejects.$j --items ritems.$j --csv records.jsonl >records.$j
	sft eval bleu -j $j records.jsonl 2>error.$j
	sed 1900q ref | sft eval bleu -j $j --hyp hyp --ref - 2>short.$j
	for f in lines items records ritems rejects error short; do cmp $f.1 $f.$j; done
done
wc -l <items.5
wc -l <ritems.5
wc -l <rejects.5
cat error.5 short.5
cut -d, -f1,2,6 records.5 | sed -n '1,3p;$p'
