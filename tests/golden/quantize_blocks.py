#!/usr/bin/env python3
# Makes tests/golden/convert/blocks.gguf: a matrix "source" of F32, and for every number format that
# the gguf Python package (the format's own) can quantize, a tensor of that name with the package's
# blocks of it. tests/convert/quantize.c wants the same bytes from the engine.
#
#   quantize_blocks.py <tests/golden/convert>      needs: pip install gguf==0.19.0
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as T, GGUFWriter, quants

ROWS, COLS = 6, 512

rng = np.random.default_rng(260)
source = rng.standard_normal((ROWS, COLS)).astype(np.float32)
source[1] *= np.float32(1e-3)
source[2, ::7] *= 40  # outliers
source[3, 64:96] = 0  # a block of zeros
source[4] = np.round(source[4] * 8) / 8  # many values that lie between two levels
source[5, 0:32] = 0.25

writer = GGUFWriter(str(Path(sys.argv[1]) / "blocks.gguf"), "llama")
writer.add_tensor("source", source)
for kind in T:
    if kind.name in ("F32", "F64") or kind.name.startswith("I"):
        continue
    try:
        data = quants.quantize(source, kind)
    except (NotImplementedError, KeyError):
        continue
    print(kind.name, data.shape, data.dtype)
    if data.dtype != np.uint8:
        writer.add_tensor(kind.name, data)
    else:
        writer.add_tensor(kind.name, data, raw_dtype=kind)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
