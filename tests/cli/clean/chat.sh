# SPDX-License-Identifier: Apache-2.0
# Steps on the messages of chat records: all of them or those of a role, nothing else in them changed by a byte.
cat >chat.jsonl <<'X'
{"id":"1","messages":[{"role":"system","content":"Be  KIND"},{"role":"user","content":"My fever &amp; PAIN"},{"role":"assistant","content":"Take \"rest\", ok?","tool_calls":[{"A":"B &lt;"}]}],"n":5}
{"id":"2","messages": [ {"role":"user","content":"Is it the flu?\n\u00e9"} , {"content":null, "role":"assistant", "x":1.50} ],"n":[{"a":"HTML &gt;"}]}
{"id":"3","messages":[],"n":null}
X
run() { echo "# $*"; "$@" chat.jsonl 2>&1; }
run sft-clean --lower all
run sft-clean --lower messages:user --strip-html
run sft-clean --columns messages:assistant --squeeze-space --min-chars 8
run sft-clean --replace 'messages:/(\w+)\?/$1!/'
run sft-clean --keep 'messages:user:/fever/'
run sft-clean --drop 'n:/5/'
run sft-clean --columns messages --max-special 0.05
run sft-clean --lower message
run sft-clean --select messages:user
printf 'fever\tpain|flu\tsymptom\n' >d.tsv
run sft-terms replace --dict d.tsv --columns messages:user
run sft-terms count --dict d.tsv --columns all
run sft-terms check --dict d.tsv --question messages --answer messages
run sft-augment --columns messages --case --only-new
