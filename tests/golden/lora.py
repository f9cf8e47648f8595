#!/usr/bin/env python3
# Makes tests/golden/lora/: a tiny random llama, two LoRA adapters of it, and the logits that
# transformers computes with W + factor B A in the place of W, for tests/families/lora.c.
#
#   lora.py <tests/golden/lora>      needs what families.py needs, and peft==0.18.1
#
#   llama.gguf.zst  F32 weights, by llama.cpp's own converter
#   first.gguf      F32, rank 4, alpha 8: queries, keys, values, gate
#   second.gguf     F16, rank 3, alpha 12: queries, attention's output, up, down, the model's output
#   ids.txt         ids of a prompt of 40, and 64 more that transformers chooses with both adapters
#   both.f32        logits after the prompt and after each of these, with the first times 1 and the
#                   second times 0.5: [65, n_vocab], raw floats
#   first.f32       the same with the first alone
#   peft/           the folder that peft writes of the first, and the model's config.json
#
#   experts.*       the same of a tiny qwen3moe whose output is its table of tokens: experts.first.gguf, of
#                   the experts' gate and up, of queries and of the table; experts.second.gguf, of gate, down
#                   and the output, which then is no longer that table; experts.f32 with both
#
# Adapters are written as llama.cpp's convert_lora_to_gguf does: names of the converter, and B of
# queries and keys in the order of rows that llama's heads have in GGUF.
import copy
import json
import sys
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import conversion.base

import families

gguf = conversion.base.gguf
N_PROMPT = families.N_PROMPT
N_HEAD, N_KV = 6, 2
SETTINGS = {**families.sizes(2, 96, 160, N_HEAD, N_KV), "rope_parameters": families.rope(10000.0)}
NAMES = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
# name: (rank, alpha, scale, type, modules)
ADAPTERS = {
    "first": (4, 8.0, 1.0, np.float32, ["q_proj", "k_proj", "v_proj", "gate_proj"]),
    "second": (3, 12.0, 0.5, np.float16, ["q_proj", "o_proj", "up_proj", "down_proj", "lm_head"]),
}


# {name of a parameter: (A [rank, n_in], B [n_out, rank])}, multiples of powers of two
def make_adapter(model, rng, rank, modules):
    made = {}
    for name, p in model.named_parameters():
        if name.split(".")[-2] not in modules:
            continue
        a = rng.integers(-3, 4, (rank, p.shape[1])) / 8
        b = rng.integers(-3, 4, (p.shape[0], rank)) / 32
        made[name] = (a, b)
    return made


def merged(model, adapters):
    m = copy.deepcopy(model)
    parameters = dict(m.named_parameters())
    for made, factor in adapters:
        for name, (a, b) in made.items():
            parameters[name].data += torch.from_numpy(factor * (b @ a))
    return m


