#!/usr/bin/env python3
# Makes the encoders of tests/golden/families/: tiny random models that give embeddings, with what
# transformers computes for them, for tests/families/encoders.c.
#
#   encoders.py <tests/golden/families> [family...]      needs what families.py needs
#
#   <family>.gguf.zst  F32 weights, as families.py makes them
#   <family>.ids.txt   a line of ids for each text
#   <family>.f32       of each token of each text what the model has of it, [n_tokens, n_embd], raw
#                      floats; of a classifier then its score of each text; of one with dense layers what
#                      these make of each text's mean
import json
import math
import sys
import types
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import transformers

import families

N_VOCAB = families.N_VOCAB
LENGTHS = [1, 7, 40, 290, 23]  # one passes a block of 256 keys
BERT = {"vocab_size": N_VOCAB, "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3,
        "intermediate_size": 72, "max_position_embeddings": 320, "attn_implementation": "eager",
        "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
ROPES = {"full_attention": {"rope_type": "default", "rope_theta": 160000.0},
         "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}


# Jina Embeddings 2, of which transformers has no class, by its paper's equations and the names of its weights.
class JinaBertV2(torch.nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.config, self.settings = types.SimpleNamespace(), settings
        d, ff = settings["hidden_size"], settings["intermediate_size"]
        linear, norm = torch.nn.Linear, torch.nn.LayerNorm

        def of(**parts):
            return torch.nn.ModuleDict(parts)

        self.embeddings = of(word_embeddings=torch.nn.Embedding(N_VOCAB, d),
                             token_type_embeddings=torch.nn.Embedding(2, d), LayerNorm=norm(d, 1e-12))
        self.encoder = of(layer=torch.nn.ModuleList(
            of(attention=of(self=of(query=linear(d, d), key=linear(d, d), value=linear(d, d)),
                            output=of(dense=linear(d, d), LayerNorm=norm(d, 1e-12))),
               mlp=of(gated_layers=linear(d, 2 * ff, bias=False), wo=linear(ff, d),
                      layernorm=norm(d, 1e-12)))
            for _ in range(settings["num_hidden_layers"])))

    def slopes(self):
        n = self.settings["num_attention_heads"]
        first = 2 ** int(math.log2(n))
        more = [2.0 ** (-8 * i / (2 * first)) for i in range(1, 2 * first, 2)]
        return torch.tensor([2.0 ** (-8 * (i + 1) / first) for i in range(first)] + more[:n - first]).double()

    def forward(self, ids, output_hidden_states=True):
        n, heads = ids.shape[1], self.settings["num_attention_heads"]
        at = torch.arange(n)
        bias = -self.settings.get("alibi", 1.0) * self.slopes().view(-1, 1, 1) * (at - at.view(-1, 1)).abs()
        e = self.embeddings
        x = e["LayerNorm"](e["word_embeddings"](ids[0]) + e["token_type_embeddings"].weight[0])
        for layer in self.encoder["layer"]:
            q, k, v = (layer["attention"]["self"][name](x).view(n, heads, -1).transpose(0, 1)
                       for name in ("query", "key", "value"))
            p = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[2]) + bias, dim=-1)
            out = layer["attention"]["output"]
            x = out["LayerNorm"](x + out["dense"]((p @ v).transpose(0, 1).flatten(1)))
            gate, up = layer["mlp"]["gated_layers"](x).chunk(2, dim=-1)
            x = layer["mlp"]["layernorm"](
                x + layer["mlp"]["wo"](torch.nn.functional.gelu(gate) * up))
        return transformers.modeling_outputs.BaseModelOutput(last_hidden_state=x[None])

    def save_pretrained(self, folder):
        safetensors.torch.save_file(self.state_dict(), Path(folder, "model.safetensors"),
                                    metadata={"format": "pt"})
        Path(folder, "config.json").write_text(
            json.dumps({**self.settings, "architectures": ["JinaBertModel"]}))


# The names that came with the weights, and the order of their rows.
def as_jina_v3(tensors):
    names = {"embeddings.LayerNorm": "emb_ln", "self_attn.o_proj": "mixer.out_proj",
             "post_attention_layernorm": "norm1", "post_mlp_layernorm": "norm2"}
    out = {}
    for name, t in tensors.items():
        for old, new in names.items():
            name = name.replace(old, new)
        if name.startswith("embeddings.") or name.startswith("emb_ln") or "encoder" in name:
            out[name] = t
    for end in ("weight", "bias"):
        for i in range(sum(n.endswith("q_proj.bias") for n in tensors)):
            parts = [out.pop(f"encoder.layers.{i}.self_attn.{x}_proj.{end}") for x in "qkv"]
            out[f"encoder.layers.{i}.mixer.Wqkv.{end}"] = torch.cat(parts)
    return out


# family: (model class, settings, {feature: settings without it}, families.convert's world)
FAMILIES = {
    "bert": ("BertModel", {**BERT, "type_vocab_size": 2}, {"gelu": {"hidden_act": "silu"}}),
    "xlm-roberta-rank": ("XLMRobertaForSequenceClassification",
                         {**BERT, "type_vocab_size": 1, "num_labels": 1, "max_position_embeddings": 321},
                         {}),
    "modern-bert": ("ModernBertModel", {**BERT, "num_hidden_layers": 4, "local_attention": 20,
                                        "rope_parameters": ROPES, "global_attn_every_n_layers": 3},
                    {"window": {"local_attention": 1000},
                     "gelu": {"hidden_activation": "silu"}}),
    # Settings of the code that came with the weights are what the converter reads.
    "nomic-bert": ("NomicBertModel", {**BERT, "max_position_embeddings": 2048, "type_vocab_size": 2,
                                      "layer_norm_eps": 1e-5, "rope_parameters": families.rope(1000.0),
                                      "n_positions": 8192, "activation_function": "swiglu",
                                      "causal": False, "qkv_proj_bias": False, "mlp_fc1_bias": False,
                                      "mlp_fc2_bias": False, "prenorm": False,
                                      "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False,
                                      "rotary_emb_scale_base": None, "rotary_emb_base": 1000},
                   {"its rope": {"rope_parameters": families.rope(100000.0)}}),
    "jina-bert-v2": ("JinaBertV2", {**BERT, "type_vocab_size": 2}, {"slopes": {"alibi": 0.0}}, {}),
    # Its adapters for tasks are files of their own.
    "jina-bert-v3": ("JinaEmbeddingsV3Model",
                     {**BERT, "type_vocab_size": 1, "rope_parameters": families.rope(20000.0)},
                     {"its rope": {"rope_parameters": families.rope(2000000.0)},
                      "gelu": {"hidden_act": "silu"}},
                     {"architectures": "XLMRobertaModel", "tensors": as_jina_v3,
                      "config": {"lora_adaptations": ["task"], "position_embedding_type": "rotary"}}),
    # dense_2 and dense_3 behind the pooling.
    "gemma-embedding": ("Gemma3TextModel",
                        {**families.BASE, **families.sizes(7, 42, 48, 3, 1, 40),
                         "hidden_activation": "gelu_pytorch_tanh", "query_pre_attn_scalar": 40,
                         "sliding_window": 20, "layer_types": families.types(6, 7),
                         "use_bidirectional_attention": True,
                         "rope_parameters": families.GEMMA3_ROPE},
                        {"window": {"sliding_window": 1000},
                         "two ropes": {"rope_parameters": {
                             **families.GEMMA3_ROPE, "sliding_attention": families.rope(1000000.0)}}},
                        {"config": {"sliding_window": 20}, "dense": (72, 36)}),
    "t5encoder": ("T5EncoderModel",
                  {"vocab_size": N_VOCAB, "d_model": 48, "d_kv": 20, "d_ff": 72, "num_layers": 2,
                   "num_heads": 3, "feed_forward_proj": "gated-gelu", "n_positions": 512}, {}, {}),
    "t5encoder-relu": ("T5EncoderModel",
                       {"vocab_size": N_VOCAB, "d_model": 48, "d_kv": 16, "d_ff": 72, "num_layers": 2,
                        "num_heads": 3, "feed_forward_proj": "relu", "n_positions": 512}, {}, {}),
    "eurobert": ("EuroBertModel", {**families.BASE, **families.sizes(2, 48, 72, 3, 1),
                                   "rope_parameters": families.rope(250000.0)},
                 {"its rope": {"rope_parameters": families.rope(100.0)}}),
    "qwen3-embed": ("Qwen3Model", {**families.BASE, **families.sizes(2, 32, 80, 3, 1, 128),
                                   "rope_parameters": families.rope(1000000.0)}, {}),
    # A decoder whose tokens see the text from the beginning of their part of it on.
    "llama4-embed": ("Llama4TextModel", {**families.BASE, **families.llama4(32), "num_local_experts": 3,
                                         "intermediate_size": 32, "interleave_moe_layer_step": 4},
                     {"chunks": {"attention_chunk_size": 512}},
                     {"architectures": "Llama4ForCausalLM", "keys": families.CHUNKS,
                      "tensors": lambda tensors: {f"model.{n}": t for n, t in tensors.items()}}),
}


def make(name, settings):
    kind = FAMILIES[name][0]
    if kind == "JinaBertV2":
        return JinaBertV2(settings).double().eval()
    stem = kind.removesuffix("Model").removesuffix("ForSequenceClassification")
    stem = "T5" if stem == "T5Encoder" else stem
    config = getattr(transformers, f"{stem}Config")(**settings)
    return getattr(transformers, kind)(config).double().eval()


def fill(model, rng):
    for name, p in model.named_parameters():
        if "norm" in name.lower():
            x = (0.0 if name.endswith("bias") else 1.0) + rng.integers(-4, 5, p.shape) / 16
        elif name.endswith("bias"):
            x = rng.integers(-7, 8, p.shape) / 16
        else:
            gain = 4.0 if any(n in name for n in ("query", "key", "q_proj", "k_proj", "Wqkv")) else 1.5
            fan_in = 1 if "embed" in name else p.shape[-1]
            step = 2.0 ** round(math.log2(gain / math.sqrt(fan_in) / 2.0))
            x = rng.integers(-3, 4, p.shape) * step
        p.data = torch.from_numpy(np.asarray(x, dtype=np.float64))


# Rows of each text's tokens, and scores.
def run(model, texts):
    rows, scores = [], []
    for ids in texts:
        with torch.no_grad():
            out = model(torch.tensor([ids]), output_hidden_states=True)
        rows.append((out.last_hidden_state if "last_hidden_state" in out else out.hidden_states[-1])[0].numpy())
        if "logits" in out:
            scores.append(float(out.logits[0, 0]))
    return np.concatenate(rows), np.array(scores)


def make_case(folder, name):
    _, settings, without, *world = FAMILIES[name]
    rng = np.random.default_rng(3)
    model = make(name, settings)
    fill(model, rng)
    texts = [[1] + [int(i) for i in rng.integers(3, N_VOCAB, n - 1)] for n in LENGTHS]
    rows, scores = run(model, texts)
    for feature, changed in without.items():
        other = make(name, {**settings, **changed})
        other.load_state_dict(model.state_dict())
        moved = families.largest_difference(run(other, texts)[0], rows)
        print(f"{name}: without {feature} {moved:.3f} off")
        assert moved > 0.02, (name, feature)
    ends = np.cumsum(LENGTHS)
    given = [rows[end - n:end].mean(axis=0) for n, end in zip(LENGTHS, ends)]
    sizes = world[0].get("dense", []) if world else []
    dense = [rng.integers(-3, 4, (n_out, n_in)) * 2.0 ** -4
             for n_in, n_out in zip([rows.shape[1], *sizes], sizes)]
    if dense:
        world = [{**world[0], "dense": dense}]
    for m in dense:
        given = [m @ v for v in given]
    pooled = np.concatenate(given) if dense else np.array([])
    np.concatenate([rows.ravel(), scores, pooled]).astype("<f4").tofile(folder / f"{name}.f32")
    (folder / f"{name}.ids.txt").write_text("".join(" ".join(map(str, ids)) + "\n" for ids in texts))
    n = families.convert(model, settings, folder / f"{name}.gguf.zst", *world)
    print(f"{name}: {n} bytes, packed {(folder / f'{name}.gguf.zst').stat().st_size}; scores {scores}")


def main():
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or FAMILIES:
        make_case(folder, name)


if __name__ == "__main__":
    main()
