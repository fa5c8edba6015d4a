#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pre-tokenizers that GGUF files name, against Hugging Face's splits by the patterns that llama.cpp has for the name: one vocabulary of
tests/data, FUZZ_N / 20 random texts for each kind of name."""
import json, os, pathlib, sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "common"))
import compare, unitext
try:
    import gguf_vocab
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers as pre
except ImportError as e:
    print(f"skip gguf_pretokenizers: no package {e.name} (PEERS_PYTHON names a Python that has it)")
    sys.exit()

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
END = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SAID = r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
UP, LOW = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
CASED = r"[^\r\n\p{L}\p{N}]?" + UP + "*" + LOW + "+%s|" + r"[^\r\n\p{L}\p{N}]?" + UP + "+" + LOW + "*%s|%s" + END.replace(r"[\r\n]*", r"[\r\n/]*")
BLOOM = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"
KINDS = {               # name: patterns, whole words of the vocabulary first
    "default": ([r"[\p{P}\$\+<=>\^~\|]+", GPT2, r"\p{N}+", "[0-9][0-9][0-9]"], False),
    "gpt-2": ([GPT2], False),
    "smollm": ([r"\p{N}", GPT2], False),
    "llama-bpe": ([SAID + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + END], True),
    "glm4": ([SAID + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + END], False),
    "qwen2": ([SAID + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + END], False),
    "qwen35": ([SAID + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}" + END.replace(r"\p{L}\p{N}", r"\p{L}\p{M}\p{N}")], False),
    "gpt-4o": ([CASED % (SAID + "?", SAID + "?", r"\p{N}{1,3}")], False),
    "tekken": ([CASED % ("", "", r"\p{N}")], True),
    "deepseek-v3": ([r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
                     "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"], False),
    "deepseek-coder": (["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", r"\p{N}"], False),
    "falcon": ([r"[\p{P}\$\+<=>\^~\|`]+", GPT2, "[0-9][0-9][0-9]"], False),
    "bloom": ([BLOOM], False),
    "viking": ([BLOOM, r"\p{N}"], False),
}


def main():
    model = json.loads((compare.DATA / "tokenizers/mini_falcon_like/tokenizer.json").read_text(encoding="utf-8"))["model"]
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in model["merges"]]
    names = {i: t for t, i in model["vocab"].items()}
    tokens = [names.get(i, f"[PAD{i}]") for i in range(max(names) + 1)]
    # a word that no merges make, for those that look whole words up first
    tokens += ["\u0120zqxj", "Zqxj"]
    model["vocab"] |= {t: i for i, t in enumerate(tokens) if t not in model["vocab"]}
    for name, (patterns, whole) in KINDS.items():
        path = pathlib.Path(name + ".gguf").absolute()
        gguf_vocab.finish(path, "gpt2", name, tokens, [1] * len(tokens), merges=[" ".join(m) for m in merges])
        t = Tokenizer(models.BPE(vocab=model["vocab"], merges=merges, ignore_merges=whole))
        t.pre_tokenizer = pre.Sequence([*(pre.Split(Regex(p), "isolated") for p in patterns), pre.ByteLevel(add_prefix_space=False, use_regex=False)])
        t.decoder = decoders.ByteLevel()
        maker = unitext.Texts(f"{compare.SEED} {name}", (), [" zqxj", "Zqxj", " zqxj's", "123456"])
        answers = compare.hf_answers(t, plain_only=True)
        compare.compare("gguf_" + name, path, answers([maker.text() for _ in range(compare.N // 20)]), answers)


main()
