// iq2_xs: a byte of two scales a unit; 2 words a unit: the low bytes of 4 numbers of points, signs with their ninth bits between them
// (lib/iq.glsl); half tail: d.
#include "lib/iq.glsl"

void iq2_xs_unit(gw_block block, uint j, out gw_unit unit) {
    uint points = gw_rec(block, 2u + 2u * j), word = gw_rec(block, 3u + 2u * j);
    uint signs = gw_eighth_signs(word);
    for (int g = 0; g < 4; g++) {
        uint high = (word >> (25 + 2 * g)) & 1u;
        gw_iq2_point(((points >> (8 * g)) & 0xffu) | (high << 8), signs, g, unit.w);
    }
    uint scales = gw_rec_byte(block, 0u, j);
    unit.s0 = int(2u * (scales & 15u) + 1u);
    unit.s1 = int(2u * (scales >> 4) + 1u);
    unit.d = gw_mul(gw_half_tail(block), 0.125);
    gw_no_minima(unit);
}
