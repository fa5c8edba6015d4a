#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes blocks.bin: random blocks of every quantised type with the values that the gguf package (0.19) gives them.
usage: make.py [BLOCKS [SEED]] > blocks.bin       needs numpy and gguf

Per type: i32 type id, i32 blocks, i32 bytes of a block, i32 values of a block, the blocks, the values (f32)."""
import sys
import numpy as np
import gguf
from gguf.constants import GGMLQuantizationType as Q

blocks = int(sys.argv[1]) if len(sys.argv) > 1 else 3
rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 7)
# where the f16 scales of a block lie: random bytes there would often be infinities and NaN
scales = {Q.Q4_0: [0], Q.Q4_1: [0, 2], Q.Q5_0: [0], Q.Q5_1: [0, 2], Q.Q8_0: [0], Q.Q2_K: [80, 82], Q.Q3_K: [108],
          Q.Q4_K: [0, 2], Q.Q5_K: [0, 2], Q.Q6_K: [208], Q.F16: [], Q.BF16: []}
for t, at in scales.items():
    values, size = gguf.constants.GGML_QUANT_SIZES[t]
    if values == 1:      # plain types: finite values only
        v = rng.standard_normal(32).astype(np.float32) * np.float32(10) ** rng.integers(-7, 4, 32).astype(np.float32)
        raw = gguf.quants.quantize(v, t)
        b = np.frombuffer(raw.tobytes(), np.uint8).reshape(32, size).copy()
    else:
        b = rng.integers(0, 256, (blocks, size), dtype=np.uint8)
        for o in at:
            b[:, o:o + 2] = rng.standard_normal((blocks, 1)).astype(np.float16).view(np.uint8)
    out = gguf.quants.dequantize(b.reshape(-1), t).astype(np.float32)
    sys.stdout.buffer.write(np.array([int(t), len(b), size, values], np.int32).tobytes() + b.tobytes() + out.tobytes())
