#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tiny_chat/: the weights of llama_gqa_tied with a tokenizer of 320 tokens and a ChatML template, so that the whole
pipeline can run on a model of half a megabyte.  usage: make_tiny_chat.py (writes beside itself)"""
import collections, json, os, shutil

here = os.path.dirname(os.path.abspath(__file__))
out = os.path.join(here, "tiny_chat")
os.makedirs(out, exist_ok=True)

TEXT = """my card has not arrived yet when will it get here can you tell me where it is
i want to change my pin how do i do that please help me with the transfer that failed
the payment was declined why is there a fee on my statement what is the exchange rate
classify the question of the customer answer with the name of the topic and nothing else"""


def byte_chars():
    """The printable stand-in of each byte, as byte-level BPE has it."""
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {}, 0
    for b in range(256):
        if b in keep:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + extra)
            extra += 1
    return table


chars = byte_chars()
tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + [chars[b] for b in range(256)]
words = collections.Counter()
for line in TEXT.split("\n"):
    for i, w in enumerate(line.split(" ")):
        words[tuple(chars[b] for b in ((" " if i else "") + w).encode())] += 1
merges = []
while len(tokens) < 320:
    pairs = collections.Counter()
    for w, n in words.items():
        for a, b in zip(w, w[1:]):
            pairs[a, b] += n
    (a, b), _ = max(pairs.items(), key=lambda x: (x[1], x[0]))
    merges.append([a, b])
    tokens.append(a + b)
    merged = collections.Counter()
    for w, n in words.items():
        v, i = [], 0
        while i < len(w):
            if i + 1 < len(w) and (w[i], w[i + 1]) == (a, b):
                v.append(a + b)
                i += 2
            else:
                v.append(w[i])
                i += 1
        merged[tuple(v)] += n
    words = merged

added = [{"id": i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i, t in enumerate(tokens[:3])]
json.dump({"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
           "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
           "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
           "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                     "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                     "vocab": {t: i for i, t in enumerate(tokens)}, "merges": merges}},
          open(os.path.join(out, "tokenizer.json"), "w", encoding="utf-8"), ensure_ascii=False, indent=1)
TEMPLATE = ("{% for m in messages %}{{ '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
json.dump({"bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "chat_template": TEMPLATE},
          open(os.path.join(out, "tokenizer_config.json"), "w"), indent=1)
json.dump({"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}, open(os.path.join(out, "generation_config.json"), "w"), indent=1)
shutil.copy(os.path.join(here, "llama_gqa_tied", "config.json"), out)
link = os.path.join(out, "model.safetensors")
if not os.path.lexists(link):
    os.symlink("../llama_gqa_tied/model.safetensors", link)
