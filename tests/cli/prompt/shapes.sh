# SPDX-License-Identifier: Apache-2.0
# tests/cli/prompt/shapes.sh - alpaca, sharegpt with tools, messages in parts, prompt and response
cat >alpaca.json <<'EOF'
[{"instruction": "Add.", "input": "1 and 1", "output": "2", "history": [["hi", "hello"]], "system": "S", "id": 7},
 {"instruction": "Say hi.", "input": "", "output": "hi"}]
EOF
cat >sharegpt.json <<'EOF'
[{"conversations": [{"from": "human", "value": "weather?"}, {"from": "function_call", "value": "{\"name\": \"w\", \"arguments\": {\"at\": \"Rome\"}}"},
  {"from": "observation", "value": "{\"t\": 20}"}, {"from": "gpt", "value": "20 degrees"}], "tools": "[{\"name\": \"w\"}]", "system": "S"}]
EOF
cat >messages.jsonl <<'EOF'
{"messages": [{"role": "user", "content": [{"type": "text", "value": "a"}, {"type": "text", "text": "b"}], "loss_weight": 0.0}, {"role": "assistant", "content": "c"}], "source": "x"}
{"messages": [{"role": "user", "content": [{"type": "image", "url": "u"}]}], "weight": 2}
EOF
sft-prompt alpaca.json
sft-prompt --task T --from alpaca alpaca.json
sft-prompt --task T sharegpt.json
sft-prompt --from sharegpt sharegpt.json | sft-prompt --render --chat-template qwen
sft-prompt messages.jsonl
echo '{"prompt": "p", "completion": "c", "k": [1]}' | sft-prompt --system S
echo '{"name":"Ada"}' >vars.json
echo '{"instruction": "Who are you?", "output": "I am {{ name }}, not {{other}}."}' | sft-prompt --vars vars.json
