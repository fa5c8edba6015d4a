# SPDX-License-Identifier: Apache-2.0
# Wrong options and bad input: one line each, and the exit status.
try() { "$@"; echo "exit $?"; }
exec 2>&1
printf 'a\nb\n' >two; printf 'a\nb\nc\n' >three; : >empty; printf 'a\n\377\n' >latin
printf '{"id":1,"prediction":"x","reference":"x"}\n{"id":2,"prediction":null,"reference":"y"}\n' >null.jsonl
printf '{"prediction":"x","refrence":"x"}\n' >typo.jsonl
printf '{"prediction":"x","reference":[]}\n' >none.jsonl
printf 'id,prediction,reference\n1,x,x\n2,x\n' >ragged.csv
printf 'id,prediction,reference\n1,x,x\n1,y,y\n' >twice.csv
printf 'id,prediction,reference\n1,x,x\n' >one.csv
printf 'id,prediction,reference\n1,x,z\n' >other.csv
try sft-eval
try sft-eval blue two
try sft-eval bleu bleu one.csv
try sft-eval bleu --hyp two
try sft-eval bleu --hyp two --ref three
try sft-eval bleu --hyp three --ref two
try sft-eval bleu --hyp empty --ref empty
try sft-eval bleu --hyp latin --ref two
try sft-eval bleu --hyp nowhere --ref two
try sft-eval bleu --hyp two --ref two --by slice
try sft-eval bleu --tokenize 14a --hyp two --ref two
try sft-eval bleu --smooth-value 1 --hyp two --ref two
try sft-eval rouge --rouge-types rouge1,rogue2 one.csv
try sft-eval rouge --stemmer --rouge-tokenizer char one.csv
try sft-eval accuracy --match fuzzy one.csv
try sft-eval accuracy --match 'regex:(' one.csv
try sft-eval accuracy null.jsonl
try sft-eval accuracy --on-bad skip --json null.jsonl | cut -c1-60
try sft-eval accuracy typo.jsonl
try sft-eval accuracy none.jsonl
try sft-eval accuracy ragged.csv
try sft-eval accuracy empty
try sft-eval accuracy --by slice one.csv
try sft-eval accuracy --fail-under acuracy=1 one.csv
try sft-eval accuracy --fail-under accuracy one.csv
try sft-eval accuracy --categories empty one.csv
try sft-eval compare one.csv
try sft-eval compare twice.csv one.csv
try sft-eval compare one.csv other.csv
try sft-eval compare one.csv twice.csv
try sft-eval compare --metric accuracy,blue one.csv one.csv
printf '{"prediction":"x","reference":"x","scores":{"x":-1,"y":null}}\n' >null-score.jsonl
printf '{"prediction":"x","reference":"x","scores":{}}\n' >no-score.jsonl
try sft-eval calibration one.csv
try sft-eval calibration null-score.jsonl
try sft-eval calibration no-score.jsonl
try sft-eval calibration --hyp two --ref two
printf '{"prediction":["x"],"reference":"x"}\n' >list-answer.jsonl
printf '{"prediction":"x","reference":{"x":1}}\n' >object.jsonl
printf '{"prediction":"x","reference":["x",["y"]]}\n' >nested.jsonl
try sft-eval accuracy list-answer.jsonl
try sft-eval bleu object.jsonl
try sft-eval rouge nested.jsonl
