#!/usr/bin/env python3
# Makes the seeds of tests/fuzz/gguf_fuzz.c: small GGUF files, good ones and ones that break one
# rule, written with nothing but struct. Deterministic.
#
#   gguf_seeds.py <tests/fuzz/corpus/gguf>
import struct
import sys
from pathlib import Path

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
FORMATS = dict(zip(range(13), ["B", "b", "H", "h", "I", "i", "f", "?", "", "", "Q", "q", "d"]))
BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 8: (32, 34), 12: (256, 144), 24: (1, 1), 40: (64, 36)}


def text(s):
    raw = s.encode() if isinstance(s, str) else s
    return struct.pack("<Q", len(raw)) + raw


def item(kind, value):
    return text(value) if kind == STRING else struct.pack("<" + FORMATS[kind], value)


def pair(key, kind, value):
    return text(key) + struct.pack("<I", kind) + item(kind, value)


def array(key, kind, values):
    head = text(key) + struct.pack("<IIQ", ARRAY, kind, len(values))
    return head + b"".join(item(kind, v) for v in values)


def tensor(name, dims, kind, offset):
    head = text(name) + struct.pack("<I", len(dims)) + struct.pack(f"<{len(dims)}Q", *dims)
    return head + struct.pack("<IQ", kind, offset)


def build(pairs, tensors, version=3, align=32, cut=0):
    infos, offset = b"", 0
    for name, dims, kind in tensors:
        infos += tensor(name, dims, kind, offset)
        elements = 1
        for d in dims:
            elements *= d
        block, size = BLOCKS[kind]
        offset += -(-elements // block * size // align) * align
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(pairs)) + b"".join(pairs) + infos
    head += bytes(-len(head) % align) + bytes(i * 31 % 251 for i in range(offset))
    return head[: len(head) - cut]


def seeds():
    arch = pair("general.architecture", STRING, "llama")
    numbers = [pair(f"n.{k}", k, 1) for k in FORMATS if FORMATS[k]]
    arrays = [array(f"a.{k}", k, [1, 0, 1]) for k in FORMATS if FORMATS[k]]
    words = array("tokenizer.ggml.tokens", STRING, ["<s>", "", "the", b"\xff\x00"])
    one = [("w", [4], 0)]
    many = [("embd", [8, 3], 0), ("up", [64, 2], 8), ("k", [256], 12), ("f", [5, 1, 3, 2], 24),
            ("h", [7], 1), ("q", [32, 2], 2), ("nv", [64], 40)]
    yield "empty", build([], [])
    yield "numbers", build(numbers, [])
    yield "arrays", build(arrays, [])
    yield "words", build([arch, words], [])
    yield "one", build([arch], one)
    yield "many", build([arch, words] + numbers, many)
    yield "v2", build([arch], one, version=2)
    yield "align8", build([pair("general.alignment", U32, 8)], many, align=8)
    yield "align64", build([pair("general.alignment", U32, 64)], many, align=64)
    yield "split", build([pair("split.count", U16, 3)], one)
    yield "twins", build([arch, arch], one + one)
    yield "cut", build([arch, words], many, cut=100)
    yield "big_endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0)


def main(out):
    out.mkdir(parents=True, exist_ok=True)
    for name, data in seeds():
        (out / (name + ".gguf")).write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
