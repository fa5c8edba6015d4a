# SPDX-License-Identifier: Apache-2.0
# ids of text and back; special tokens as text, parsed, added, left out
M=$DATA/tokenizers/mini_bert_wordpiece
printf 'the time\n[MASK] the\n' | sft tokenize -m "$M" --ids --from text
printf 'the time\n[MASK] the\n' | sft tokenize -m "$M" --ids --from text --parse-special --add-special >ids
cat ids
sed 's/.*/{"ids":&}/' ids | sft tokenize -m "$M" --decode
sed 's/.*/{"ids":&}/' ids | sft tokenize -m "$M" --decode --skip-special
printf 'the time\n' | sft tokenize -m "$M" --show --from text
echo '{"ids":[99999999]}' | sft tokenize -m "$M" --decode; echo "exit $?"
echo '{"ids":[1,"2"]}' | sft tokenize -m "$M" --decode; echo "exit $?"
echo '{"text":7}' | sft tokenize -m "$M" --ids; echo "exit $?"
sft tokenize -m "$M" --ids --decode /dev/null; echo "exit $?"
sft tokenize --ids /dev/null; echo "exit $?"
sft tokenize -m nowhere --ids /dev/null; echo "exit $?"
echo '{' >tokenizer.json; sft tokenize -m tokenizer.json --ids /dev/null 2>/dev/null; echo "exit $?"
