# SPDX-License-Identifier: Apache-2.0
# Bad spaces are refused before anything is run.
exec 2>&1
echo '{}' >model
echo '{}' >a.jsonl
good='model: model
data: {a: a.jsonl}
val: a.jsonl
budget: {runs: 2}'
try() { printf '%s\n' "$1" >s.yaml; sft-tune -o out s.yaml; echo "exit $?"; }
try "$good"
try "$good
space: {}"
try "$good
space: {rnak: [2, 4]}"
try "$good
spaec: {rank: [2, 4]}"
try "$good
space: {rank: [0, 4]}"
try "$good
space: {rank: []}"
try "$good
space: {rank: [2, 2]}"
try "$good
space: {lr: {log: [0, 1]}}"
try "$good
space: {lr: {log: [1, 1e-3]}}"
try "$good
space: {lr: {logg: [1e-3, 1]}}"
try "$good
space: {lr: {log: [1e-3, 1], int: [1, 2]}}"
try "$good
space: {rank: {int: [1.5, 4]}}"
try "$good
space: {lr: {linear: [-1, 1]}}"
try "$good
space: {rslora: [yes, no]}"
try "$good
space: {data: [a, b]}"
try "$good
space: {rank: [2, 4]}
train: {rank: 2}"
try "$good
train: {method: full}
space: {rank: [2, 4]}"
try "$good
space: {method: [full, prefix], rank: [2, 4]}"
try "$good
space: {rank: {choices: [2, 4], when: {mehtod: lora}}, method: [lora, full]}"
try "$good
space: {rank: {choices: [2, 4], when: {method: laro}}, method: [lora, full]}"
try "$good
space: {rank: {choices: [2, 4], when: {alpha: 8}}, alpha: {choices: [8, 16], when: {rank: 2}}}"
try "$good
space: &x {rank: [2, 4]}"
try "$good
space: {rank: [!!int 2, 4]}"
try 'model: none
data: {a: a.jsonl}'
try 'model: model
data: {a: b.jsonl}'
try 'model: model
data: {a: {file: a.jsonl, weight: [1, -2]}}
val: a.jsonl
budget: {runs: 2}'
try 'model: model
data: {a: {file: a.jsonl, weight: [1, 0]}}
val: a.jsonl
budget: {runs: 2}'
try 'model: model
data: {a: {file: a.jsonl, weight: 0}}'
try 'model: model
data: {a: {file: a.jsonl, augment: {keybord: 0.1}}}'
try 'model: model
data: {a: a.jsonl}
budget: {runs: 2}'
try "$good
metric: accurasy"
try "$good
search: ahsa"
try "$good
search: asha
space: {rank: [2, 4]}"
try "$good
search: {method: asha, rungs: [9, 3]}"
try "$good
search: {method: asha, rungs: [3, 9]}
space: {epochs: [1, 2]}"
try "$good
search: {method: random, keep: 3}"
try "${good%budget*}
space: {rank: [2, 4]}"
try "${good%budget*}budget: {run: 2}"
try "${good%budget*}budget: {runs: 0}"
try 'model: model
val: a.jsonl'
try 'model: model
budget: {runs: 2}
generate: {temperature: [0, 1]}'
try 'model: model
budget: {runs: 2}
generate: {file: a.jsonl, temperature: [0, -1]}
metric: rougeL'
try 'model: model
budget: {runs: 2}
generate: {file: a.jsonl, temperature: [0, 1]}'
try "$good
space: {rank: [2, 4]}
diversity: {metric: distinct2, weight: 1}"
sft-tune --reindex -o out s.yaml; echo "exit $?"
sft-tune; echo "exit $?"
ls
