#!/usr/bin/env python3
# Makes tests/fuzz/corpus/safetensors/: small files, right and nearly right, and JSON texts.
#
#   safetensors_seeds.py <tests/fuzz/corpus/safetensors>
import json
import struct
import sys
from pathlib import Path

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def save(name, header, data=b"", n=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (out / name).write_bytes(struct.pack("<Q", len(text) if n is None else n) + text + data)


def tensor(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


save("two", {"a": tensor("F32", [2, 1], 0, 8), "b": tensor("BF16", [3], 8, 14)}, bytes(14))
save("metadata", {"__metadata__": {"format": "pt"}, "a": tensor("F16", [1], 0, 2)}, bytes(2))
save("scalar", {"a": tensor("I64", [], 0, 8)}, bytes(8))
save("nothing", {"a": tensor("U8", [0, 4], 0, 0)})
save("empty", {})
save("overlap", {"a": tensor("U8", [4], 0, 4), "b": tensor("U8", [4], 2, 6)}, bytes(6))
save("hole", {"a": tensor("U8", [2], 0, 2), "b": tensor("U8", [2], 4, 6)}, bytes(6))
save("huge", {"a": tensor("F64", [1 << 32, 1 << 32], 0, 8)}, bytes(8))
save("cut", {"a": tensor("F32", [2], 0, 8)}, bytes(3))
save("length", {"a": tensor("U8", [1], 0, 1)}, bytes(1), 1 << 40)
save("padded", b'{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}      ', b"\1")
save("twice", b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},'
              b'"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', bytes(2))
(out / "json").write_bytes(rb'{"x":[1,-2.5e-3,true,false,null,"\u00e9\ud83d\ude00\n\""],"y":{"z":{}}}')
(out / "deep").write_bytes(b"[" * 70 + b"]" * 70)
