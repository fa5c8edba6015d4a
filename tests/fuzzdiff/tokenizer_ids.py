#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokenizers against Hugging Face's and SentencePiece's own: ids of plain text, with special tokens parsed, with what the tokenizer adds,
text from ids, offsets; FUZZ_N random texts for each tokenizer in tests/data and $SHARED.

build/tests/tok compares; what it finds different is made small and, with FUZZ_KEEP=1, added to tests/data/tokenizers/fuzz/NAME.jsonl,
which the unit test reads from then on."""
import json, os, pathlib, subprocess, sys

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


def hf_rows(path):
    """The reference's answers, as a function of texts; special names; tokens as text."""
    t = tokenizers.Tokenizer.from_file(str(path))

    def rows(texts):
        t.encode_special_tokens = False
        ids, full = t.encode_batch(texts, add_special_tokens=False), t.encode_batch(texts, add_special_tokens=True)
        t.encode_special_tokens = True
        plain = t.encode_batch(texts, add_special_tokens=False)
        t.encode_special_tokens = False
        back = t.decode_batch([e.ids for e in ids], skip_special_tokens=False)
        return [{"text": x, "ids": a.ids, "ids_plain": p.ids, "ids_special": f.ids, "decoded": d, "offsets": f.offsets}
                for x, a, p, f, d in zip(texts, ids, plain, full, back)]
    special = [a.content for a in t.get_added_tokens_decoder().values()]
    vocab = t.get_vocab_size()
    return rows, special, [s for s in (t.decode([i]) for i in range(0, vocab, max(1, vocab // 3000))) if s]


def spm_rows(path):
    import sentencepiece
    sp = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def rows(texts):
        out = []
        for x in texts:
            ids = sp.encode(x)
            out.append({"text": x, "ids": ids, "ids_plain": ids, "ids_special": [sp.bos_id(), *ids, sp.eos_id()], "decoded": sp.decode(ids)})
        return out
    return rows, ["<s>", "</s>", "<unk>"], [sp.decode([i]) for i in range(0, sp.vocab_size(), 3)]


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


def compare(name, tokenizer, rows, answers):
    found, out = differing(name, tokenizer, rows)
    if found is None:
        print(f"not ok fuzz {name}: {out}", flush=True)
    elif not found:
        print(f"ok fuzz {name}: {len(rows)} texts, {sum(len(r['text'].encode()) for r in rows) / 1e6:.1f} MB", flush=True)
    else:
        small = keep(name, tokenizer, rows, list(found), answers)
        kinds = {}
        for k in found.values():
            for w in k:
                kinds[w] = kinds.get(w, 0) + 1
        print(f"not ok fuzz {name}: {len(found)} of {len(rows)} texts differ {kinds}; such as {ascii(small[0]['text'])[:200]}", flush=True)


def main():
    done = set()
    for root in (DATA / "tokenizers", SHARED / "tokenizers"):
        for d in sorted(root.glob("*")) if root.is_dir() else []:
            path = next(iter([*d.glob("tokenizer.json"), *d.glob("*.model")]), None)
            if path is None or d.name in done or ONLY not in d.name:
                continue
            done.add(d.name)
            spm = path.suffix == ".model"
            try:
                answers, special, vocab = spm_rows(path) if spm else hf_rows(path)
            except ImportError:
                print(f"skip fuzz {d.name}: no package sentencepiece")
                continue
            texts = unitext.Texts(f"{SEED} {d.name}", special, vocab)
            rows = answers([texts.text() for _ in range(N)])
            compare(d.name, path, rows, answers)


main()
