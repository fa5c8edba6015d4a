#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokenizers against Hugging Face's and SentencePiece's own: ids of plain text, with special tokens parsed, with what the tokenizer adds,
text from ids, offsets; FUZZ_N random texts for each tokenizer in tests/data and $SHARED, and for its vocabulary
as a GGUF file.

build/tests/tok compares; what it finds different is made small and, with FUZZ_KEEP=1, added to tests/data/tokenizers/fuzz/NAME.jsonl,
which the unit test reads from then on."""
import json, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "common"))
import unitext
from compare import BUILD, DATA, N, ONLY, SEED, SHARED, compare, hf_answers
try:
    import tokenizers
except ImportError:
    print("skip tokenizer_ids: no package tokenizers (PEERS_PYTHON names a Python that has it)")
    sys.exit()


def lacking(path):
    """The bytes that a byte-level vocabulary has no token for.  The reference drops them and forgets that they were there: the offsets of
    what follows in the word are off by them, and are not compared."""
    j = json.loads(path.read_text(encoding="utf-8"))
    if '"ByteLevel"' not in json.dumps(j["pre_tokenizer"]):
        return set()
    of = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    chars = {b: c for text in ["".join(map(chr, range(0x80)))] for b, c in zip(text.encode(), of.pre_tokenize_str(text)[0][0])}
    for lead in [*range(0xc2, 0xe0), *range(0xe0, 0xf0), *range(0xf0, 0xf5)]:
        for tail in range(0x80, 0xc0):
            b = bytes([lead, tail] + [0x80] * (lead >= 0xe0) + [0x80] * (lead >= 0xf0))
            try:
                chars |= dict(zip(b, of.pre_tokenize_str(b.decode())[0][0]))
            except UnicodeDecodeError:
                pass
    return {b for b, c in chars.items() if c not in j["model"]["vocab"]}


def hf_rows(path, plain_only=False):
    """The reference's answers, as a function of texts; special names; tokens as text.  PLAIN_ONLY: no normaliser, nothing added."""
    t = tokenizers.Tokenizer.from_file(str(path))
    if plain_only:
        t.normalizer = tokenizers.normalizers.Sequence([])
    special = [a.content for a in t.get_added_tokens_decoder().values()]
    vocab = t.get_vocab_size()
    return hf_answers(t, plain_only, lacking(path)), special, [s for s in (t.decode([i]) for i in range(0, vocab, max(1, vocab // 3000))) if s]


def spm_open(path):
    import sentencepiece
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def spm_rows(sp):
    def rows(texts):
        out = []
        for x in texts:
            ids = sp.encode(x)
            out.append({"text": x, "ids": ids, "ids_plain": ids, "ids_special": [sp.bos_id(), *ids, sp.eos_id()], "decoded": sp.decode(ids)})
        return out
    return rows, ["<s>", "</s>", "<unk>"], [sp.decode([i]) for i in range(0, sp.vocab_size(), 3)]


def ties(sp, path, rows):
    """Of ROWS those that another division of the text with the same sum of scores makes differ: which one comes first hangs on how a
    version of the library rounds."""
    lines = "".join(json.dumps({"text": r["text"]}) + "\n" for r in rows)
    out = subprocess.run([BUILD / "bin/sft-tokenize", "-q", "-m", path, "--ids", "--from", "jsonl"], input=lines.encode(), capture_output=True).stdout
    score = lambda ids: sum(map(sp.get_score, ids))
    return {i for i, (r, ids) in enumerate(zip(rows, map(json.loads, out.splitlines())))
            if ids != r["ids"] and sp.decode(ids) == r["decoded"] and abs(score(ids) - score(r["ids"])) < 1e-3}


def compare_gguf(name, source, sp, texts):
    """The same vocabulary from a GGUF file, by the rules of llama.cpp: no normaliser; `llama` ones against its rule written in Python."""
    try:
        import gguf_vocab
    except ImportError:
        print(f"skip fuzz {name}.gguf: no package gguf")
        return
    path = pathlib.Path(f"{name}.gguf").absolute()
    if (gguf_vocab.from_spm(sp, path) if sp else gguf_vocab.from_json(source, path)) is None:
        return
    answers = hf_rows(source, True)[0] if sp is None and not gguf_vocab.is_llama(path) else gguf_vocab.llama_rows(path)
    compare(name + ".gguf", path, answers(texts), answers)


def main():
    done = set()
    for root in (DATA / "tokenizers", SHARED / "tokenizers"):
        for d in sorted(root.glob("*")) if root.is_dir() else []:
            path = next(iter([*d.glob("tokenizer.json"), *d.glob("*.model")]), None)
            if path is None or d.name in done or ONLY not in d.name:
                continue
            done.add(d.name)
            try:
                sp = spm_open(path) if path.suffix == ".model" else None
            except ImportError:
                print(f"skip fuzz {d.name}: no package sentencepiece")
                continue
            answers, special, vocab = spm_rows(sp) if sp else hf_rows(path)
            maker = unitext.Texts(f"{SEED} {d.name}", special, vocab)
            texts = [maker.text() for _ in range(N)]
            compare(d.name, path, answers(texts), answers, (lambda rows: ties(sp, path, rows)) if sp else lambda rows: set())
            if d.name != "spm_unigram":        # a kind that GGUF files hold under another name, which llama.cpp alone reads
                compare_gguf(d.name, path, sp, texts[:N // 5])


main()
