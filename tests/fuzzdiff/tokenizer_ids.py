#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokenizers against Hugging Face's and SentencePiece's own: ids of plain text, with special tokens parsed, with what the tokenizer adds,
text from ids, offsets; FUZZ_N random texts for each tokenizer in tests/data and $SHARED, and for its vocabulary
as a GGUF file.

build/tests/tok compares; what it finds different is made small and, with FUZZ_KEEP=1, added to tests/data/tokenizers/fuzz/NAME.jsonl,
which the unit test reads from then on."""
import collections, json, os, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "common"))
import unitext
try:
    import tokenizers
except ImportError:
    print("skip tokenizer_ids: no package tokenizers (PEERS_PYTHON names a Python that has it)")
    sys.exit()

ROOT, BUILD, DATA, SHARED = (pathlib.Path(os.environ[k]) for k in ("ROOT", "BUILD", "DATA", "SHARED"))
SEED, N, KEEP = (int(os.environ[k]) for k in ("FUZZ_SEED", "FUZZ_N", "FUZZ_KEEP"))
ONLY = os.environ.get("FUZZ_ONLY", "")


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
    lacks = lacking(path)
    if plain_only:
        t.normalizer = tokenizers.normalizers.Sequence([])

    def rows(texts):
        t.encode_special_tokens = False
        ids = t.encode_batch(texts, add_special_tokens=False)
        full = ids if plain_only else t.encode_batch(texts, add_special_tokens=True)
        t.encode_special_tokens = True
        plain = t.encode_batch(texts, add_special_tokens=False)
        t.encode_special_tokens = False
        back = t.decode_batch([e.ids for e in ids], skip_special_tokens=False)
        out = [{"text": x, "ids": a.ids, "ids_plain": p.ids, "ids_special": f.ids, "decoded": d, "offsets": f.offsets}
               for x, a, p, f, d in zip(texts, ids, plain, full, back)]
        for r in out:
            if plain_only or lacks.intersection(r["text"].encode()):
                del r["offsets"]
        return out
    special = [a.content for a in t.get_added_tokens_decoder().values()]
    vocab = t.get_vocab_size()
    return rows, special, [s for s in (t.decode([i]) for i in range(0, vocab, max(1, vocab // 3000))) if s]


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


def differing(name, tokenizer, rows):
    """The rows that build/tests/tok finds different."""
    pathlib.Path("fuzz").mkdir(exist_ok=True)
    with open(f"fuzz/{name}.jsonl", "w", encoding="utf-8", newline="\n") as f:
        for r in rows:
            f.write(json.dumps(r) + "\n")
    r = subprocess.run([BUILD / "tests/tok", name, tokenizer, "fuzz"], capture_output=True, env=os.environ | {"TOK_SHOW": "lines"})
    out = r.stdout.decode(errors="replace").strip()
    if out != f"ok tok_{name}" and not r.stderr:
        return None, out
    found = {}
    for line in r.stderr.decode(errors="replace").splitlines():
        word = line.split()
        if len(word) == 4 and word[0] == "differs":
            found.setdefault(int(word[2]), []).append(word[3])
    return found, out


def keep(name, tokenizer, rows, bad, answers):
    """Small forms of at most 20 of BAD, added to the cases."""
    small = []
    for i in bad[:20]:
        text = unitext.smaller(rows[i]["text"], lambda x: bool(differing(name, tokenizer, answers([x]))[0]), 120)
        small.append(answers([text])[0])
    if KEEP:
        path = DATA / f"tokenizers/fuzz/{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        with open(path, "a", encoding="utf-8", newline="\n") as f:
            for r in small:
                f.write(json.dumps(r) + "\n")
    return small


def compare(name, tokenizer, rows, answers, tied=lambda rows: set()):
    found, out = differing(name, tokenizer, rows)
    if found is None:
        print(f"not ok fuzz {name}: {out}", flush=True)
        return
    at = sorted(found)
    equal = {at[k] for k in tied([rows[i] for i in at])} if at else set()
    found = {i: k for i, k in found.items() if i not in equal}
    if not found:
        size = sum(len(r["text"].encode()) for r in rows) / 1e6
        print(f"ok fuzz {name}: {len(rows)} texts, {size:.1f} MB" + (f", {len(equal)} of them ties" if equal else ""), flush=True)
        return
    small = keep(name, tokenizer, rows, list(found), answers)
    kinds = collections.Counter(w for k in found.values() for w in k)
    print(f"not ok fuzz {name}: {len(found)} of {len(rows)} texts differ {dict(kinds)}; such as {ascii(small[0]['text'])[:200]}", flush=True)


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
