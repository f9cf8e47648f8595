#!/usr/bin/env python3
# Makes tests/golden/arch/: tiny random models of the llama family with the logits that transformers
# computes for them, for tests/arch/llama.c to compare with what the engine computes.
#
#   arch_llama.py <tests/golden/arch>     needs: pip install torch==2.15.0 transformers==5.23.0
#                                                gguf==0.19.0
#
#   <case>.gguf      F32 weights, written as llama.cpp's converter lays them out
#   <case>.ids.txt   the prompt's token ids
#   <case>.f32       logits after each token of it: [n_tok, n_vocab], raw little-endian floats
#
# The models compute in double, so that the oracle's own rounding (its rope table apart, which is
# float) does not count. Weights are drawn large enough that attention is sharp, and each case is
# compared with itself less the feature it is there for: where that changes the logits by less than
# a fiftieth, the case would test nothing, and the script stops.
import math
import sys
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFWriter, RopeScalingType, TokenType
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

N_TOK = 40  # attention works on chunks of 32 keys: one boundary is crossed
N_VOCAB = 96
BASE = {
    "vocab_size": N_VOCAB, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 4, "rms_norm_eps": 1e-5,
    "max_position_embeddings": 64, "tie_word_embeddings": False, "attn_implementation": "eager",
}
# Heads of 32 make 16 pairs, enough for a ramp over them to be seen.
WIDE = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 32,
        "intermediate_size": 48, "tie_word_embeddings": True}


def rope(theta, kind="default", **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **more}}


