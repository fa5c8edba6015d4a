# SPDX-License-Identifier: Apache-2.0
# tests/cli/prompt/render.sh - the text that chat templates make; an error in its place
cat >a.jsonl <<'EOF'
{"id": "x", "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "q"}], "add_generation_prompt": true, "kwargs": {"bos_token": "<B>"}}
{"id": 2, "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "Once "}], "continue_final_message": true}
{"messages": [{"role": "nobody", "content": "q"}], "other": 1}
EOF
for name in chatml llama3 qwen mistral gemma deepseek zephyr alpaca vicuna; do
	echo "-- $name"
	sft-prompt --render --chat-template $name --on-bad skip a.jsonl
done
echo "-- a file, stop"
echo '{{ raise_exception("no!") if messages[0].role != "system" }}' >t.jinja
sft-prompt --render --chat-template t.jinja a.jsonl
echo "exit $?"
sft-prompt --render --chat-template chatmll a.jsonl
echo "exit $?"
mkdir model
echo '{"chat_template": "{{ bos_token }}{{ messages | length }}{{ eos_token }}", "bos_token": {"content": "<s>"}, "eos_token": "</s>"}' >model/tokenizer_config.json
head -n 1 a.jsonl | sed 's/,"kwargs.*/}/; s/, "kwargs".*/}/' | sft-prompt --render --chat-template model
echo "exit $?"
