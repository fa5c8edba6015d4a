# SPDX-License-Identifier: Apache-2.0
# Each thing that ruins runs is seen, and nothing in data without them; the gate.
try() { "$@"; echo "exit $?"; }
exec 2>&1
{
	echo 'text,label,answer'
	for i in $(seq 1 40); do echo "My card number $i$i has not arrived in town $((i * 7919)),lost,We are sorry."; done
	echo 'Why was I charged two times for one coffee?,twice,'
	echo ',lost,Pay back.'
} >train.csv
{
	echo 'text,label,answer'
	echo 'my card number 11  has NOT arrived in town 7919,lost,We block it.'
	echo 'My card number 22 has not arrived in town 15838!,refund,We pay it back.'
} >test.csv
{
	echo 'text,label'
	for i in $(seq 1 12); do echo "$(printf '%d' $((i * 7919)) | tr 0-9 a-j) asks for a card,a"; echo "no money from machine $(printf '%d' $((i * 104729)) | tr 0-9 k-t),b"; done
} >good.csv
warnings() { sed -n '/^Warnings/,$p'; }
sft-describe --label label --answer answer --columns text train.csv test.csv | warnings
sft-describe --label label good.csv | warnings
try sft-describe --strict --label label -o good.txt good.csv
try sft-describe --strict --label label --no-near -o bad.txt train.csv
ls
try sft-describe --label lable train.csv
try sft-describe --max-len 10 train.csv
try sft-describe --memory 1M train.csv
try sft-describe --columns txt train.csv
try sft-describe nothing.csv
printf 'text\na,b\n' | try sft-describe
try sft-describe --rejects r.jsonl train.csv test.csv
