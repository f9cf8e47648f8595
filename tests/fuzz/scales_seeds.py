#!/usr/bin/env python3
# Makes tests/fuzz/corpus/scales/: settings and small files of weights with scales, right and nearly right.
#
#   scales_seeds.py <tests/fuzz/corpus/scales>
import json
import math
import struct
import sys
from pathlib import Path

SIZES = {"F8_E4M3": 1, "F8_E5M2": 1, "I8": 1, "U8": 1, "F32": 4, "BF16": 2}
out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)


def save(name, config, **tensors):
    header, at = {}, 0
    for key, (dtype, shape) in tensors.items():
        n = math.prod(shape) * SIZES[dtype]
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + n]}
        at += n
    text = json.dumps(header).encode()
    data = bytes(i * 37 & 255 for i in range(at))
    config = json.dumps({"quantization_config": config}).encode()
    (out / name).write_bytes(config + b"\0" + struct.pack("<Q", len(text)) + text + data)


def fp8(block):
    return {"quant_method": "fp8", "weight_block_size": block}


def compressed(**weights):
    return {"quant_method": "compressed-tensors", "format": "float-quantized",
            "config_groups": {"g": {"weights": weights}}}


save("block", fp8([2, 3]), w=("F8_E4M3", [3, 5]), w_scale_inv=("F32", [2, 2]), b=("F32", [3]))
save("experts", fp8([2, 2]), w=("F8_E4M3", [2, 3, 4]), w_scale_inv=("BF16", [2, 2, 2]))
save("all", fp8(None), w=("F8_E5M2", [3, 5]), w_scale_inv=("F32", []), w_activation_scale=("F32", []))
save("channel", compressed(strategy="channel"), w=("I8", [3, 5]), w_scale=("BF16", [3, 1]))
save("tensor", compressed(strategy="tensor"), w=("F8_E4M3", [3, 5]), w_scale=("F32", [1]))
save("structure", compressed(strategy="block", block_structure=[2, 2]), w=("F8_E4M3", [3, 5]), w_scale=("F32", [2, 3]))
save("modelopt", {"quant_method": "modelopt", "quant_algo": "FP8"}, w=("F8_E4M3", [4]), w_scale=("F32", [4]))
save("shape", fp8([2, 2]), w=("F8_E4M3", [3, 5]), w_scale_inv=("F32", [3, 3]))
save("bytes", fp8([2, 2]), w=("U8", [2, 2]), w_scale_inv=("F32", [1, 1]))
save("empty", fp8([2, 2]), w=("F8_E4M3", [0, 4]), w_scale_inv=("F32", [0, 2]))
save("others", {"quant_method": "gptq"}, w=("F32", [1]))
