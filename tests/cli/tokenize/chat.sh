# SPDX-License-Identifier: Apache-2.0
# chat records to a shard: what is trained, what is dropped, what a message cannot forge
cat >chat.jsonl <<'END'
{"id":"a","slice":"s","messages":[{"role":"user","content":"the <|pad|> end"},{"role":"assistant","content":"of it"}]}
{"id":"b","weight":0.5,"messages":[{"role":"user","content":"and"},{"role":"assistant","content":"one"},{"role":"user","content":"more"},{"role":"assistant","content":"time"}]}
{"id":"c","messages":[{"role":"user","content":"nobody answers"}]}
END
cat >t.jinja <<'END'
{% for m in messages %}<|endoftext|>{{ m.role }}:{{ m.content }}<|pad|>{% endfor %}{% if add_generation_prompt %}<|endoftext|>assistant:{% endif %}
END
M=$DATA/tokenizers/mini_falcon_like
sft tokenize -m "$M" --chat-template t.jinja -o chat.shard chat.jsonl
sft shard cat chat.shard
sft shard cat -m "$M" chat.shard
echo last; sft tokenize -m "$M" --chat-template t.jinja --train-on last -q -o last.shard chat.jsonl; sft shard cat last.shard | tail -n 1
echo long; sft tokenize -m "$M" --chat-template t.jinja --max-len 24 --stats s.json -o long.shard chat.jsonl; sft shard info long.shard | sed -n 2,4p
grep -o '"rejected":{[^}]*}' s.json
echo cut; sft tokenize -m "$M" --chat-template t.jinja --max-len 24 --on-long truncate-left -q -o cut.shard chat.jsonl; sft shard info cut.shard | sed -n 2,4p
sft tokenize -m "$M" --chat-template t.jinja --max-len 24 --on-long stop -q -o stop.shard chat.jsonl; echo "exit $?"; [ -e stop.shard ] || echo no file
