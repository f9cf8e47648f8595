#!/usr/bin/env python3
"""Makes engine/quant/grids.c: the grids of the IQ formats, read from the PyPI gguf package.

    python3 tools/grids.py > engine/quant/grids.c && clang-format -i engine/quant/grids.c

An entry is 16 bits: 8 codes of 2 bits (IQ2, IQ1) or 4 codes of 4 bits (IQ3), the first lowest.
Each table is checked against the values that the package itself makes of it.
"""
import numpy as np
from gguf import quants

HEAD = """// Grids: the published points of the IQ formats, made by tools/grids.py of the gguf package.
#include "quant/grids.h"
"""
TABLES = [
    (quants.IQ2_XXS, 'iq2_xxs', 2),
    (quants.IQ2_XS, 'iq2_xs', 2),
    (quants.IQ2_S, 'iq2_s', 2),
    (quants.IQ3_XXS, 'iq3_xxs', 4),
    (quants.IQ3_S, 'iq3_s', 4),
    (quants.IQ1_S, 'iq1', 2),
]


def entries(cls, bits):
    cls.init_grid()
    codes = np.searchsorted(np.array(cls.grid_map), cls.grid.reshape(cls.grid_shape))
    assert (np.array(cls.grid_map)[codes] == cls.grid.reshape(cls.grid_shape)).all()
    shifts = bits * np.arange(cls.grid_shape[1])
    return (codes << shifts).sum(axis=-1)


def signs_are_by_parity():
    for i, byte in enumerate(quants.IQ2_XXS.ksigns):
        assert byte == i | (bin(i).count('1') & 1) << 7


signs_are_by_parity()
print(HEAD)
for cls, name, bits in TABLES:
    table = entries(cls, bits)
    print(f'const uint16_t gw_grid_{name}[{len(table)}] = {{')
    for row in range(0, len(table), 12):
        print('    ' + ' '.join(f'0x{e:04x},' for e in table[row:row + 12]))
    print('};\n')
