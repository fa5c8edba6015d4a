# SPDX-License-Identifier: Apache-2.0
# Wrong columns and options; tables of turns; a scratch folder that is not there.
try() { "$@"; echo "exit $?"; }
exec 2>&1
{ echo id,turn; for i in $(seq 40); do echo "$((i / 10)),$i"; done; } >turns.csv
try sft-dedup --key idd turns.csv
try sft-dedup --keep best turns.csv
try sft-dedup --key id --against nothing.csv turns.csv
try sft-dedup --key id turns.csv
try sft-dedup --near text --key id turns.csv
try sft-dedup --near turn --key idd turns.csv
try sft-dedup --memory 1M turns.csv
try sft-dedup --memory lots turns.csv
try sft-dedup --signatures a.sig turns.csv
try sft-dedup --signatures a.sig --near turn -o out.csv turns.csv
try sft-dedup --signatures a.sig --join turns.csv
try sft-dedup --join -o verdicts
try sft-dedup --join turns.csv
try sft-dedup --join --near turn -o verdicts turns.csv
try sft-dedup --join -o verdicts turns.csv
try sft-dedup --drop turns.csv turns.csv
try sft-dedup --drop nothing.drop turns.csv
try sft-dedup --clusters c.csv turns.csv
try sft-dedup --ngram 13 turns.csv
try sft-dedup --near turn --against nothing.csv turns.csv
try sft-dedup --near text turns.csv
try sft-dedup --near turn --id idd --pairs p.csv turns.csv
try sft-dedup -q --near turn --pairs /dev/full turns.csv
ls
{ echo id,turn; for i in $(seq 40); do echo "$((i % 4)),$i"; done; } | try sft-dedup --key id
seq 600000 >numbers
TMPDIR=none try sft-dedup --keep last --no-header numbers
printf 'id\n' | try sft-dedup --key id
