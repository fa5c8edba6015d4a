#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes unitab.c, the Unicode tables of the tokenizers:  python3 unigen.py > unitab.c

Needs from PyPI: unicodedata2==16.0.0, fonttools==4.58.0 (scripts of Unicode 16), tokenizers==0.23.3.

The categories are those of Unicode 16, which is what the reference's pattern engine has.  Other parts of the reference carry
older or newer tables (punctuation and accents of the BERT steps, normalisation, lower case, digits); those sets are taken by
asking the reference about every code point, so that the tables are its tables."""
import sys
import unicodedata2 as ucd
from fontTools import unicodedata as scripts
from tokenizers import Regex, normalizers as N, pre_tokenizers as P

assert ucd.unidata_version == "16.0.0"
CATS = "Cn Cc Cf Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split()
SPACE, WORD, NFCQ = 0x20, 0x40, 0x80
cps = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def split3(pre):
    return {c for c in cps if len(pre.pre_tokenize_str("a" + chr(c) + "b")) == 3}


def matches(pattern):
    pre = P.Split(Regex(pattern), "removed")
    return {c for c in cps if not pre.pre_tokenize_str(chr(c))}


def emptied(norm):
    return {c for c in cps if norm.normalize_str(chr(c)) == ""}


def ranges(cs):
    out = []
    for c in sorted(cs):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def rows(items, per):
    for i in range(0, len(items), per):
        print("\t" + " ".join(x + "," for x in items[i:i + per]))


def table(kind, name, items, per):
    print(f"\nconst {kind} {name}[{len(items)}] = {{")
    rows(items, per)
    print("};")


def put_set(name, cs):
    r = ranges(cs)
    table("struct uni_range", f"{name}", [f"{{0x{a:X},0x{b:X}}}" for a, b in r], 8)
    print(f"const unsigned {name}_n = {len(r)};")


# --- normalisation, as the reference does it ---
nfc, nfd, nfkd = N.NFC().normalize_str, N.NFD().normalize_str, N.NFKD().normalize_str
hangul = range(0xAC00, 0xD7A4)


def known_ccc(c):
    k = ucd.combining(chr(c))
    if k == 0:
        return 0
    other, first = ("\u0316", True) if k == 1 else ("\u0334", False)
    got = nfd("a" + (other + chr(c) if first else chr(c) + other))
    want = "a" + (chr(c) + other if first else other + chr(c))
    return k if got == want else 0


ccc = {c: k for c in cps if (k := known_ccc(c))}
decomp, compat, compose, second = {}, {}, {}, set()
for c in cps:
    if c in hangul:
        continue
    d, k = nfd(chr(c)), nfkd(chr(c))
    if d != chr(c):
        decomp[c] = d
        first = nfc(d[:-1])
        if nfc(d) == chr(c) and len(d) > 1 and len(first) == 1:
            compose[(ord(first), ord(d[-1]))] = c
            second.add(ord(d[-1]))
    if k != d:
        compat[c] = k
second |= set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
quick = {c for c in cps if c in ccc or c in second or nfc(chr(c)) != chr(c)}

# --- classes ---
word = matches(r"\w")
space = matches(r"\s")
cat = {c: CATS.index(ucd.category(chr(c))) for c in cps}
for letter in "LNPSM":
    assert matches(r"\p{%s}" % letter) == {c for c in cps if ucd.category(chr(c))[0] == letter}, letter
value = [CATS.index("Cs")] * 0x110000
for c in cps:
    value[c] = cat[c] | (SPACE if c in space else 0) | (WORD if c in word else 0) | (NFCQ if c in quick else 0)
blocks, stage1 = {}, []
for b in range(0, 0x110000, 256):
    stage1.append(blocks.setdefault(tuple(value[b:b + 256]), len(blocks)))

bert = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
lower = {c: l for c in cps if (l := N.Lowercase().normalize_str(chr(c))) != chr(c)}
simple = {c: ord(l) for c, l in lower.items() if len(l) == 1}
assert {c: l for c, l in lower.items() if len(l) > 1} == {0x130: "i\u0307"}


# --- scripts, as the UnicodeScripts pre-tokenizer sees them: numbers of groups that stay together; 0 goes with every group ---
def script_groups():
    pre = P.UnicodeScripts()
    apart = lambda a, b: len(pre.pre_tokenize_str(chr(a) + chr(b))) == 2
    reps, group, by_name = [None], {}, {}
    for c in cps:
        if not pre.pre_tokenize_str(chr(c)):
            group[c] = 0
            continue
        near = by_name.setdefault(scripts.script(chr(c)), [])
        g = next((g for g in near if not apart(reps[g], c)), None)
        if g is None:
            g = next((g for g in range(1, len(reps)) if not apart(reps[g], c)), None)
            if g is None:
                g = len(reps)
                reps.append(c)
            near.append(g)
        group[c] = g
    return group


def put_scripts():
    out, last = [], None
    for c in range(0x110000):
        g = groups.get(c, last)
        if g != last:
            out.append((c, g))
            last = g
    table("struct uni_start", "uni_script_group", [f"{{0x{c:X},{g}}}" for c, g in out], 9)
    print(f"const unsigned uni_script_group_n = {len(out)};")


print("/* SPDX-License-Identifier: Apache-2.0 AND Unicode-3.0 */")
print("/* Generated by unigen.py from unicodedata2 16.0.0, fonttools 4.58.0 and tokenizers 0.23.3; not to be edited. */")
print('#include "unitab.h"')
table("uint8_t", "uni_stage1", [str(x) for x in stage1], 32)
print(f"\nconst uint8_t uni_stage2[{len(blocks)}][256] = {{")
for b in blocks:
    print("\t{")
    rows([str(x) for x in b], 32)
    print("\t},")
print("};")
text, at = [], {}
for s in list(decomp.values()) + list(compat.values()):
    if s not in at:
        at[s] = len(text)
        text += [ord(x) for x in s]
table("uint32_t", "uni_decomp_text", [f"0x{x:X}" for x in text], 12)
for name, d in (("uni_decomp", decomp), ("uni_compat", compat)):
    table("struct uni_map", name, [f"{{0x{c:X},{at[s]},{len(s)}}}" for c, s in sorted(d.items())], 8)
    print(f"const unsigned {name}_n = {len(d)};")
table("struct uni_pair", "uni_compose", [f"{{0x{a:X},0x{b:X},0x{c:X}}}" for (a, b), c in sorted(compose.items())], 6)
print(f"const unsigned uni_compose_n = {len(compose)};")
runs, last = [], None
for c in sorted(ccc):
    if last and last[1] == c - 1 and last[2] == ccc[c]:
        last[1] = c
    else:
        last = [c, c, ccc[c]]
        runs.append(last)
table("struct uni_ccc", "uni_ccc_runs", [f"{{0x{a:X},0x{b:X},{k}}}" for a, b, k in runs], 7)
print(f"const unsigned uni_ccc_n = {len(runs)};")
table("struct uni_range", "uni_lower", [f"{{0x{c:X},0x{l:X}}}" for c, l in sorted(simple.items())], 8)
print(f"const unsigned uni_lower_n = {len(simple)};")
put_set("uni_punct", split3(P.Punctuation()))
put_set("uni_digit", split3(P.Digits(individual_digits=True)))
put_set("uni_accent", emptied(N.StripAccents()))
put_set("uni_bert_accent", emptied(N.BertNormalizer(**{**bert, "strip_accents": True})))
put_set("uni_bert_control", emptied(N.BertNormalizer(**{**bert, "clean_text": True})))
groups = script_groups()
put_scripts()
put_set("uni_han", matches(r"\p{Han}"))
assert split3(P.Punctuation()) == split3(P.BertPreTokenizer())
