# SPDX-License-Identifier: Apache-2.0
# Wrong options, too few records, columns that are not there.
try() { "$@"; echo "exit $?"; }
exec 2>&1
{ echo id,label; for i in $(seq 10); do echo "$i,$((i % 2))"; done; } >in.csv
try sft-split in.csv
try sft-split --stratify label --group id -o d in.csv
try sft-split --group id --key label -o d in.csv
try sft-split --val 1.5 -o d in.csv
try sft-split --val 0.6 --test 0.6 -o d in.csv
try sft-split --val 8 --test 3 -o d in.csv
try sft-split --stratify lable -o d in.csv
try sft-split --val -1 -o d in.csv
try sft-split --val 10 -o all in.csv
wc -l all/*
printf 'id,label\n1,x,y\n' | try sft-split -o d
try sft-split -o in.csv/d in.csv
ls
