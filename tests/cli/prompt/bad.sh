# SPDX-License-Identifier: Apache-2.0
# tests/cli/prompt/bad.sh - what is wrong is named; nothing is lost in silence
cat >a.jsonl <<'EOF'
{"id": 1, "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}
{"id": 2, "conversations": [{"from": "martian", "value": "a"}]}
{"id": 3, "conversations": [{"from": "function_call", "value": "{oops"}]}
{"id": 4, "conversations": []}
{"id": 5, "text": "x"}
{"id": 6, "instruction": "x", "output": ""}
{"id": 7, "messages": [{"content": "x"}]}
EOF
sft-prompt a.jsonl >/dev/null
echo "exit $?"
sft-prompt --on-bad skip --rejects r.jsonl --stats s.json a.jsonl
echo "exit $?"
sed 's/"file":"[^"]*",//; s/,"record".*/}/' r.jsonl
grep -o '"rejected":{[^}]*}' s.json
sft-prompt --on-bad skip a.jsonl >/dev/null
printf 'id,text,label\n1,a,\n' >b.csv
sft-prompt --input text --output label b.csv
echo "exit $?"
sft-prompt --input txt --output label --on-bad skip b.csv
echo "exit $?"
sft-prompt --output label b.csv
echo "exit $?"
sft-prompt --render b.csv
echo "exit $?"
printf 'messages,text\nx,y\n' | sft-prompt --input text
echo "exit $?"
sft-prompt --from nope b.csv
echo "exit $?"
sft-prompt --input text --shots none.csv b.csv
echo "exit $?"
