# SPDX-License-Identifier: Apache-2.0
# Which record of a key stays, and in which order.
printf 'id,text\na,1\nb,22\na,333\nb,4\na,555\n' >in.csv
exec 2>&1
for keep in first last longest; do echo "# $keep"; sft-dedup --key id --keep $keep in.csv; done
echo '# whole records'
printf 'id,text\na,1\na,2\na,1\n' | sft-dedup
printf '%s\n' '{"a":"1"}' '{"b":"1"}' '{"a":1}' | sft-dedup
printf '%s\n' '{"a":"1"}' '{"b":"1"}' '{"a":1}' | sft-dedup --union --key a,b
echo '# against'
printf '%s\n' '{"id":"b"}' | gzip >test.jsonl.gz
sft-dedup --key id --against test.jsonl.gz --rejects rej.jsonl --stats stats.json in.csv
cat rej.jsonl
grep -o '"keys":.*"contaminated":[0-9]*' stats.json
sft-dedup --key id --keep last --against test.jsonl.gz in.csv
