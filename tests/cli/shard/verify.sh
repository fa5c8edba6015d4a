# SPDX-License-Identifier: Apache-2.0
# shards: figures, damage, what is no shard
echo '{"ids":[1,2,3],"mask":[0,1,1],"slice":"s"}' | sft tokenize --from ids -o a.shard
sft shard info --json a.shard | sed 's/"info":.*//'
sft shard verify a.shard
head -c 150 a.shard >short.shard
sft shard verify a.shard short.shard; echo "exit $?"
sft shard cat short.shard; echo "exit $?"
python3 -c 'b = bytearray(open("a.shard", "rb").read()); b[-200] ^= 16; open("flip.shard", "wb").write(b)'
sft shard verify flip.shard 2>/dev/null; echo "exit $?"
echo text >b.txt; sft shard info b.txt; echo "exit $?"
sft shard info nowhere; echo "exit $?"
sft shard verfy a.shard; echo "exit $?"
sft shard; echo "exit $?"
sft shard cat; echo "exit $?"
printf 'a,b\n1,2\n' | sft split --val 0 --to rec -o parts >/dev/null 2>&1 && sft shard cat parts/train.rec
