#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Makes llama_gqa_tied/variants.json: training curves as those of README.md ("Training runs"; LoRA from lora/, and all weights), with label smoothing, with
# weights of the sequences, and with both.  Wants torch, transformers, peft.  With weights the objective is sum(weight * loss of a token) / N, N the number of
# supervised tokens whatever they weigh; `loss` is without the weights.
# usage: make_variants.py
import json, math, pathlib, torch
import torch.nn.functional as F
from peft import PeftModel
from transformers import AutoModelForCausalLM

MODEL = pathlib.Path(__file__).parent / "llama_gqa_tied"
MICRO = json.load(open(MODEL / "train_data.json"))["micro_batches"]
WEIGHTS = [0.25, 1, 3, 0.5, 1.5, 2]       # of sequence i: number i % 6
STEPS = 8
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)


def model(lora):
    m = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32, attn_implementation="eager")
    return PeftModel.from_pretrained(m, MODEL / "lora", is_trainable=True) if lora else m


def curve(lora, smoothing, weighted):
    m = model(lora)
    m.train()
    p = [x for x in m.parameters() if x.requires_grad]
    o = torch.optim.AdamW(p, lr=1e-3, weight_decay=0.01)
    out = []
    for step in range(STEPS):
        o.param_groups[0]["lr"] = 1e-3 * (step / 3 if step < 3 else 0.5 * (1 + math.cos(math.pi * (step - 3) / (STEPS - 3))))
        objective = plain = n = 0
        for j in range(2):
            b = (2 * step + j) % len(MICRO)
            for row, (ids, mask) in enumerate(zip(MICRO[b]["input_ids"], MICRO[b]["loss_mask"])):
                x = torch.tensor([ids])
                on = torch.tensor(mask[1:], dtype=torch.bool)
                each = F.cross_entropy(m(input_ids=x).logits[0, :-1][on], x[0, 1:][on], label_smoothing=smoothing, reduction="sum")
                objective = objective + each * (WEIGHTS[(2 * b + row) % 6] if weighted else 1)
                plain, n = plain + each.item(), n + int(on.sum())
        o.zero_grad()
        (objective / n).backward()
        norm = torch.nn.utils.clip_grad_norm_(p, 1.0).item()
        o.step()
        out.append({"step": step + 1, "loss": plain / n, "grad_norm": norm, "tokens": n})
    return out


cases = [{"method": "lora" if lora else "full", "smoothing": s, "weights": WEIGHTS if w else None, "train": curve(lora, s, w)}
         for lora in (True, False) for s, w in ((0.1, False), (0, True), (0.3, True))]
(MODEL / "variants.json").write_text("[" + ",\n ".join(json.dumps(c) for c in cases) + "]\n")
