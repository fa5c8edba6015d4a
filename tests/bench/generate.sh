#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Generation: tokens/s of a prompt of 512 tokens, of decoding 128 after a short one, and of choices, by the clock on two threads and by the CPU
# time of one.
# Whole processes, less what a run of one token takes; the least of GENERATE_RUNS (5).  Beside it what llama-bench does with the same files where it is
# found, else its figures of 2026-11 on two cores of a Zen 4; and transformers in the same run where PEERS_PYTHON has it.
# GENERATE_GGUF: the model, SmolLM2-135M-Instruct in Q4_1.
set -u
python=${PEERS_PYTHON:-python3} bin=${BUILD:-build}/bin runs=${GENERATE_RUNS:-5}
gguf=${GENERATE_GGUF:-$HOME/.cache/sft/SmolLM2-135M-Instruct.Q4_1.gguf}
[[ -r $gguf ]] || { echo "skip: no $gguf (GENERATE_GGUF)"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$bin/sft-merge" -q -m "$gguf" --to gguf --dtype bf16 -o "$dir/bf16.gguf" || exit 1

ids() {                                 # ids N: a record of N token ids that follow from N alone
	awk -v n="$1" 'BEGIN { x = 7; printf "{\"ids\":["; for (i = 0; i < n; i++) { x = (x * 1103515245 + 12345) % 2147483648
		printf "%s%d", i ? "," : "", 100 + x % 48000 } print "]}" }'
}
ids 512 >"$dir/long"; ids 4 >"$dir/short"
least() {                               # least COMMAND...: seconds of the clock and of the CPU, the least of each
	local TIMEFORMAT='%R %U %S' k
	for ((k = 0; k < runs; k++)); do
		{ time "$@" >"$dir/out" 2>"$dir/err"; } 2>&1 || return 1
	done | awk '{ c = $2 + $3 } NR == 1 || $1 < w { w = $1 } NR == 1 || c < m { m = c } END { print w, m }'
}
both() {                                # both COMMAND...: the clock with two threads, the CPU time of one
	local two one
	two=$(least "$@" -j2) one=$(least "$@" -j1) || return 1
	echo "${two% *} ${one#* }"
}
tokens() {                              # tokens MODEL DTYPE FILE N
	both "$bin/sft-generate" -q -m "$1" --dtype "$2" --from ids --no-stop --max-tokens "$4" "$dir/$3"
}
row() {                                 # row NAME COUNT "SECONDS CPU" "LESS CPU" THEIRS
	awk -v n="$1" -v k="$2" -v a="$3" -v b="$4" -v t="$5" 'BEGIN { split(a, x, " "); split(b, y, " "); w = x[1] - y[1]; c = x[2] - y[2]
		if (w <= 0) w = 1e-9; if (c <= 0) c = 1e-9
		printf "%-28s %9.0f %12.0f %10s %7.2f x\n", n, k / w, k / c, t, (t > 0 ? k / w / t : 0) }'
}
theirs() {                              # theirs MODEL pp|tg PUBLISHED
	command -v llama-bench >/dev/null || { echo "$3"; return; }
	if [[ $2 = pp ]]; then set -- "$1" -p 512 -n 0; else set -- "$1" -p 0 -n 128; fi
	llama-bench -m "$1" "${@:2}" -t 2 -r "$runs" -o json 2>/dev/null | sed -n 's/.*"avg_ts": *\([0-9.]*\).*/\1/p' | head -1
}
command -v llama-bench >/dev/null && from=measured || from=published
printf '%-28s %9s %12s %10s %9s\n' "tokens/s" "clock" "core-second" "llama.cpp" "($from)"
for m in "Q4_1 $gguf 980 137" "BF16 $dir/bf16.gguf 980 92"; do        # prompts: its best, which is BF16
	read -r name file prompt decode <<<"$m"
	one=$(tokens "$file" bf16 short 1)
	row "$name prompt of 512" 508 "$(tokens "$file" bf16 long 1)" "$one" "$(theirs "$dir/bf16.gguf" pp "$prompt")"
	row "$name decode" 128 "$(tokens "$file" bf16 short 129)" "$one" "$(theirs "$file" tg "$decode")"
	row "$name decode, --dtype f32" 128 "$(tokens "$file" f32 short 129)" "$(tokens "$file" f32 short 1)" "$(theirs "$file" tg "$decode")"
done

# Choices: a common task description and examples, twenty labels.
awk -v L="$dir/labels" -v R="$dir/records" -v F="$dir/first" 'BEGIN { split("card cash transfer limit fee refund exchange rate pending declined lost stolen pin code top up balance account verify identity", w, " ")
	for (i = 0; i < 20; i++) print w[i % 20 + 1] " " w[(i * 7 + 3) % 20 + 1] > L
	for (i = 0; i < 60; i++) ex = ex "Question " i ": why is my " w[i % 20 + 1] " " w[(i * 3) % 20 + 1] "? "
	for (r = 0; r < 21; r++) {
		m = "{\"messages\":[{\"role\":\"system\",\"content\":\"Name the intent. " ex "\"},{\"role\":\"user\",\"content\":\"Record " r ": what about my " w[r % 20 + 1] "?\"}]}"
		print m > R; if (r == 0) print m > F
	} }'
choose() {
	both "$bin/sft-generate" -q -m "$gguf" --choices "@$dir/labels" "$dir/$1"
}
cat >"$dir/peer.py" <<'END'
import json, os, sys, time, torch, transformers
torch.set_num_threads(2)
transformers.logging.set_verbosity_error()
gguf, labels, record = sys.argv[1], open(sys.argv[2]).read().split("\n")[:-1], json.loads(open(sys.argv[3]).readline())
where, name = os.path.dirname(os.path.abspath(gguf)), os.path.basename(gguf)
m = transformers.AutoModelForCausalLM.from_pretrained(where, gguf_file=name, dtype=torch.bfloat16).eval()
tok = transformers.AutoTokenizer.from_pretrained(where, gguf_file=name)
prompt = tok(tok.apply_chat_template(record["messages"], tokenize=False, add_generation_prompt=True), add_special_tokens=False)["input_ids"]
m(input_ids=torch.tensor([prompt]))
t, c = time.perf_counter(), time.process_time()
with torch.inference_mode():
    for l in labels[:4]:
        a = tok(l + "<|im_end|>", add_special_tokens=False)["input_ids"]
        z = m(input_ids=torch.tensor([prompt + a])).logits[0, len(prompt) - 1:-1].float().log_softmax(-1)
        float(z[torch.arange(len(a)), torch.tensor(a)].sum())
print((time.perf_counter() - t) * len(labels) / 4, (time.process_time() - c) * len(labels) / 4)
END
ours=$(choose records) first=$(choose first)
peer=$("$python" "$dir/peer.py" "$gguf" "$dir/labels" "$dir/first" 2>/dev/null) || peer=
awk -v a="$ours" -v b="$first" -v p="$peer" 'BEGIN { split(a, x, " "); split(b, y, " "); w = (x[1] - y[1]) / 20; c = (x[2] - y[2]) / 20
	printf "20 choices, seconds a record: %.3f (one core: %.3f)", w, c
	if (split(p, z, " ") == 2) printf "; transformers, each alone: %.2f (CPU %.2f): %.0f x (CPU %.0f x)", z[1], z[2], z[1] / w, z[2] / c; else printf "; no transformers (PEERS_PYTHON)"
	print "" }'
