# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of a tokenizer.json or a SentencePiece model as a GGUF file, written by the package gguf."""
import heapq
import json
import re

import gguf

NORMAL, UNKNOWN, CONTROL, USER, BYTE = 1, 2, 3, 4, 6
# What a pre-tokenizer of tokenizer.json is called in a GGUF file, by a part of it that no other has.
NAMES = [("\\\\p{N}{1,3}|", "llama-bpe"), ("\\\\p{L}+|\\\\p{N}|", "qwen2"), ("\\u4e00-\\u9fa5", "deepseek-v3"), ("[0-9][0-9][0-9]", "falcon"),
         ('"individual_digits": true}, {"type": "ByteLevel"', "smollm"), ('[{"type": "ByteLevel"', "gpt-2")]


def is_byte(s):
    return len(s) == 6 and s.startswith("<0x") and s.endswith(">")


def tables(path):
    """Tokens, types, scores of a GGUF file."""
    f = gguf.GGUFReader(path).fields
    return tuple(f["tokenizer.ggml." + k].contents() for k in ("tokens", "token_type", "scores"))


def finish(path, model, pre, tokens, types, scores=None, merges=None):
    w = gguf.GGUFWriter(path, "llama")
    w.add_tokenizer_model(model)
    if pre:
        w.add_tokenizer_pre(pre)
    w.add_token_list(tokens)
    w.add_token_types(types)
    if scores:
        w.add_token_scores(scores)
    if merges:
        w.add_token_merges(merges)
    w.add_add_bos_token(False)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.close()
    return path


def from_json(source, path):
    """None: a kind of tokenizer that GGUF has no words for."""
    j = json.load(open(source, encoding="utf-8"))
    model, added = j["model"], {a["id"]: a for a in j["added_tokens"]}
    if model["type"] != "BPE" or any(a["lstrip"] or a["rstrip"] or a["single_word"] for a in added.values()):
        return None
    names = {i: t for t, i in model["vocab"].items()} | {i: a["content"] for i, a in added.items()}
    tokens = [names.get(i, f"[PAD{i}]") for i in range(max(names) + 1)]
    types = [CONTROL if i in added and added[i]["special"] else USER if i in added else NORMAL for i in range(len(tokens))]
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    if model.get("byte_fallback"):             # SentencePiece BPE: the merges stand in the order of scores
        types = [UNKNOWN if t == model["unk_token"] else BYTE if is_byte(t) else k for t, k in zip(tokens, types)]
        rank = {m.replace(" ", ""): -float(i) for i, m in reversed(list(enumerate(merges)))}
        return finish(path, "llama", "default", tokens, types, [rank.get(t, 0.0) for t in tokens])
    pre = next((name for part, name in NAMES if part in json.dumps(j["pre_tokenizer"])), None)
    return finish(path, "gpt2", pre, tokens, types, merges=merges) if pre else None


def from_spm(sp, path):
    kinds = [UNKNOWN if sp.is_unknown(i) else CONTROL if sp.is_control(i) else BYTE if sp.is_byte(i) else NORMAL for i in range(sp.vocab_size())]
    return finish(path, "llama", "default", [sp.id_to_piece(i) for i in range(sp.vocab_size())], kinds, [sp.get_score(i) for i in range(sp.vocab_size())])


def is_llama(path):
    return gguf.GGUFReader(path).fields["tokenizer.ggml.model"].contents() == "llama"


class Llama:
    """Ids of text by the rules of llama.cpp for `llama` vocabularies, written down as they are said: of all pairs of neighbours that are a
    token together the one of the highest score is joined, the leftmost of equal ones; what is no token then becomes its bytes.
    Control, unknown and byte tokens are never made of text."""

    def __init__(self, tokens, types, scores):
        self.tokens, self.types = tokens, types
        self.ids = {t: i for i, t in reversed(list(enumerate(tokens))) if types[i] in (NORMAL, USER)}
        self.score = {t: scores[i] for t, i in self.ids.items()}
        self.byte = {int(t[3:5], 16): i for i, t in enumerate(tokens) if types[i] == BYTE}
        self.named = {t: i for i, t in enumerate(tokens) if types[i] in (UNKNOWN, CONTROL)}

    def plain(self, text):
        sym = list("\u2581" + text.replace(" ", "\u2581")) if text else []
        prev, nxt, heap = list(range(-1, len(sym) - 1)), list(range(1, len(sym) + 1)), []

        def offer(a):
            b = nxt[a] if a >= 0 else len(sym)
            if b < len(sym) and sym[a] + sym[b] in self.ids:
                heapq.heappush(heap, (-self.score[sym[a] + sym[b]], a, sym[a], sym[b]))
        for i in range(len(sym)):
            offer(i)
        while heap:
            _, a, left, right = heapq.heappop(heap)
            b = nxt[a]
            if sym[a] != left or b >= len(sym) or sym[b] != right:
                continue
            sym[a], sym[b], nxt[a] = left + right, None, nxt[b]
            if nxt[b] < len(sym):
                prev[nxt[b]] = a
            offer(prev[a])
            offer(a)
        out = []
        for s in filter(None, sym):
            out += [self.ids[s]] if s in self.ids else [self.byte[b] for b in s.encode()]
        return out

    def parsed(self, text):
        out = []
        for k, part in enumerate(re.split("(" + "|".join(map(re.escape, sorted(self.named, key=len, reverse=True))) + ")", text)):
            out += [self.named[part]] if k % 2 else self.plain(part)
        return out

    def decoded(self, ids):
        raw = b"".join(bytes([int(self.tokens[i][3:5], 16)]) if self.types[i] == BYTE else self.tokens[i].replace("\u2581", " ").encode() for i in ids)
        return raw.decode(errors="replace").removeprefix(" ")


def llama_rows(path):
    ref = Llama(*tables(path))
    return lambda texts: [{"text": x, "ids": (ids := ref.parsed(x)), "ids_plain": ref.plain(x), "ids_special": ids, "decoded": ref.decoded(ids)} for x in texts]
