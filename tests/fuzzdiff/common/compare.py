# SPDX-License-Identifier: Apache-2.0
"""Our tokenizers against the answers of a reference: build/tests/tok compares them; what differs is made small and may be kept."""
import collections, json, os, pathlib, subprocess

import unitext

BUILD, DATA, SHARED = (pathlib.Path(os.environ[k]) for k in ("BUILD", "DATA", "SHARED"))
SEED, N, KEEP = (int(os.environ[k]) for k in ("FUZZ_SEED", "FUZZ_N", "FUZZ_KEEP"))
ONLY = os.environ.get("FUZZ_ONLY", "")


def hf_answers(t, plain_only=False, lacks=frozenset()):
    """What the tokenizers.Tokenizer T makes of texts.  PLAIN_ONLY: nothing is added, offsets are not looked at.  Offsets of texts with
    bytes of LACKS are not looked at either."""
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
    return rows


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
