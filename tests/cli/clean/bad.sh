# SPDX-License-Identifier: Apache-2.0
# What is wrong with options and input is said in one line, with the exit status of its kind.
try() { "$@"; echo "exit $?"; }
printf 'id,text\n1,a\n' >good.csv
printf 'id,text\n1,a\n2\n3,c\n' >ragged.csv
printf 'id,text\n1,a\n2,"b\n' >open.csv
printf 'id,text\n1,\xff\xfe\n2,b\n' >bytes.csv
: >empty.csv
exec 2>&1
try sft-clean --lower txt good.csv
try sft-clean --select id,nothing good.csv
try sft-clean --lowr text good.csv
try sft-clean --keep 'text:/(/' good.csv
try sft-clean --normalize nfd good.csv
try sft-clean --replace text good.csv
try sft-clean ragged.csv
try sft-clean --on-bad skip ragged.csv
try sft-clean --encoding UTF-8 bytes.csv
try sft-clean open.csv
try sft-clean empty.csv
try sft-clean missing.csv
try sft-clean --drop 'text:/(a+)+$/' --on-bad stop - <<X
text
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!
X
try sft-clean -o /dev/full good.csv
sft-clean good.csv >/dev/full; echo "exit $?"
