#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sketches of an adapter's tensors: element i goes, with a random sign, to one of N sums.  The squared distance of two sketches is an
unbiased estimate of the squared distance of the tensors, so a few numbers stand for a large file.
usage: sketch.py adapter_model.safetensors > FILE.json      (lora_step20.sketch.json is lora_step20 of PyTorch's run)"""
import array, json, math, operator, random, struct, sys

N = 24


def tensors(path):
    b = open(path, "rb").read()
    n = struct.unpack("<Q", b[:8])[0]
    for k, v in sorted(json.loads(b[8:8 + n]).items()):
        if k != "__metadata__":
            s, e = v["data_offsets"]
            assert v["dtype"] == "F32"
            yield k, array.array("f", b[8 + n + s:8 + n + e])


def sketch(x):
    r, out = random.Random(len(x)), []
    for k in range(N):
        part = x[k::N]
        bits = r.getrandbits(len(part))
        out.append(sum(map(operator.mul, part, (1.0 if c == "1" else -1.0 for c in f"{bits:0{len(part)}b}"))))
    return out


def sketches(path):
    return {k: {"norm": math.sqrt(sum(map(operator.mul, x, x))), "sums": sketch(x)} for k, x in tensors(path)}


if __name__ == "__main__":
    json.dump({k: {"norm": float(f"{v['norm']:.7g}"), "sums": [float(f"{s:.7g}") for s in v["sums"]]} for k, v in sketches(sys.argv[1]).items()},
              sys.stdout, separators=(",", ":"))
