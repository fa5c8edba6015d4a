# SPDX-License-Identifier: Apache-2.0
# Wrong options and bad data: one line each, and no run folder.
try() { "$@" -o run; echo "exit $?"; }
exec 2>&1
m=$DATA/models/llama_gqa_tied
train() { try sft-train -q -m "$m" --dtype f32 "$@"; }
echo '{"ids":[1,2,3],"mask":[0,1,1]}' | sft-tokenize --from ids -o good.shard
echo '{"ids":[1,2,3],"mask":[1,0,0]}' | sft-tokenize --from ids -o none.shard
echo '{"ids":[1,2,300000],"mask":[0,1,1]}' | sft-tokenize --from ids -o wide.shard
head -c 100 good.shard >cut.shard
cp "$m"/config.json .
env -u SFT_MODEL sft-train -q --data good.shard -o run; echo "exit $?"
train
train --data missing.shard
train --data none.shard
train --data wide.shard
train --data cut.shard
train --data config.json
train --data good.shard:0
train --data good.shard --val none.shard
train --data good.shard --targets q_proj,foo
train --data good.shard --adapter "$m"/lora --rank 4
train --data good.shard --adapter .
train --data good.shard --method full --rank 4
train --data good.shard --method full --adapter "$m"/lora
train --data good.shard --method full --targets q_proj
train --data good.shard --method full --prefix-len 4
train --data good.shard --schedule cosin
train --data good.shard --lr x
train --data good.shard --batch 0
train --data good.shard --device tpu
try sft-train -q -m nowhere --data good.shard
train good.shard
sft-train -q -m "$m" --data good.shard --dtype f32; echo "exit $?"
sft-train -q -m "$m" --data good.shard --dtype f32 -o config.json/run; echo "exit $?"
ls
