# SPDX-License-Identifier: Apache-2.0
# SentencePiece models of each kind; damaged ones are refused in one line
S=$ROOT/tests/fuzz/seeds/fuzz_spm
for m in unigram bpe_bytes char; do
	cp "$S/$m" $m.model
	echo 'Hello w aa 你好 12' | sft tokenize -m $m.model --ids --from text
	echo '</s>?你好' | sft tokenize -m $m.model --ids --from text | sed 's/.*/{"ids":&}/' | sft tokenize -m $m.model --decode
done
cp "$S/empty_piece" empty_piece.model
head -c 200 "$S/unigram" >cut.model
: >none.model
for m in empty_piece cut none; do
	echo x | sft tokenize -m $m.model --ids --from text 2>err; echo "exit $? $(wc -l <err) $(cut -c1-30 err)"
done
