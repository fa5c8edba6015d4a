# SPDX-License-Identifier: Apache-2.0
# The loop: the slices where answers fail are the ones that get copies here and are drawn oftener by sft-mix.
printf 'slice,prediction,reference\n' >p.csv
for i in 1 2 3 4 5 6; do printf 'loan,a,%s\ncard,a,a\n' "$([ "$i" -le 4 ] && echo b || echo a)"; done >>p.csv
sft-eval errors --json -o errors.json p.csv
printf 'slice,text\nloan,has 123\ncard,has 456\nother,has 789\n' >in.csv
sft-augment --columns text --numbers --rate 1 --weak errors.json --stats s.json in.csv | cut -d, -f1,3-
grep -o '"guarded":[0-9]*' s.json
sft-mix --weak errors.json --total 100 --stats m.json in.csv >mixed.csv
for s in loan card other; do echo "$s: $(grep -c "^$s," mixed.csv)"; done
sed 's/^slice/part/' in.csv >part.csv
sft-augment --columns text --numbers --rate 1 --weak errors.json --slice part --only part=card,loan part.csv | cut -d, -f1,3-
sft-augment --columns text --numbers --weak errors.json part.csv; echo "exit $?"
sft-augment --columns text --numbers --slice part part.csv; echo "exit $?"
echo '{"slices":[{"slice":"a","n":2,"error_rate":0.5}]}' >flat.json
sft-augment --columns text --numbers --weak flat.json in.csv; echo "exit $?"
echo '{"slices":[{"slice":"a","n":2}]}' >bad.json
sft-augment --columns text --numbers --weak bad.json in.csv; echo "exit $?"
