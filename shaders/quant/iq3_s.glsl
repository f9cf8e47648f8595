// iq3_s: 3 words a unit: the low bytes of 8 numbers of points of 4, signs (lib/iq.glsl); sides: a byte a unit of the
// numbers' ninth bits, then a nibble a unit of scales; tail: d.
#include "lib/iq.glsl"

void iq3_s_unit(gw_row row, uint u, out gw_unit unit) {
    uint at = row.q + 3u * u, side = row.s + (u >> 3) * 3u, j = u & 7u;
    uint signs = gw_quant(at + 2u), high = gw_side_byte(side, j);
    for (int h = 0; h < 2; h++) {
        uint points = gw_quant(at + uint(h));
        for (int i = 0; i < 4; i++) {
            uint ninth = (high >> (4 * h + i)) & 1u;
            uint codes = gw_spread4(gw_grid(((points >> (8 * i)) & 0xffu) | (ninth << 8)));
            unit.w[4 * h + i] = gw_signed((codes << 1) + 0x01010101u, signs, 4 * h + i);
        }
    }
    unit.s0 = unit.s1 = int(2u * ((gw_side(side + 2u) >> (4u * j)) & 15u) + 1u);
    unit.d = gw_tail(row, u >> 3);
    gw_no_minima(unit);
}
