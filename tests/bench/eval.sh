#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Text metrics against sacreBLEU and rouge_score on the same 10,000 pairs of lines (EVAL_LINES): CPU seconds of whole processes, ours the least
# of five, theirs of two; the bootstrap as what --ci (1,000 resamples) adds.  PEERS_PYTHON names a Python that has the packages.
set -u
python=${PEERS_PYTHON:-python3} sft=${BUILD:-build}/bin/sft-eval n=${EVAL_LINES:-10000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$python" -c 'import sacrebleu, rouge_score' 2>/dev/null || { echo "skip: no sacrebleu and rouge_score in $python (PEERS_PYTHON)"; exit 0; }

"$python" - "$n" "$dir" <<'END'
import random, sys
r, n, d = random.Random(4), int(sys.argv[1]), sys.argv[2]
words = ["".join(r.choice("bcdfghjklmnprstvw") + r.choice("aeiou") for _ in range(r.randint(1, 4))) + r.choice(["", "s", "ed", "ing", "ly"]) for _ in range(6000)]
weights = [1 / (k + 1) for k in range(len(words))]
with open(d + "/hyp", "w") as h, open(d + "/ref", "w") as f:
    for _ in range(n):
        w = r.choices(words, weights, k=max(3, min(80, int(r.lognormvariate(3, 0.5)))))
        f.write(" ".join(x + ("," if r.random() < 0.08 else "") for x in w) + ".\n")
        h.write(" ".join(r.choice(words) if r.random() < 0.12 else x for x in w if r.random() > 0.06) + ".\n")
END
cat >"$dir/rouge.py" <<'END'
import sys
from rouge_score import rouge_scorer
h, r = (open(f"{sys.argv[1]}/{x}", encoding="utf-8").read().split("\n")[:-1] for x in ("hyp", "ref"))
s = rouge_scorer.RougeScorer(["rouge1", "rouge2", "rougeL"], use_stemmer=len(sys.argv) > 2)
t = [0.0] * 3
for a, b in zip(h, r):
    for i, x in enumerate(s.score(b, a).values()):
        t[i] += x.fmeasure
print([x / len(h) for x in t])
END
cpu() {                                 # cpu TIMES COMMAND...: the least user + system seconds
	local k=$1 TIMEFORMAT='%U %S'
	shift
	for ((; k > 0; k--)); do
		{ time "$@" >"$dir/out" 2>"$dir/err"; } 2>&1 || return 1
	done | awk 'NR == 1 || $1 + $2 < m { m = $1 + $2 } END { printf "%.4f\n", m }'
}
row() {                                 # row NAME OURS THEIRS
	awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "%-30s %9.4f s %9.3f s %8.0f x\n", n, a, b, (a > 0 ? b / a : 0) }'
}
lines="--hyp $dir/hyp --ref $dir/ref"
bleu="$python -m sacrebleu $dir/ref -i $dir/hyp -w 6"
# shellcheck disable=SC2086
{
	printf '%s pairs of lines, CPU seconds of whole processes\n%-30s %11s %11s %10s\n' "$n" metric ours theirs ratio
	a=$(cpu 5 $sft bleu -j1 $lines) b=$(cpu 2 $bleu -m bleu)
	row "BLEU (sacreBLEU)" "$a" "$b"
	ci=$(cpu 5 $sft bleu -j1 --ci $lines) cib=$(cpu 2 $bleu -m bleu --confidence)
	row "bootstrap, 1,000 resamples" "$(awk "BEGIN { print $ci - $a }")" "$(awk "BEGIN { print $cib - $b }")"
	row "chrF (sacreBLEU)" "$(cpu 5 $sft chrf -j1 $lines)" "$(cpu 1 $bleu -m chrf)"
	row "ROUGE-1/2/L (rouge_score)" "$(cpu 5 $sft rouge -j1 --rouge-types rouge1,rouge2,rougeL $lines)" "$(cpu 2 "$python" "$dir/rouge.py" "$dir")"
	row "ROUGE with stems" "$(cpu 5 $sft rouge -j1 --stemmer --rouge-types rouge1,rouge2,rougeL $lines)" "$(cpu 1 "$python" "$dir/rouge.py" "$dir" stem)"
}
