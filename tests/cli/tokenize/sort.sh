# SPDX-License-Identifier: Apache-2.0
# --sort prefix: sequences that begin alike follow each other; nothing is lost and nothing is left beside the shard
cat >in.jsonl <<'END'
{"ids":[9,9,9],"id":"a"}
{"ids":[5,70000,7,1],"id":"b"}
{"ids":[9,9],"id":"c"}
{"ids":[5,70000,7],"id":"d","mask":[0,1,0]}
{"ids":[300,1],"id":"e"}
{"ids":[5,6],"id":"f"}
{"ids":[9,9,9],"id":"g","weight":2}
END
sft tokenize --from ids --sort prefix --pack 6 -o s.shard in.jsonl
sft shard cat s.shard
sft shard info s.shard | grep -e shared -e packed
sft shard verify s.shard
sft tokenize --from ids --sort none -o n.shard in.jsonl; sft shard info n.shard | grep shared
sft tokenize --from ids --sort prefix in.jsonl | cat; echo "exit ${PIPESTATUS[0]}"
sft tokenize --from ids --sort prefix -o nowhere/x.shard in.jsonl 2>&1 | tr -d 0-9; echo "exit ${PIPESTATUS[0]}"
ls -A
# against Python's order of lists, ids of all widths, over several blocks
python3 -c '
import json, random
random.seed(1)
for i in range(9000):
    head = [random.choice([3, 300, 70000, 17000000])] * random.randrange(40)
    print(json.dumps({"ids": head + [random.randrange(1 << random.choice([7, 15, 20])) for _ in range(1 + i % 60)], "id": str(i)}))' >big.jsonl
sft tokenize --from ids --sort prefix -o big.shard big.jsonl && sft shard verify big.shard
sft shard cat big.shard | python3 -c '
import json, sys
got = [(r["ids"], int(r["id"])) for r in map(json.loads, sys.stdin)]
want = sorted((json.loads(line)["ids"], i) for i, line in enumerate(open("big.jsonl")))
print("sorted" if got == want else "not sorted")'
