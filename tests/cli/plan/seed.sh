# SPDX-License-Identifier: Apache-2.0
# The case of docs/plan.md: 100,000 dialogues, 0.3% of the parameters trained, four A100.
sft-plan -v -m "$DATA/plan/qwen-14b.json" --rank 10 --length 768 --rows 100000 --micro-tokens 4096 --device a100 --devices 4 --price 1.5
