# SPDX-License-Identifier: Apache-2.0
# Wrong options and models: one line each, and nothing on standard output.
exec 2>&1
cp "$DATA/plan/llama-8b.json" .
m=llama-8b.json
plan() { sft-plan "$@"; echo "exit $?"; }
env -u SFT_MODEL sft-plan; echo "exit $?"
plan -m "$m" --device h10
plan -m "$m" --base q4_9
plan -m "$m" --method full --rank 4
plan -m "$m" --prefix-len 4
plan -m "$m" --devices 4 --split 3 --device a100
plan -m "$m" --length 600 --longest 500
plan -m "$m" --targets nothing
plan -m nowhere
plan "$m" "$m"
echo '{"model_type":"gpt2"}' >gpt2.json
plan -m gpt2.json
echo '{' >cut.json
plan -m cut.json
plan -m "$DATA/plan/deepseek-v3.json" --method prefix
