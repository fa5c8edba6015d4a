# SPDX-License-Identifier: Apache-2.0
# Bad recipes are refused before anything is run.
exec 2>&1
printf 'text,label\na,b\n' >a.csv
echo '{}' >model
good='model: model
data: {a: {file: a.csv, steps: [{split: {val: 1}}, {prompt: {input: text, output: label}}]}}'
try() { printf '%s\n' "$1" >r.yaml; sft-run -o out r.yaml; echo "exit $?"; }
try 'data: {a: {file: a.csv}}'
try 'model: none
data: {a: {file: a.csv}}'
try 'model: model'
try 'model: model
data: {a: {file: b.csv}}'
try 'model: model
data: {a: {file: a.csv, weight: -1}}'
try 'model: model
data: {a: {file: a.csv, wieght: 1}}'
try 'model: model
data: {../a: {file: a.csv}}'
try 'model: model
data: {a: {file: a.csv, steps: [{claen: {}}]}}'
try 'model: model
data: {a: {file: a.csv, steps: [{clean: {drop-nul: text}}]}}'
try 'model: model
data: {a: {file: a.csv, steps: [{clean: {squeeze-space: text}}]}}'
try 'model: model
data: {a: {file: a.csv, steps: [{prompt: {task: "@no.txt"}}]}}'
try 'model: model
data: {a: {file: a.csv, steps: [{split: {}}, {split: {}}]}}'
try "$good
stges: {}"
try "$good
train: {lr: 1e-3, ouput: x}"
try "$good
train: {model: x}"
try "$good
stages: {a: {from: b}, b: {from: a}}"
try "$good
stages: {a: {}, b: {from: c}}"
try "$good
stages: {one: {data: [aa]}}"
try "$good
stages: {one: {data: {a: 0}}}"
try "$good
stages: {one: {train: {method: prefix}}, two: {train: {method: full}}}"
try "$good
eval: {}"
try "$good
train: &x {}"
try 'model: model
data: {a: {file: a.csv}}
eval: {metrics: accuracy}'
try '- a'
sft-run; echo "exit $?"
sft-run --new a.csv; echo "exit $?"
sft-run --new a.csv -m model; echo "exit $?"
ls
