#!/usr/bin/env python3
# Makes the encoders of tests/golden/families/: tiny random models that give embeddings, with what
# transformers computes for them, for tests/families/encoders.c.
#
#   encoders.py <tests/golden/families> [family...]      needs what families.py needs
#
#   <family>.gguf.zst  F32 weights, as families.py makes them
#   <family>.ids.txt   a line of ids for each text
#   <family>.f32       of each token of each text what the model has of it, [n_tokens, n_embd], raw
#                      floats; of a classifier then its score of each text
import math
import sys
from pathlib import Path

import numpy as np
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

# family: (model class, settings, {feature: settings without it})
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
    "qwen3-embed": ("Qwen3Model", {**families.BASE, **families.sizes(2, 32, 80, 3, 1, 128),
                                   "rope_parameters": families.rope(1000000.0)}, {}),
}


def make(name, settings):
    kind = FAMILIES[name][0]
    stem = kind.removesuffix("Model").removesuffix("ForSequenceClassification")
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
    _, settings, without = FAMILIES[name]
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
    np.concatenate([rows.ravel(), scores]).astype("<f4").tofile(folder / f"{name}.f32")
    (folder / f"{name}.ids.txt").write_text("".join(" ".join(map(str, ids)) + "\n" for ids in texts))
    n = families.convert(model, settings, folder / f"{name}.gguf.zst")
    print(f"{name}: {n} bytes, packed {(folder / f'{name}.gguf.zst').stat().st_size}; scores {scores}")


def main():
    folder = Path(sys.argv[1])
    for name in sys.argv[2:] or FAMILIES:
        make_case(folder, name)


if __name__ == "__main__":
    main()
