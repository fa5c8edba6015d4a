# SPDX-License-Identifier: Apache-2.0
# tests/cli/prompt/folder.sh - several files with -o DIR give one output each; one stream without
mkdir data
printf 'id,text\n1,a\n' >data/train.csv
printf 'id,text\n2,b\n' >data/val.csv
sft-prompt --input text -o chat data/train.csv data/val.csv && head chat/train.jsonl chat/val.jsonl
sft-prompt --input text -o all.jsonl data/train.csv data/val.csv && wc -l <all.jsonl
mkdir data/more && cp data/val.csv data/more/train.csv
sft-prompt --input text -o chat data/train.csv data/more/train.csv
echo "exit $?"
sft-prompt --input text -o chat/ data/val.csv nowhere.csv
echo "exit $?"
ls chat
sft-prompt --input text --to rec data/val.csv | sft-prompt --render --chat-template chatml --to jsonl
sft-prompt --input text data/val.csv >/dev/full
echo "exit $?"
