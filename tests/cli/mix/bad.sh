# SPDX-License-Identifier: Apache-2.0
# Wrong options, weights, files and error files: one line each, and no output.
try() { "$@"; echo "exit $?"; }
exec 2>&1
printf 'id\n1\n' >a.csv; printf 'id,x\n1,2\n' >b.csv; printf 'id\n' >none.csv
try sft-mix
try sft-mix a.csv:0
try sft-mix a.csv:-1
try sft-mix a.csv:inf
try sft-mix a.csv:1 a.csv:2
try sft-mix --total 0 a.csv
try sft-mix --order sorted a.csv
try sft-mix not-there:2
try sft-mix a.csv:x
try sft-mix a.csv b.csv
try sft-mix --total 4 --order sequential --union a.csv b.csv
try sft-mix --total 2 a.csv none.csv
weak() { echo "$1" >e.json; try sft-mix --weak e.json a.csv; }
weak '{}'
weak '{"slices":[]}'
weak '{"slices":[{"slice":"s","n":1}]}'
weak '{"slices":[{"slice":"s","n":1,"error_rate":2}]}'
weak '{"slices":[{"slice":"s","n":1,"error_rate":0.5},{"slice":"s","n":1,"error_rate":0.5}]}'
weak '{"slices":[{"slice":1,"n":1,"error_rate":0.5}]}'
weak '{"slices":[{"slice":"s","n":1,"error_rate":0.5}]}'
weak '{"slices":['
printf 'id\n1\n1,2\n' >ragged.csv
try sft-mix -o out.csv ragged.csv
try sft-mix --on-bad skip -q --total 2 -o out.csv ragged.csv
cat out.csv
