// iq3_s: a byte a unit of numbers' ninth bits, a nibble a unit of scales; 3 words a unit: the low bytes of 8
// numbers of points of 4, signs (lib/iq.glsl); half tail: d.
#include "lib/iq.glsl"

void iq3_s_unit(gw_block block, uint j, out gw_unit unit) {
    uint at = 3u + 3u * j;
    uint signs = gw_rec(block, at + 2u), high = gw_rec_byte(block, 0u, j);
    for (int h = 0; h < 2; h++) {
        uint points = gw_rec(block, at + uint(h));
        for (int i = 0; i < 4; i++) {
            uint ninth = (high >> (4 * h + i)) & 1u;
            uint codes = gw_spread4(gw_grid(((points >> (8 * i)) & 0xffu) | (ninth << 8)));
            unit.w[4 * h + i] = gw_signed((codes << 1) + 0x01010101u, signs, 4 * h + i);
        }
    }
    unit.s0 = unit.s1 = int(2u * ((gw_rec(block, 2u) >> (4u * j)) & 15u) + 1u);
    unit.d = gw_half_tail(block);
    gw_no_minima(unit);
}
