# SPDX-License-Identifier: Apache-2.0
# Wrong options, columns and dictionaries.
try() { "$@"; echo "exit $?"; }
exec 2>&1
printf 'id,text\n1,x 2\n' >in.csv
printf 'a\tx\nb\tx\n' >two.tsv
try sft-augment in.csv
try sft-augment --columns text in.csv
try sft-augment --columns txt --numbers in.csv
try sft-augment --columns text --numbers --copies 0 in.csv
try sft-augment --columns text --keyboard 2 in.csv
try sft-augment --columns text --numbers --held-out in.csv in.csv
try sft-augment --columns text --numbers --group id in.csv
try sft-augment --columns text --numbers --group patient --held-out in.csv in.csv
try sft-augment --columns text --numbers --group id --held-out not-there in.csv
try sft-augment --columns text --numbers --only train in.csv
try sft-augment --columns text --numbers --only split=train in.csv
try sft-augment --columns text --numbers --rate 1 --id key in.csv
try sft-augment --columns text --synonyms two.tsv in.csv
try sft-augment --columns text --synonyms not-there in.csv
printf 'id,text\n1\n' >ragged.csv
try sft-augment --columns text --numbers -o out.csv ragged.csv
ls
