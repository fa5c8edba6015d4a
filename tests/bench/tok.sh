#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Texts to ids: ours against Hugging Face tokenizers, tiktoken, bpe-qwen and SentencePiece in one run, one thread each, MB per CPU second;
# then opening, two threads by the clock, and the SentencePiece library through our door and by itself.
# The text is 20 MB, half English and half Chinese, in which no line comes twice: the documents of the peers' data once each, then lines made by
# chains of three words or characters as they follow each other there.
# Needs SHARED (default ../shared: peers, data, tokenizers) and a Python with tokenizers: PEERS_PYTHON.  What else is not there is left out.
# usage: tok.sh [MB [TOKENIZER...]]      default 20 qwen3 deepseek_v3 smollm2 mistral_7b
set -eu
cd "$(dirname "$0")/../.."
build=${BUILD:-build} shared=${SHARED:-../shared} python=${PEERS_PYTHON:-}
mb=${1:-20}
[ $# -gt 1 ] && shift || set -- qwen3 deepseek_v3 smollm2 mistral_7b
for p in "$python" "$(command -v python3)"; do
	[ -n "$p" ] && [ -x "$p" ] && "$p" -c 'import tokenizers' 2>/dev/null && { python=$p; break; }
done
if [ ! -x "$python" ] || [ ! -e "$shared/peers/peer_tokenize.py" ]; then
	echo "skipped: no Python with tokenizers, or no peers' scripts (PEERS_PYTHON, SHARED)"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" "$shared/peers/peer_tokenize.py" --mb "$mb" --only none --write-text "$work/again.txt" "$shared/tokenizers/$1" >/dev/null 2>&1
"$python" - "$work" "$mb" <<'PY'
import collections, random, sys
work, size = sys.argv[1], float(sys.argv[2]) * 5e5
chinese = lambda s: sum("\u3400" <= c <= "\u9fff" for c in s) > 0.2 * len(s)
docs = list(dict.fromkeys(open(work + "/again.txt", encoding="utf-8").read().split("\n")))
r, out = random.Random(1), []
for zh in (False, True):
    pool = [d for d in docs if d and chinese(d) == zh]
    cut, join = (list, "") if zh else (str.split, " ")
    follows = collections.defaultdict(list)
    for d in pool:
        w = ["", ""] + cut(d) + [None]
        for a, b, c in zip(w, w[1:], w[2:]):
            follows[a, b].append(c)
    seen, n = set(), 0
    while n < size:
        line = pool[len(seen)] if len(seen) < len(pool) else None
        if line is None:
            w = ["", ""]
            while len(w) < 400 and (c := r.choice(follows[w[-2], w[-1]])) is not None:
                w.append(c)
            line = join.join(w[2:])
        if line not in seen and len(line) > 8:
            seen.add(line)
            out.append(line)
            n += len(line.encode()) + 1
r.shuffle(out)
open(work + "/text", "w", encoding="utf-8", newline="").writelines(l + "\n" for l in out)
PY
dirs=()
for t; do dirs+=("$shared/tokenizers/$t"); done
"$build/bench/bench-tok" "$work/text" "${dirs[@]}" | tee "$work/ours"
"$python" "$shared/peers/peer_tokenize.py" --repeat 1 --only hf,tiktoken --text "$work/text" "${dirs[@]}" >"$work/peers" 2>/dev/null
"$python" - "$work" "$shared" "$@" <<'PY'
import json, os, sys, time
work, shared, names = sys.argv[1], sys.argv[2], sys.argv[3:]
ours = {os.path.basename(l.split()[0]): (float(l.split()[1]), float(l.split()[2])) for l in open(work + "/ours").read().splitlines()[2:]}
rows = [(r["tokenizer"], r["package"] + " " + r["version"], r["mb_per_cpu_s"]) for r in json.load(open(work + "/peers"))["results"]]
docs = open(work + "/text", encoding="utf-8", newline="\n").read().split("\n")[:-1]
size = os.path.getsize(work + "/text") / 1e6
try:
    import bpe_qwen, importlib.metadata
    model = json.load(open(shared + "/tokenizers/qwen3/tokenizer.json"))["model"]
    os.mkdir(work + "/qwen")
    json.dump(model["vocab"], open(work + "/qwen/vocab.json", "w"))
    with open(work + "/qwen/merges.txt", "w") as f:
        f.writelines((m if isinstance(m, str) else " ".join(m)) + "\n" for m in model["merges"])
    t = bpe_qwen.QwenTokenizer(work + "/qwen")
    start = time.process_time()
    for d in docs:
        t.encode(d)
    if "qwen3" in names:
        rows.append(("qwen3", "bpe-qwen " + importlib.metadata.version("bpe-qwen"), size / (time.process_time() - start)))
except ImportError:
    pass
print("\nMB per CPU second, one thread")
for name, peer, speed in rows:
    if name in ours:
        print(f"  {name:14} ours {ours[name][0]:6.1f}   {peer:36} {speed:6.2f}   {ours[name][0] / speed:5.1f} times")
print("\nopening tokenizer.json, CPU seconds, each in a new process")
for name in names:
    code = f"import time, tokenizers; s = time.process_time(); tokenizers.Tokenizer.from_file('{shared}/tokenizers/{name}/tokenizer.json'); print(time.process_time() - s)"
    theirs = min(float(os.popen(f'"{sys.executable}" -c "{code}"').read()) for _ in range(3))
    print(f"  {name:14} ours {ours[name][1]:.3f}   tokenizers {theirs:.3f}   {theirs / ours[name][1]:.1f} times")
PY
echo
echo "sft-tokenize --ids, seconds by the clock: one thread, two, and one with nothing to do but open"
printf 'x\n' >"$work/x"
run() {
	local start=$EPOCHREALTIME
	"$build/bin/sft-tokenize" -q -m "${dirs[0]}" --ids --from text -j "$1" "$2" >/dev/null
	awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
}
best() { for _ in 1 2 3 4 5; do run "$@"; done | sort -n | head -1; }
one=$(best 1 "$work/text") two=$(best 2 "$work/text") open=$(best 1 "$work/x")
awk -v a="$one" -v b="$two" -v o="$open" 'BEGIN { printf "  %.3f %.3f %.3f: two threads are %.2f times one, without opening\n", a, b, o, (a - o) / (b - o) }'

model=$shared/tokenizers/spm_bpe/spm_bpe.model
cat >"$work/alone.cc" <<'CC'
#include <sentencepiece_processor.h>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

int main(int, char **v)
{
	sentencepiece::SentencePieceProcessor p;
	std::ifstream f(v[1]);
	std::vector<std::string> lines;
	std::vector<int> ids;
	size_t bytes = 0;

	if (!p.Load(v[2]).ok())
		return 1;
	for (std::string l; std::getline(f, l); bytes += l.size() + 1)
		lines.push_back(l);
	for (int k = 0; k < 3; k++) {
		clock_t start = clock();

		for (const auto &l : lines)
			(void)p.Encode(l, &ids);
		printf("%.2f\n", 1e-6 * (double)bytes * CLOCKS_PER_SEC / (double)(clock() - start));
	}
}
CC
if [ -e "$model" ] && ${CXX:-g++} -O3 -std=c++17 "$work/alone.cc" -o "$work/alone" -lsentencepiece 2>/dev/null; then
	head -n 30000 "$work/text" >"$work/part"
	alone=$("$work/alone" "$work/part" "$model" | sort -n | tail -1)
	door=$("$build/bench/bench-tok" "$work/part" "$model" | awk 'END { print $2 }')
	echo
	awk -v a="$alone" -v d="$door" 'BEGIN { printf "SentencePiece model, MB per CPU second: through our door %.1f, the library by itself %.1f: %.2f times\n", d, a, d / a }'
fi