# The order in which GGUF has the rows of llama's queries and keys.
def permute(rows, n_head):
    size = rows.shape[0] // n_head // 2
    return rows.reshape(n_head, 2, size, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def write_tensors(path, arch, made, alpha, dtype):
    out = gguf.GGUFWriter(path, arch)
    out.add_type(gguf.GGUFType.ADAPTER)
    out.add_string(gguf.Keys.Adapter.TYPE, "lora")
    out.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
    for stem, (a, b) in made.items():
        out.add_tensor(f"{stem}.weight.lora_a", a.astype(dtype))
        out.add_tensor(f"{stem}.weight.lora_b", b.astype(dtype))
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def write_adapter(path, made, alpha, dtype):
    stems = {}
    for name, (a, b) in made.items():
        parts = name.split(".")
        stem = "output" if name == "lm_head.weight" else f"blk.{parts[2]}.{NAMES['.'.join(parts[3:5])]}"
        if stem.endswith("attn_q"):
            b = permute(b, N_HEAD)
        if stem.endswith("attn_k"):
            b = permute(b, N_KV)
        stems[stem] = (a, b)
    write_tensors(path, "llama", stems, alpha, dtype)


# That the same adapter in peft gives the same logits; and the folder that it writes, with the model's settings.
def check_with_peft(model, made, rank, alpha, ids, logits, folder):
    import peft
    modules = sorted({name.split(".")[-2] for name in made})
    m = peft.get_peft_model(copy.deepcopy(model), peft.LoraConfig(
        r=rank, lora_alpha=alpha, target_modules=modules, lora_dropout=0.0)).double().eval()
    for name, (a, b) in made.items():
        module = m.base_model.model.get_submodule(name.removesuffix(".weight"))
        module.lora_A["default"].weight.data = torch.from_numpy(a)
        module.lora_B["default"].weight.data = torch.from_numpy(b)
    off = families.largest_difference(families.logits_of(m, ids)[N_PROMPT - 1:], logits)
    print(f"peft: {off:.1e} off")
    assert off < 1e-9
    m.float().save_pretrained(folder)
    (folder / "README.md").unlink()
    model.config.architectures = [type(model).__name__]
    model.config.to_json_file(folder / "config.json")


EXPERTS = {**families.sizes(2, 64, 96, 3, 1, 40), "moe_intermediate_size": 32, "num_experts": 5,
           "num_experts_per_tok": 2, "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": [],
           "tie_word_embeddings": True, "rope_parameters": families.rope(10000.0)}
# name: (rank, alpha, scale, type, ends of names)
OF_EXPERTS = {
    "experts.first": (4, 8.0, 1.0, np.float32, ["ffn_gate_exps", "ffn_up_exps", "attn_q", "token_embd"]),
    "experts.second": (3, 12.0, 0.5, np.float16, ["ffn_gate_exps", "ffn_down_exps", "output"]),
}


# {GGUF's name: (A, B)}: of experts one of each behind the other; of the table of tokens A [n_vocab, rank].
def make_of_experts(rng, rank, ends):
    d, ff, n, n_vocab = 64, EXPERTS["moe_intermediate_size"], EXPERTS["num_experts"], families.N_VOCAB
    shapes = {"ffn_gate_exps": (ff, d), "ffn_up_exps": (ff, d), "ffn_down_exps": (d, ff), "attn_q": (120, d)}
    made = {}
    for end in ends:
        for name in [f"blk.{i}.{end}" for i in range(2)] if end in shapes else [end]:
            rows, cols = shapes.get(end, (n_vocab, d))
            front = (n,) if end.endswith("_exps") else ()
            a_shape, b_shape = (rank, cols), (rows, rank)
            if end == "token_embd":
                a_shape, b_shape = (rows, rank), (cols, rank)
            made[name] = (rng.integers(-3, 4, front + a_shape) / 8, rng.integers(-3, 4, front + b_shape) / 32)
    return made


def merge_experts(model, adapters):
    m = copy.deepcopy(model)
    m.lm_head.weight = torch.nn.Parameter(m.lm_head.weight.data.clone())
    m.config.tie_word_embeddings = False
    for made, factor in adapters:
        for name, (a, b) in made.items():
            delta = torch.from_numpy(factor * (a @ b.T if name == "token_embd" else b @ a))
            if name in ("token_embd", "output"):
                (m.model.embed_tokens if name == "token_embd" else m.lm_head).weight.data += delta
                continue
            layer = m.model.layers[int(name.split(".")[1])]
            experts, ff = layer.mlp.experts, EXPERTS["moe_intermediate_size"]
            if name.endswith("gate_exps"):
                experts.gate_up_proj.data[:, :ff] += delta
            elif name.endswith("up_exps"):
                experts.gate_up_proj.data[:, ff:] += delta
            elif name.endswith("down_exps"):
                experts.down_proj.data += delta
            else:
                layer.self_attn.q_proj.weight.data += delta
    return m


# The first of them as PEFT writes it of a model whose experts are layers of their own (transformers 4).
def write_peft(folder, model, made, rank, alpha):
    names = {"attn_q": "self_attn.q_proj", "ffn_gate_exps": "mlp.experts.{}.gate_proj",
             "ffn_up_exps": "mlp.experts.{}.up_proj"}
    tensors = {}
    for name, (a, b) in made.items():
        if name == "token_embd":
            tensors.update({"model.embed_tokens.lora_embedding_A": a.T, "model.embed_tokens.lora_embedding_B": b})
            continue
        _, layer, end = name.split(".")
        for e in range(len(a) if end.endswith("_exps") else 1):
            stem = f"model.layers.{layer}." + names[end].format(e)
            parts = (a[e], b[e]) if end.endswith("_exps") else (a, b)
            tensors.update({f"{stem}.lora_{x}.weight": part for x, part in zip("AB", parts)})
    folder.mkdir(exist_ok=True)
    safetensors.torch.save_file({f"base_model.model.{n}": torch.from_numpy(np.ascontiguousarray(t)).half()
                                 for n, t in tensors.items()}, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": rank, "lora_alpha": alpha}) + "\n")
    model.config.architectures = [type(model).__name__]
    model.config.to_json_file(folder / "config.json")


def make_experts(folder):
    families.FAMILIES["experts"] = ("Qwen3Moe", EXPERTS, {})
    for seed in range(100):
        rng = np.random.default_rng(seed)
        model = families.make("experts", EXPERTS)
        families.fill(model, rng, "qwen3moe")
        adapters = [(make_of_experts(rng, rank, ends), scale * alpha / rank)
                    for rank, alpha, scale, _, ends in OF_EXPERTS.values()]
        prompt = [1] + [int(i) for i in rng.integers(3, families.N_VOCAB, N_PROMPT - 1)]
        decoded = families.decode(merge_experts(model, adapters), prompt)
        if decoded:
            break
    ids, logits = decoded
    # Each of them counts.
    for i, (made, factor) in enumerate(adapters):
        for end in OF_EXPERTS[list(OF_EXPERTS)[i]][4]:
            rest = {n: x for n, x in made.items() if not n.endswith(end)}
            other = [(rest, factor) if k == i else x for k, x in enumerate(adapters)]
            off = families.largest_difference(families.logits_of(merge_experts(model, other), ids)[N_PROMPT - 1:],
                                              logits)
            print(f"seed {seed}: without {end} of adapter {i} {off:.2f} off")
            assert off > 0.02
    logits.astype("<f4").tofile(folder / "experts.f32")
    (folder / "experts.ids.txt").write_text(" ".join(map(str, ids)) + "\n")
    for (name, (_, alpha, _, dtype, _)), (made, _) in zip(OF_EXPERTS.items(), adapters):
        write_tensors(folder / f"{name}.gguf", "qwen3moe", made, alpha, dtype)
    rank, alpha = OF_EXPERTS["experts.first"][:2]
    write_peft(folder / "experts.peft", model, adapters[0][0], rank, alpha)
    families.convert(model, EXPERTS, folder / "experts.gguf.zst")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    families.FAMILIES["llama"] = ("LlamaForCausalLM", SETTINGS, {})
    for seed in range(100):
        rng = np.random.default_rng(seed)
        model = families.make("llama", SETTINGS)
        families.fill(model, rng, "llama")
        adapters = []
        for rank, alpha, scale, _, modules in ADAPTERS.values():
            adapters.append((make_adapter(model, rng, rank, modules), scale * alpha / rank))
        both = merged(model, adapters)
        prompt = [1] + [int(i) for i in rng.integers(3, families.N_VOCAB, N_PROMPT - 1)]
        decoded = families.decode(both, prompt)
        if decoded:
            break
    ids, logits = decoded
    first = families.logits_of(merged(model, adapters[:1]), ids)[N_PROMPT - 1:]
    plain = families.logits_of(model, ids)[N_PROMPT - 1:]
    for name, other in (("first", first), ("no", plain)):
        off = families.largest_difference(other, logits)
        print(f"seed {seed}: with {name} adapter alone {off:.2f} off")
        assert off > 0.02
    assert families.largest_difference(first, plain) > 0.02
    rank, alpha = ADAPTERS["first"][:2]
    check_with_peft(model, adapters[0][0], rank, alpha, ids, first, folder / "peft")
    logits.astype("<f4").tofile(folder / "both.f32")
    first.astype("<f4").tofile(folder / "first.f32")
    (folder / "ids.txt").write_text(" ".join(map(str, ids)) + "\n")
    for (name, (_, alpha, _, dtype, _)), (made, _) in zip(ADAPTERS.items(), adapters):
        write_adapter(folder / f"{name}.gguf", made, alpha, dtype)
    families.convert(model, SETTINGS, folder / "llama.gguf.zst")
    make_experts(folder)


if __name__ == "__main__":
    main()
