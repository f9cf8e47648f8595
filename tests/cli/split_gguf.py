"""Cuts a GGUF file into parts, as llama.cpp's gguf-split does: all keys in the first, split.* in each.

    split_gguf.py IN.gguf PREFIX N    writes PREFIX-00001-of-0000N.gguf and so on
"""
import struct
import sys

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
ALIGN = 32
data = open(sys.argv[1], "rb").read()
prefix, n_parts = sys.argv[2], int(sys.argv[3])
at = 24


def number(code):
    global at
    at += struct.calcsize(code)
    return struct.unpack_from(code, data, at - struct.calcsize(code))[0]


def text():
    global at
    n = number("<Q")
    at += n
    return data[at - n:at]


def skip(kind):
    global at
    if kind == 8:
        text()
    elif kind == 9:
        item, n = number("<I"), number("<Q")
        for _ in range(n):
            skip(item)
    else:
        at += SIZES[kind]


n_tensors, n_keys = struct.unpack_from("<QQ", data, 8)
for _ in range(n_keys):
    text()
    skip(number("<I"))
keys = data[24:at]
tensors = []
for _ in range(n_tensors):
    name = text()
    dims = [number("<Q") for _ in range(number("<I"))]
    tensors.append((name, dims, number("<I"), number("<Q")))
start = (at + ALIGN - 1) // ALIGN * ALIGN
ends = sorted(t[3] for t in tensors) + [len(data) - start]


def string(b):
    return struct.pack("<Q", len(b)) + b


for part in range(n_parts):
    mine = tensors[part * n_tensors // n_parts:(part + 1) * n_tensors // n_parts]
    out = struct.pack("<4sIQQ", b"GGUF", 3, len(mine), 3 + (n_keys if part == 0 else 0))
    out += keys if part == 0 else b""
    for key, kind, code, value in ("split.no", 2, "<H", part), ("split.count", 2, "<H", n_parts), \
            ("split.tensors.count", 5, "<i", n_tensors):
        out += string(key.encode()) + struct.pack("<I", kind) + struct.pack(code, value)
    body = b""
    for name, dims, kind, offset in mine:
        out += string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, len(body))
        body += data[start + offset:start + ends[ends.index(offset) + 1]]
        body += bytes(-len(body) % ALIGN)
    with open(f"{prefix}-{part + 1:05d}-of-{n_parts:05d}.gguf", "wb") as f:
        f.write(out + bytes(-len(out) % ALIGN) + body)
