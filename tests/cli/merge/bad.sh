# SPDX-License-Identifier: Apache-2.0
# Wrong options and models: one line each, and no model.
exec 2>&1
m=$DATA/models/llama_gqa_tied
cp -r "$m/lora" "$m/prefix" .
merge() { sft-merge -q "$@"; echo "exit $?"; }
env -u SFT_MODEL sft-merge -o out; echo "exit $?"
merge -m "$m"
merge -m "$m" -a lora extra -o out
merge -m "$m" -a prefix -o out
merge -m "$m" -a lora -o lora
merge -m "$m" -a nowhere -o out
merge -m nowhere -a lora -o out
merge -m lora -o out
merge -m "$m" -a lora --to pickle -o out
merge -m "$m" -a lora --dtype q4_0 -o out
merge -m "$DATA/models/qwen3" -a lora -o out
touch file
merge -m "$m" -a lora -o file/out
cp -r "$m" here
merge -m here -a lora -o here
ls
