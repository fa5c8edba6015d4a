# SPDX-License-Identifier: Apache-2.0
# tests/cli/prompt/columns.sh - task, input and output columns; what else is in the record travels along
cat >a.csv <<'EOF'
id,text,label,channel
1,lost my card,card_lost,app
2,"how do I
top up?",top_up,web
EOF
printf 'Classify the question.\n' >task.txt
sft-prompt --task @task.txt --input text --output label --slice label a.csv
echo "-- no answer, and a system message of its own"
sft-prompt --system 'Be brief.' --task 'Classify.' --input text a.csv
echo "-- numbers and a pipe"
printf '{"q":"two?","a":2,"n":null,"w":1.50}\n' | sft-prompt --input q --output a
