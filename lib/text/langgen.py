#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes langtab.c, what lang.c knows of languages:  python3 lib/text/langgen.py FOLDER > lib/text/langtab.c

FOLDER holds what this leaves there (the licences are in NOTICE):
    pip download --no-deps -d FOLDER langdetect==1.0.9 Django==4.2.16 Sphinx==7.4.7 django-allauth==65.3.0 stopwordsiso==0.7.1

A feature is a pair or triple of characters of a word, with the blank before and behind it, or a whole word ("<" and the word).  Pairs and
triples are counted in langdetect's profiles (Wikipedia) and in the translations of the programs' messages, words in these and in lists of
stop words.  For each language the features that tell most are kept."""
import collections, json, math, pathlib, re, sys, tarfile, unicodedata, zipfile

FLOOR = 3e-5                    # what a feature that a language lacks counts for
STEP = 0.25                     # of the weights, in nats
KEEP = 300, 200                 # pairs and triples, and words, for each language
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
GROUPS = {
    "LATIN": "af ca cs cy da de en es et fi fr hr hu id it lt lv nl no pl pt ro sk sl so sq sv sw tl tr vi".split(),
    "CYRILLIC": "bg mk ru uk".split(), "ARABIC": "ar fa ur".split(), "DEVANAGARI": "hi mr ne".split(),
}
SAME = {"nb": "no", "nn": "no"}
RARE = {"cy": -40}              # whose profile was counted another way: its prior


def files(folder):
    """(name, bytes) of the files in the archives."""
    for path in sorted(pathlib.Path(folder).iterdir()):
        if path.name.endswith(".whl"):
            with zipfile.ZipFile(path) as z:
                yield from ((f"{path.name}/{n}", z.read(n)) for n in z.namelist())
        elif path.name.endswith(".tar.gz"):
            with tarfile.open(path) as t:
                yield from ((f"{path.name}/{m.name}", t.extractfile(m).read()) for m in t if m.isfile())


def sentences(po):
    """Translated messages, with the originals; what is no language is taken out."""
    for m in re.finditer(r'^msgid ((?:"[^\n]*"\n)+)msgstr ((?:"[^\n]*"\n)+)', po, re.M):
        pair = []
        for text in m.groups():
            text = "".join(x[1:-1] for x in text.strip().split("\n")).replace("\\n", " ").replace('\\"', '"')
            text = re.sub(r"%\([^)]*\)[a-z]|\{[^}]*\}|<[^>]*>|%[a-z]|&\w+;|https?:\S+|[\w/]+\.\w+|\\\S", " ", text)
            pair.append(" ".join(text.split()))
        if pair[0] and pair[1] and pair[0] != pair[1]:
            yield pair


def letter(c):
    return (c.isalnum() or unicodedata.category(c)[0] == "M") and c not in "0123456789"


def words(text):
    return "".join(c if letter(c) else " " for c in text.lower()).split()


def grams(word):
    word = f" {word} "
    return [word[i:i + n] for n in (2, 3) for i in range(len(word) - n + 1)]


def learn(folder):
    profile, stop, text = {}, {}, collections.defaultdict(set)
    for name, data in files(folder):
        if m := re.search(r"langdetect/profiles/([\w-]+)$", name):
            profile[m[1]] = json.loads(data)
        elif name.endswith("stopwords-iso.json"):
            stop = json.loads(data)
        elif name.endswith(".po") and (m := re.search(r"/locales?/([A-Za-z]+)", name)):
            for a, b in sentences(data.decode()):
                text["en"].add(a)
                text[SAME.get(m[1], m[1])].add(b)
    return profile, stop, text


def weights(language, profile, stop, text):
    """Feature -> share."""
    w = collections.Counter()
    for g, n in profile["freq"].items():
        if len(g) > 1:
            w[g.lower()] += n / profile["n_words"][len(g) - 1]
    said = [x for t in text for x in words(t)]
    count = collections.Counter(g for x in said for g in grams(x))
    total = {n: sum(v for g, v in count.items() if len(g) == n) for n in (2, 3)}
    for g, n in count.items():
        if n >= 3:
            w[g] += 0.5 * n / total[len(g)]
    for x, n in collections.Counter(said).items():
        if n >= 3:
            w["<" + x] = n / len(said)
    for x in stop:
        if words(x) == [x]:
            w["<" + x] = max(w["<" + x], 8e-4)
    return w


def telling(language, w):
    """The features of LANGUAGE that say most for it against the mean of the others."""
    score = {}
    for g, p in w[language].items():
        others = sum(x.get(g, 0) for k, x in w.items() if k != language) / max(1, len(w) - 1)
        score[g] = p * math.log((p + 1e-5) / (others + 1e-5) + 1)
    best = sorted(score, key=lambda g: (-score[g], g))
    return [g for g in best if g[0] != "<"][:KEEP[0]] + [g for g in best if g[0] == "<"][:KEEP[1]]


def main():
    profile, stop, text = learn(sys.argv[1])
    languages, rows = [], {}
    for group, names in GROUPS.items():
        w = {x: weights(x, profile[x], stop.get(x, []), sorted(text.get(x, ()))) for x in names}
        for g in sorted({g for x in names for g in telling(x, w)}):
            entries = ((len(languages) + i, round(math.log(w[x][g] / FLOOR) / STEP)) for i, x in enumerate(names) if w[x].get(g, 0) > FLOOR)
            entry = "".join(LETTERS[i] + LETTERS[min(q, 61)] for i, q in entries if q > 1)
            if entry:
                rows[g] = rows.get(g, "") + entry
        languages += [(x, group, RARE.get(x, round(2 * math.log(profile[x]["n_words"][0] / profile["en"]["n_words"][0]) / STEP))) for x in names]
    print("/* SPDX-License-Identifier: Apache-2.0 AND BSD-3-Clause AND BSD-2-Clause AND MIT */")
    print("/* Generated by lib/text/langgen.py from langdetect 1.0.9, Django 4.2.16, Sphinx 7.4.7, django-allauth 65.3.0 and stopwordsiso 0.7.1. */")
    print('#include "langtab.h"\n\nconst struct lang_known lang_known[] = {')
    for x in languages:
        print(f'\t{{ "{x[0]}", LANG_{x[1]}, {x[2]} }},')
    print(f"}};\nconst unsigned lang_known_n = {len(languages)};\n\nconst char lang_features[] =")
    line = ""
    for g in sorted(rows):
        item = f"{g} {rows[g]}\\n"
        if len(line) + len(item) > 120:
            print(f'\t"{line}"')
            line = ""
        line += item
    print(f'\t"{line}";')


if __name__ == "__main__":
    main()
