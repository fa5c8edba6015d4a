#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""eval against sacreBLEU, rouge_score, scikit-learn, statsmodels and krippendorff on random Unicode text and random labels, to 1e-9: whole
corpora and item by item, all tokenizers, smoothings, orders, types, stems, several references, empty texts.  FUZZ_N: texts in all."""
import json, math, os, pathlib, random, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "common"))
import unitext

SEED, N = int(os.environ["FUZZ_SEED"]), int(os.environ["FUZZ_N"])
ITEMS = 60                                     # of a corpus
ROUNDS = max(1, N // (ITEMS * 20))
MARKS = ("&quot; &amp; &lt; &gt; &amp;lt; <skipped> 1.,2 a..b .. , . - 3- -3 3-4 1,000.5 it's, 's dogs' A.B.C. (a) [b] \"q\" $5 a_b # % -\n \n \n- "
         "\u2026 \u3002 \uff0c \u300a\u4e66\u300b \u4e2d\u6587 \uff21\uff22 running runs ran flies dying ponies caresses relational happily skis news").split(" ")
bad, done = [], {}


def near(a, b):
    if isinstance(b, (list, tuple)):
        return isinstance(a, list) and len(a) == len(b) and all(map(near, a, b))
    if b is None or a is None:
        return (a is None or a != a) == (b is None or b != b)
    return (b != b and a != a) or abs(a - b) <= 1e-9 * max(1, abs(b))


def want(what, got, expected, case):
    if not near(got, expected):
        bad.append(f"{what}: {got} is not {expected}: {json.dumps(case)[:600]}")


def sft(args, lines, items=True):
    """The JSON of a run on records, and the values of its items."""
    with open("in.jsonl", "w", encoding="utf-8", newline="\n") as f:
        for x in lines:
            f.write(json.dumps(x) + "\n")
    cmd = ["sft-eval", *map(str, args), "--json", "in.jsonl"] + (["--items", "items"] if items else [])
    r = subprocess.run(cmd, capture_output=True, timeout=120)
    if r.returncode:
        bad.append(f"{' '.join(cmd)}: exit {r.returncode}: {r.stderr.decode()[:300]}")
        return None, None
    return json.loads(r.stdout), [json.loads(x) for x in open("items", encoding="utf-8")] if items else None


class Corpus:
    """References, and answers made of them: words dropped, doubled, moved, replaced; some empty, some equal."""

    def __init__(self, seed, nref):
        self.r = random.Random(seed)
        self.t = unitext.Texts(seed)
        words = [self.word() for _ in range(self.r.randint(5, 60))]
        self.refs = [[self.join(self.r.choices(words, k=int(self.r.expovariate(0.1)))) for _ in range(nref)] for _ in range(ITEMS)]
        self.hyps = [self.answer(x[0], words) for x in self.refs]

    def word(self):
        r = self.r
        return r.choice(MARKS) if r.random() < 0.3 else self.t.piece() if r.random() < 0.4 else "".join(r.choice("abcde") for _ in range(r.randint(1, 7)))

    def join(self, words):
        return "".join(w + (" " if self.r.random() < 0.8 else self.r.choice(["", "", *unitext.BLANKS])) for w in words)

    def answer(self, ref, words):
        r, w = self.r, ref.split(" ")
        for _ in range(r.randrange(6)):
            k, how = r.randrange(len(w) + 1), r.randrange(5)
            w = w[:k] + w[k + 1:] if how == 0 else w[:k] + w[k:k + 1] * 2 + w[k + 1:] if how == 1 else w[:k] + [r.choice(words)] + w[k + 1:] if how == 2 else \
                w[k:] + w[:k] if how == 3 else [x.swapcase() if r.random() < 0.2 else x for x in w]
        return " ".join(w) if r.random() < 0.93 else ""

    def lines(self):
        return [{"prediction": h, "reference": x if len(x) > 1 else x[0]} for h, x in zip(self.hyps, self.refs)]

    def streams(self):
        return [list(x) for x in zip(*self.refs)]

    def case(self, i):
        return {"prediction": self.hyps[i], "reference": self.refs[i]}


def options(args):
    return [y for k, v in args.items() for y in ([k] if v is True else [] if v is False else [k, v])]


def compare(name, c, theirs, args, get):
    """A sacreBLEU metric: the corpus, then each item."""
    j, items = sft([name, *options(args)], c.lines())
    if j is None:
        return
    m = j["metrics"][name]
    whole = theirs.corpus_score(c.hyps, c.streams())
    want(f"{name} {args}", m["score"], whole.score, c.lines())
    for ours, key in get:
        want(f"{name} {args} {key}", m[ours], getattr(whole, key), c.lines())
    for i, x in enumerate(items):
        v = x[name]["score"] if name == "ter" else x[name]
        want(f"{name} {args} item", v, one(theirs, name, c, i), c.case(i))
    done[name] = done.get(name, 0) + len(items)


def one(theirs, name, c, i):
    if name != "bleu":
        return theirs.sentence_score(c.hyps[i], c.refs[i]).score
    was, theirs.effective_order = theirs.effective_order, True
    v = theirs.sentence_score(c.hyps[i], c.refs[i]).score
    theirs.effective_order = was
    return v


def bleu(r, c):
    from sacrebleu.metrics import BLEU
    smooth = r.choice(["exp", "exp", "floor", "add-k", "none"])
    value = r.choice([None, 0.5, 2]) if smooth in ("floor", "add-k") else None
    a = {"--tokenize": r.choice(["13a", "zh", "char", "intl", "none"]), "--lowercase": r.random() < 0.3, "--smooth-method": smooth,
         "--max-ngram-order": r.choice([4, 4, 1, 2, 7, 16]), "--effective-order": r.random() < 0.3}
    theirs = BLEU(lowercase=a["--lowercase"], tokenize=a["--tokenize"], smooth_method=smooth, smooth_value=value, max_ngram_order=a["--max-ngram-order"],
                  effective_order=a["--effective-order"])
    if value is not None:
        a["--smooth-value"] = value
    compare("bleu", c, theirs, a, [("precisions", "precisions"), ("counts", "counts"), ("totals", "totals"), ("bp", "bp"), ("sys_len", "sys_len"), ("ref_len", "ref_len")])


def chrf(r, c):
    from sacrebleu.metrics import CHRF
    a = {"--char-order": r.choice([6, 6, 1, 3, 10]), "--word-order": r.choice([0, 2, 1, 4]), "--beta": r.choice([2, 1, 3]), "--lowercase": r.random() < 0.3,
         "--chrf-whitespace": r.random() < 0.3, "--chrf-eps-smoothing": r.random() < 0.3}
    compare("chrf", c, CHRF(*[a[k] for k in ("--char-order", "--word-order", "--beta", "--lowercase", "--chrf-whitespace", "--chrf-eps-smoothing")]), a, [])


def ter(r, c):
    from sacrebleu.metrics import TER
    a = {k: r.random() < 0.4 for k in ("--ter-normalized", "--ter-no-punct", "--ter-asian-support", "--ter-case-sensitive")}
    compare("ter", c, TER(*a.values()), a, [("num_edits", "num_edits"), ("ref_length", "ref_length")])


def rouge(r, c):
    from rouge_score import rouge_scorer
    types = r.sample(["rouge1", "rouge2", "rouge3", "rouge9", "rougeL", "rougeLsum"], r.randint(1, 6))
    stem = r.random() < 0.5
    j, items = sft(["rouge", "--rouge-types", ",".join(types)] + ["--stemmer"] * stem, c.lines())
    if j is None:
        return
    scorer = rouge_scorer.RougeScorer(types, use_stemmer=stem)
    mean = {t: [0.0, 0.0, 0.0] for t in types}
    for i, x in enumerate(items):
        best = scorer.score_multi(c.refs[i], c.hyps[i])
        for t in types:
            want(f"{t} stem {stem}", x["rouge"][t], list(best[t]), c.case(i))
            mean[t] = [a + b / len(items) for a, b in zip(mean[t], best[t])]
    for t in types:
        want(f"mean {t}", j["metrics"]["rouge"]["mean_prf"][t], mean[t], c.lines())
    done["rouge"] = done.get("rouge", 0) + len(items)


def labels(r, c):
    import warnings
    import numpy
    from sklearn import metrics as skm
    warnings.simplefilter("ignore")
    names = list({c.word() for _ in range(r.randint(1, 9))})
    gold = [r.choice(names) for _ in range(ITEMS)]
    pred = [g if r.random() < 0.6 else r.choice(names + ["never", ""]) for g in gold]
    lines = [{"prediction": p, "reference": g} for p, g in zip(pred, gold)]
    j, _ = sft(["accuracy", "--match", "exact"], lines, False)
    if j is None:
        return
    m, order = j["metrics"]["accuracy"], sorted({*gold, *pred})
    want("accuracy", m["accuracy"], skm.accuracy_score(gold, pred), lines)
    want("balanced accuracy", m["balanced_accuracy"], skm.balanced_accuracy_score(gold, pred), lines)
    want("mcc", m["mcc"], skm.matthews_corrcoef(gold, pred), lines)
    if m["labels"] != order or m["confusion_matrix"] != skm.confusion_matrix(gold, pred, labels=order).tolist():
        bad.append(f"confusion matrix: {json.dumps(lines)[:600]}")
    for how in ("micro", "macro", "weighted"):
        want(how, [m[how][k] for k in ("precision", "recall", "f1")], list(skm.precision_recall_fscore_support(gold, pred, average=how, zero_division=0)[:3]), lines)
    each = numpy.array(skm.precision_recall_fscore_support(gold, pred, labels=order, zero_division=0)).T.tolist()
    for x, y in zip(m["per_class"], each):
        want(f"label {x['label']!r}", [x["precision"], x["recall"], x["f1"], x["support"]], y, lines)
    done["labels"] = done.get("labels", 0) + len(lines)


def agreement(r, c):
    import warnings
    import krippendorff
    import numpy
    from sklearn import metrics as skm
    from statsmodels.stats import inter_rater as ir
    warnings.simplefilter("ignore")
    raters, top, missing = r.randint(2, 6), r.randint(2, 6), r.choice([0, 0, 0.2])
    rows = [[None if r.random() < missing else base if r.random() < 0.6 else r.randint(1, top) for _ in range(raters)] for base in (r.randint(1, top) for _ in range(ITEMS))]
    lines = [{f"r{k}": v for k, v in enumerate(row)} for row in rows]
    j, _ = sft(["kappa", "--raters", ",".join(f"r{k}" for k in range(raters))], lines, False)
    if j is None:
        return
    m = j["metrics"]["kappa"]
    for x in m["cohen"]:
        a, b = (int(k[1:]) for k in x["raters"])
        both = [(row[a], row[b]) for row in rows if row[a] is not None and row[b] is not None]
        for k in ("unweighted", "linear", "quadratic"):
            v = skm.cohen_kappa_score(*zip(*both), weights=None if k == "unweighted" else k)
            want(f"cohen {k}", x[k], None if math.isnan(v) else v, lines)
    table = numpy.array([[numpy.nan if v is None else v for v in row] for row in rows], dtype=float)
    for level in ("nominal", "ordinal", "interval", "ratio"):
        try:
            v = krippendorff.alpha(table.T, level_of_measurement=level)
        except ValueError:
            v = None
        want(f"alpha {level}", m["krippendorff"][level], v, lines)
    if not missing:
        want("fleiss", m["fleiss"], ir.fleiss_kappa(ir.aggregate_raters(table.astype(int))[0]), lines)
    done["agreement"] = done.get("agreement", 0) + len(lines)


KINDS = {"bleu": (bleu, "sacrebleu"), "chrf": (chrf, "sacrebleu"), "ter": (ter, "sacrebleu"), "rouge": (rouge, "rouge_score"), "labels": (labels, "sklearn"),
         "agreement": (agreement, "krippendorff statsmodels sklearn")}
for name, (run, packages) in KINDS.items():
    try:
        for p in packages.split():
            __import__(p)
    except ImportError:
        print(f"skip metrics {name}: no package {p} (PEERS_PYTHON names a Python that has it)", flush=True)
        continue
    bad.clear()
    for k in range(ROUNDS):
        seed = f"{SEED} {name} {k}"
        r = random.Random(seed)
        run(r, Corpus(seed, r.choice([1, 1, 2, 4]) if name != "labels" else 1))
        if len(bad) > 20:
            break
    print(f"ok metrics {name}: {done.get(name, 0)}" if not bad else f"not ok metrics {name}: {len(bad)} values: {bad[0]}", flush=True)
    for line in bad[1:6]:
        print("    " + line, file=sys.stderr)
