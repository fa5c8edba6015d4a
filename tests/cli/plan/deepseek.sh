# SPDX-License-Identifier: Apache-2.0
# DeepSeek V3 over sixteen H100, base in bf16, FP8 as published, and 4 bits; adapters on attention and the shared experts.
for base in bf16 fp8 q4_0; do
	echo "== $base"
	sft-plan -m "$DATA/plan/deepseek-v3.json" --base $base --rank 16 --targets 'attention,/.*shared_experts.*/' --checkpointing --length 4096 \
		--micro-tokens 4096 --rows 10000 --device h100 --devices 16
done
