# SPDX-License-Identifier: Apache-2.0
# Perplexity and bits per byte from logged log-probabilities, in three shapes; what is none of them.
printf 'seq,token,logprob\na,The,\na, cat,-1.5\na, sat,-0.5\nb,No,-2\n' >long.csv
printf '{"tokens":[" cat"," sat"],"logprobs":[-1.5,-0.5]}\n{"text":"No","logprobs":[-2]}\n' >wide.jsonl
printf '[null,-1.5,-0.5]\n[-2]\n' >lines
sft-eval perplexity --from logprobs --ci long.csv
sft-eval perplexity --from logprobs --json long.csv
sft-eval perplexity --from logprobs --json wide.jsonl
sft-eval perplexity --from logprob-lines --json --ci --seed 4 lines
printf '["-inf"]\n' | sft-eval perplexity --from logprob-lines --csv
bad() { sft-eval perplexity "$@" 2>&1; echo "exit $?"; }
printf 'seq,logprob\na,-1\nb,-1\na,-1\n' | bad --from logprobs
printf 'seq,logprob\na,0.5\n' | bad --from logprobs
printf 'seq,logprob\na,nan\n' | bad --from logprobs
printf 'seq,logprob\na,\n' | bad --from logprobs
printf 'a,b\n1,2\n' | bad --from logprobs
printf '{"logprobs":7}\n' | bad --from logprobs
printf '[-1,true]\n' | bad --from logprob-lines
printf '[-1\n' | bad --from logprob-lines
: >empty.csv; bad --from logprobs empty.csv
bad --from logprobs -m model long.csv
bad --from logprobs --json --csv long.csv
# What a model gives and what is read back from its log agree.
printf 'hello there, general\nthe card is lost\n' >text
sft-eval perplexity -q -m "$DATA/models/tiny_chat" --dtype f32 --from text --json --token-logprobs logged text >model.json
sft-eval perplexity --from logprob-lines --json logged >back.json
value() { grep -o "\"$2\":[0-9.]*" "$1" | grep -m1 '[0-9]$' | sed 's/.*://'; }
for v in perplexity mean_of_sequence_perplexity nll; do
	awk -v a="$(value model.json $v)" -v b="$(value back.json $v)" -v v=$v 'BEGIN { d = a / b - 1; print v, (d < 1e-9 && d > -1e-9 ? "agrees" : a " is not " b) }'
done
echo "tokens $(value model.json tokens) bytes $(value model.json bytes)"
