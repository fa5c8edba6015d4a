# SPDX-License-Identifier: Apache-2.0
# ids from elsewhere: with and without mask, packed, and what is refused
cat >in.jsonl <<'END'
{"ids":[5,6,7,8],"mask":[0,0,1,1],"id":"x"}
{"ids":[70000,1]}
{"ids":[ 9 , 9,9 ]}
END
sft tokenize --from ids --pack 6 -o a.shard in.jsonl
sft shard cat a.shard
sft shard info a.shard | sed -n 2,8p
sft shard cat a.shard | sft tokenize --from ids --pack 6 -o b.shard && sft shard cat b.shard | cmp - <(sft shard cat a.shard) && echo same
for bad in '{"ids":[1,2],"mask":[1]}' '{"ids":[1,2],"mask":[1,2]}' '{"ids":[1,2' '{"ids":[1,,2]}' '{"ids":[-1]}' '{"ids":[1,]}' '{"ids":4294967296}' '{"id":1}'; do
	echo "$bad" | sft tokenize --from ids -o bad.shard; echo "exit $?"
done
[ -e bad.shard ] || echo no file
printf '%s\n' '{"ids":[1,2]}' '{"ids":[1,2],"mask":[1]}' '{"ids":[]}' | sft tokenize --from ids --on-bad skip --rejects r.jsonl -o some.shard; echo "exit $?"
grep -o '"reason":"[^"]*"' r.jsonl
sft shard info some.shard | sed -n 2p
