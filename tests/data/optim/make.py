#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Ten steps of torch.optim.SGD, torch.optim.AdamW and transformers.Adafactor on two matrices and a vector, in double precision -> expected.json.
# The gradients are those of tests/unit/optim.c: g[i] = cos(i * t) * (t == 3 ? 0.01 : 2), counted through the block.
import json, math, pathlib, torch
from transformers.optimization import Adafactor

SHAPES = [(5, 7), (1, 6), (3, 4)]
N = sum(a * b for a, b in SHAPES)


def run(make, rates, clip):
    params, at = [], 0
    for rows, cols in SHAPES:
        v = torch.tensor([math.sin(i + 1) for i in range(at, at + rows * cols)], dtype=torch.float64)
        params.append(torch.nn.Parameter(v.reshape(cols) if rows == 1 else v.reshape(rows, cols)))
        at += rows * cols
    opt = make([{"params": [p], "lr": r} for p, r in zip(params, rates)])
    for t in range(1, 11):
        at = 0
        for p in params:
            p.grad = torch.tensor([math.cos(i * t) * (0.01 if t == 3 else 2) for i in range(at, at + p.numel())], dtype=torch.float64).reshape(p.shape)
            at += p.numel()
        torch.nn.utils.clip_grad_norm_(params, clip)
        opt.step()
    return [x for p in params for x in p.detach().flatten().tolist()]


out = {
    "adamw": run(lambda g: torch.optim.AdamW(g, weight_decay=0.01), [1e-3, 1e-3, 4e-3], 1.0),
    "sgd": run(lambda g: torch.optim.SGD(g, lr=1, momentum=0.9, weight_decay=0.01), [1e-3, 1e-3, 4e-3], 1.0),
    "adafactor": run(lambda g: Adafactor(g, lr=1, scale_parameter=False, relative_step=False, weight_decay=0.01), [1e-3, 1e-3, 4e-3], 1.0),
}
path = pathlib.Path(__file__).with_name("expected.json")
path.write_text(json.dumps(out) + "\n")
