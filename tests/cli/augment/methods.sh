# SPDX-License-Identifier: Apache-2.0
# Each method alone, on real words; fields, ids, figures.
cat >in.csv <<'END'
id,text,label
1,"My card 4417 hasn't arrived, Alice asked for it in 007 days.",card_arrival
2,他们为什么没有回家？我去北京的医院，北京的。,x
3,无,y
END
printf 'Alice\t\tname\nBob\t\tname\nCarol\t\tname\n北京\t\tcity\n上海\t\tcity\nHASN\n' >names.tsv
printf 'arrive\tarrived|come\ncard\tcredit card\nday\n' >syn.tsv
cp "$ROOT"/dicts/{cantonese-sample,homophones}.tsv .
one() { echo "$*"; sft-augment --columns text --rate 1 --only-new "$@" in.csv | sed 1d; }
one --entities names.tsv
one --numbers
one --dialect cantonese-sample.tsv
one --synonyms syn.tsv
one --homophones homophones.tsv
one --keyboard 0.2
one --punctuation --copies 4
one --case --copies 4
one --width
echo 'all of it'
sft-augment --columns text --id id --copies 3 --entities names.tsv --synonyms syn.tsv --numbers --keyboard 0.05 --stats s.json -v in.csv
grep -o '"copies":[0-9]*,"unch.*' s.json
echo 'none'
sft-augment --columns text --rate 0 --synonyms syn.tsv --to jsonl in.csv
printf 'text\n' | sft-augment --columns text --numbers
printf '{"text":"a 1","source":"web","n":5}\n{"text":17}\n' | sft-augment --columns text --numbers --rate 1 --seed 3
