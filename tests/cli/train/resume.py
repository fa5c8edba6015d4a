#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# A run that is killed or stopped at any moment and goes on with --resume ends with the bytes of one that was not.
# usage: resume.py STEPS KILLS
import json, os, pathlib, random, signal, subprocess, sys, time

STEPS, KILLS = map(int, sys.argv[1:])
DATA = pathlib.Path(os.environ["DATA"])
MODEL = DATA / "models/llama_gqa_tied"


def report(name, ok, why=""):
    print(f"ok {name}" if ok else f"not ok {name}: {why}", flush=True)


micro = json.load(open(MODEL / "train_data.json"))["micro_batches"]
ids = "".join(json.dumps({"ids": i, "mask": k}) + "\n" for m in micro for i, k in zip(m["input_ids"], m["loss_mask"]))
subprocess.run(["sft", "tokenize", "--from", "ids", "-o", "t.shard"], input=ids, text=True, check=True)
# Shuffled, two files with a share of one, evaluations between checkpoints: all that the state has to carry.
args = ["sft", "train", "-q", "-m", MODEL, "--data", "t.shard", "--data", "t.shard:0.4", "--val", "t.shard", "--batch", "3", "--accumulate", "2",
        "--steps", STEPS, "--lr", "1e-3", "--rank", "4", "--dtype", "f32", "--eval-every", max(STEPS // 9, 1), "--patience", "0",
        "--save-every", max(STEPS // max(20, 2 * KILLS), 1)]
args = [str(a) for a in args]

start = time.time()
subprocess.run([*args, "-j", "2", "-o", "whole"], check=True)
whole = time.time() - start

rng = random.Random(3)


def log(run):
    return [json.loads(x) for x in open(f"{run}/log.jsonl")]


# One run from start to end, killed at moments that together take most of a run's time; kills so far -> kills, status.
# A machine that runs faster than it was timed is at the end before the last kill: then the next run takes the rest.
def cut(out, kills):
    while True:
        p = subprocess.Popen([*args, "-j", str(1 + kills % 2), "--resume", "-o", out])
        try:
            rc = p.wait(timeout=rng.uniform(0.2, 1.2) / KILLS * whole + 0.05 if kills < KILLS else 600)
        except subprocess.TimeoutExpired:
            kills += 1
            p.send_signal([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1][kills % 4])
            rc = p.wait()
            if rc in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGUSR1):
                continue
        if rc or log(out)[-1].get("step") == STEPS:
            return kills, rc                    # else a stop that was asked for


A = log("whole")
pick = lambda lines: [[x.get(k) for k in ("step", "epoch", "loss", "grad_norm", "lr", "tokens", "val_loss", "best")] for x in lines if "step" in x]
kills, runs, resumed = 0, 0, 0
while kills < KILLS:
    subprocess.run(["rm", "-rf", "cut"])
    before, (kills, rc), runs = kills, cut("cut", kills), runs + 1
    if rc:
        report("resume-exit", False, f"exit {rc}")
        sys.exit()
    B = log("cut")
    back = [x["resumed"] for x in B if "resumed" in x]
    resumed += len(back)
    wrong = [] if pick(A) == pick(B) else ["log"]
    wrong += [] if back == sorted(back) and len(back) <= kills - before else ["marks"]
    for d in ("best", "last"):
        same = [open(f"{r}/{d}/adapter_model.safetensors", "rb").read() for r in ("whole", "cut")]
        wrong += [] if same[0] == same[1] else [d]
    if wrong:
        report("resume-same-bits", False, f"{wrong} differ, resumed at {back}")
        sys.exit()
report("resume-same-bits", resumed > 0, f"{kills} kills in {runs} runs, {resumed} of them resumed from a checkpoint")
report("resume-few-states", len(os.listdir("cut/state")) == 2, str(os.listdir("cut/state")))
commands = json.load(open("cut/config.json"))["commands"]
report("resume-commands", 1 <= len(commands) <= kills - before + 1 and all(c[0] == "sft-train" for c in commands), str(len(commands)))

# A finished run has nothing left to do; another rate is another run.
r = subprocess.run([*args, "--resume", "-o", "cut"])
report("resume-finished", r.returncode == 0 and open("cut/last/adapter_model.safetensors", "rb").read() == same[0], f"exit {r.returncode}")
r = subprocess.run([*args, "--lr", "2e-3", "--resume", "-o", "cut"], capture_output=True, text=True)
report("resume-other-settings", r.returncode == 2 and "lr was 0.001, is 0.002" in r.stderr, r.stderr)
r = subprocess.run([*args, "-o", "cut"], capture_output=True, text=True)
report("resume-not-asked", r.returncode == 2 and "holds a run already" in r.stderr, r.stderr)

# SIGTERM: the step is finished, a checkpoint written, status 0.
p = subprocess.Popen([*args, "--steps", "1000000", "--save-every", "1000000", "--eval-every", "1000000", "-o", "term"])
while not os.path.exists("term/log.jsonl") or os.path.getsize("term/log.jsonl") < 2000:
    time.sleep(0.02)
p.send_signal(signal.SIGTERM)
rc = p.wait()
step = json.loads(open("term/log.jsonl").read().splitlines()[-1])["step"]
report("term-checkpoint", rc == 0 and os.path.exists(f"term/state/step-{step:08d}.safetensors") and os.path.exists("term/last/adapter_config.json"),
       f"exit {rc}, step {step}, {os.listdir('term/state')}")
# SIGINT: the same, but as interrupted; the shell around stops too.
p = subprocess.Popen([*args, "--steps", "1000000", "--save-every", "1000000", "--eval-every", "1000000", "--resume", "-o", "term"])
time.sleep(0.3)
p.send_signal(signal.SIGINT)
report("int-status", p.wait() == -signal.SIGINT, str(p.returncode))
