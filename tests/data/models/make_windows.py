#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# Makes windows/NAME/: tiny random models some of whose layers have a sliding window, with PyTorch's log-probabilities, and loss and gradient norm of three
# steps of training all weights (SGD with momentum 0.9 at rate 0.01, no clipping, one sequence a step); and rope.json: cosines and sines that transformers makes of rope
# settings.  Wants torch and transformers.
# usage: make_windows.py
import json, pathlib, torch
from transformers import LlamaConfig, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

HERE = pathlib.Path(__file__).parent
torch.manual_seed(5)
torch.set_num_threads(1)
SIZES = dict(vocab_size=60, hidden_size=16, intermediate_size=24, num_hidden_layers=4, num_attention_heads=4, num_key_value_heads=2, head_dim=4, max_position_embeddings=64,
             tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, initializer_range=0.3, use_sliding_window=True, attn_implementation="eager")


def model(name, m):
    out = HERE / "windows" / name
    m.float().eval()
    m.save_pretrained(out)
    for f in ("generation_config.json",):
        (out / f).unlink(missing_ok=True)
    ids = torch.randint(3, 60, (3, 24))
    logp = []
    for x in ids:
        with torch.no_grad():
            logp.append(torch.log_softmax(m(input_ids=x[None]).logits[0, :-1], -1).gather(1, x[1:, None])[:, 0].tolist())
    curve = []
    o = torch.optim.SGD(m.parameters(), lr=0.01, momentum=0.9)
    for x in ids:
        o.zero_grad()
        loss = torch.nn.functional.cross_entropy(m(input_ids=x[None]).logits[0, :-1], x[1:])
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(m.parameters(), 1e9).item()
        o.step()
        curve.append({"loss": loss.item(), "grad_norm": norm})
    (out / "expected.json").write_text(json.dumps({"ids": ids.tolist(), "logprobs": logp, "train": curve}) + "\n")


model("qwen2", Qwen2ForCausalLM(Qwen2Config(**SIZES, sliding_window=5, max_window_layers=2)))
model("qwen3", Qwen3ForCausalLM(Qwen3Config(**SIZES, sliding_window=3, layer_types=["sliding_attention", "full_attention", "full_attention", "sliding_attention"])))

cases, plain = [], {"rope_theta": 10000.0}
for dim, most, rope in ((16, 256, {**plain, "rope_type": "default"}), (16, 256, {"rope_theta": 500000.0, "rope_type": "default"}),
                        (16, 256, {**plain, "rope_type": "linear", "factor": 4.0}), (64, 256, {"rope_theta": 5e5, "rope_type": "linear", "factor": 2.5}),
                        (64, 512, {"rope_theta": 5e5, "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}),
                        (128, 512, {"rope_theta": 5e5, "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 128}),
                        (64, 256, {**plain, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64}),
                        (64, 256, {"rope_theta": 1e6, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "beta_fast": 24.0, "beta_slow": 2.0}),
                        (64, 256, {**plain, "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 64, "attention_factor": 0.9}),
                        (32, 160, {**plain, "rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 64, "mscale": 0.7, "mscale_all_dim": 1.3}),
                        (32, 160, {**plain, "rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 64, "mscale": 0.7})):
    c = LlamaConfig(hidden_size=2 * dim, num_attention_heads=2, head_dim=dim, num_hidden_layers=1, intermediate_size=8, vocab_size=10, max_position_embeddings=most, rope_parameters=dict(rope))
    at = [0, 1, 7, 63, 64, most - 1]
    cos, sin = LlamaRotaryEmbedding(c)(torch.zeros(1), torch.tensor([at]))
    old = {k: v for k, v in rope.items() if k not in ("rope_theta",)}
    config = {"model_type": "llama", "hidden_size": 2 * dim, "num_attention_heads": 2, "head_dim": dim, "num_hidden_layers": 1, "intermediate_size": 8, "vocab_size": 10,
              "max_position_embeddings": most}
    cases.append({"config": {**config, "rope_parameters": rope}, "legacy": {**config, "rope_theta": rope["rope_theta"], "rope_scaling": None if rope["rope_type"] == "default" else old},
                  "positions": at, "cos": [[round(v, 7) for v in r[:dim // 2]] for r in cos[0].tolist()], "sin": [[round(v, 7) for v in r[:dim // 2]] for r in sin[0].tolist()]})
(HERE / "rope.json").write_text("[" + ",\n ".join(json.dumps(c) for c in cases) + "]\n")