# name: (settings, settings that undo the feature or None)
PLAIN = rope(10000.0)
LLAMA3 = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
CASES = {
    "mha": (PLAIN, None),
    "gqa-tied": ({"num_key_value_heads": 2, "tie_word_embeddings": True, **PLAIN}, None),
    "head-dim": ({"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 24, **PLAIN},
                 None),
    "theta": ({**WIDE, **rope(500000.0)}, PLAIN),
    "linear": (rope(10000.0, "linear", factor=4.0), PLAIN),
    "yarn": ({**WIDE, **rope(1000.0, "yarn", factor=4.0, original_max_position_embeddings=16)},
             rope(1000.0)),
    "yarn-tuned": ({**WIDE, **rope(1000.0, "yarn", factor=2.0, beta_fast=2.0, beta_slow=0.25,
                                   attention_factor=1.3, original_max_position_embeddings=32)},
                   rope(1000.0, "yarn", factor=2.0, original_max_position_embeddings=32)),
    "llama3": ({**WIDE, **rope(10000.0, "llama3", **LLAMA3)}, PLAIN),
    "bias": ({"num_key_value_heads": 2, "attention_bias": True, **PLAIN},
             {"attention_bias": False}),
    "window": ({"num_key_value_heads": 2, "sliding_window": 8, **PLAIN}, {"sliding_window": None}),
    "mlp-bias": ({"num_key_value_heads": 2, "attention_bias": True, "mlp_bias": True, **PLAIN},
                 {"mlp_bias": False}),
    # No multiple of 8: the caches hold zeros behind each head.
    "head-20": ({"num_key_value_heads": 2, "head_dim": 20, "num_hidden_layers": 1, **PLAIN}, None),
    "head-98": ({"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 98,
                 "num_hidden_layers": 1, **PLAIN}, None),
}


def make(settings):
    if "sliding_window" in settings:
        return MistralForCausalLM(MistralConfig(**{**BASE, **settings})).double().eval()
    return LlamaForCausalLM(LlamaConfig(**{**BASE, **settings})).double().eval()


# Values are floats, so that the file holds them exactly.
def fill(model, rng):
    for name, p in model.named_parameters():
        if name.endswith("norm.weight"):
            x = rng.uniform(0.7, 1.3, p.shape)
        elif name.endswith("bias"):
            x = rng.normal(0.0, 0.5, p.shape)
        elif "embed" in name:
            x = rng.normal(0.0, 1.0, p.shape)
        else:
            gain = 2.0 if "q_proj" in name or "k_proj" in name else 1.0
            x = rng.normal(0.0, gain / math.sqrt(p.shape[1]), p.shape)
        p.data = torch.from_numpy(x.astype(np.float32).astype(np.float64))


def logits_of(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].numpy()


def largest_difference(a, b):
    return float((np.abs(a - b).max(axis=1) / np.abs(b).max(axis=1)).max())


# From halves, as transformers turns dimensions (i, i + n / 2), to neighbours (2 i, 2 i + 1).
def permute(w, n_head):
    halves = w.reshape(n_head, 2, w.shape[0] // n_head // 2, *w.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(w.shape)


NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
TOP = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
       "lm_head.weight": "output.weight"}


def add_tensors(out, model):
    c = model.config
    heads = {"self_attn.q_proj": c.num_attention_heads, "self_attn.k_proj": c.num_key_value_heads}
    for name, p in model.named_parameters():  # a tied output comes once
        w = p.detach().numpy().astype(np.float32)
        if name in TOP:
            out.add_tensor(TOP[name], w)
            continue
        layer, rest = name.removeprefix("model.layers.").split(".", 1)
        stem, kind = rest.rsplit(".", 1)
        if stem in heads:
            w = permute(w, heads[stem])
        out.add_tensor(f"blk.{layer}.{NAMES[stem]}.{kind}", w)


# Llama 3's scaling is stored as the divisor of each pair's frequency, from its published formula.
def llama3_divisors(theta, n_rot, p):
    original = p["original_max_position_embeddings"]
    divisors = []
    for i in range(n_rot // 2):
        wave = 2 * math.pi * theta ** (2 * i / n_rot)
        if wave < original / p["high_freq_factor"]:
            divisors.append(1.0)
        elif wave > original / p["low_freq_factor"]:
            divisors.append(p["factor"])
        else:
            smooth = original / wave - p["low_freq_factor"]
            smooth /= p["high_freq_factor"] - p["low_freq_factor"]
            divisors.append(1 / ((1 - smooth) / p["factor"] + smooth))
    return np.array(divisors, dtype=np.float32)


def add_rope(out, c, n_rot):
    p = c.rope_parameters
    out.add_rope_dimension_count(n_rot)
    out.add_rope_freq_base(p["rope_theta"])
    if p["rope_type"] == "llama3":
        out.add_tensor("rope_freqs.weight", llama3_divisors(p["rope_theta"], n_rot, p))
    if p["rope_type"] not in ("linear", "yarn"):
        return
    out.add_rope_scaling_type(RopeScalingType(p["rope_type"]))
    out.add_rope_scaling_factor(p["factor"])
    if p["rope_type"] == "yarn":
        out.add_rope_scaling_orig_ctx_len(p["original_max_position_embeddings"])
    if p.get("beta_fast"):
        out.add_rope_scaling_yarn_beta_fast(p["beta_fast"])
        out.add_rope_scaling_yarn_beta_slow(p["beta_slow"])
    if p.get("attention_factor"):
        # The file's factor comes on top of what the scaling itself asks for.
        out.add_rope_scaling_attn_factors(p["attention_factor"] / (1 + 0.1 * math.log(p["factor"])))


def add_vocabulary(out):
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(0x20, 0x20 + N_VOCAB - 3)]
    kinds = [TokenType.UNKNOWN, TokenType.CONTROL, TokenType.CONTROL]
    out.add_tokenizer_model("llama")
    out.add_token_list(tokens)
    out.add_token_scores([0.0] * N_VOCAB)
    out.add_token_types(kinds + [TokenType.BYTE] * (N_VOCAB - 3))


def write_gguf(path, model):
    c = model.config
    out = GGUFWriter(path, "llama")
    out.add_block_count(c.num_hidden_layers)
    out.add_context_length(c.max_position_embeddings)
    out.add_embedding_length(c.hidden_size)
    out.add_feed_forward_length(c.intermediate_size)
    out.add_head_count(c.num_attention_heads)
    out.add_head_count_kv(c.num_key_value_heads)
    out.add_layer_norm_rms_eps(c.rms_norm_eps)
    n_rot = c.head_dim or c.hidden_size // c.num_attention_heads
    if n_rot != c.hidden_size // c.num_attention_heads:
        out.add_key_length(n_rot)
        out.add_value_length(n_rot)
    if getattr(c, "sliding_window", None):
        out.add_sliding_window(c.sliding_window)
    add_vocabulary(out)
    add_rope(out, c, n_rot)
    add_tensors(out, model)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for seed, (name, (settings, without)) in enumerate(CASES.items()):
        rng = np.random.default_rng(1000 + seed)
        model = make(settings)
        fill(model, rng)
        ids = [1] + [int(i) for i in rng.integers(3, N_VOCAB, N_TOK - 1)]
        logits = logits_of(model, ids)
        line = f"{name}: max |logit| {np.abs(logits).max():.2f}"
        if without is not None:
            other = make({**settings, **without})
            other.load_state_dict(model.state_dict(), strict=False)
            change = largest_difference(logits_of(other, ids), logits)
            assert change > 0.02, f"{name}: without its feature it differs by {change:.2g} only"
            line += f", without its feature {change:.2f} off"
        write_gguf(folder / f"{name}.gguf", model)
        logits.astype("<f4").tofile(folder / f"{name}.f32")
        (folder / f"{name}.ids.txt").write_text(" ".join(map(str, ids)) + "\n")
        print(line, (folder / f"{name}.gguf").stat().st_size, "bytes")


if __name__ == "__main__":
    main()
