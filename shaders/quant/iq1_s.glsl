// iq1_s: a half a unit: high bits of numbers of points, scale, sign of delta (lib/iq.glsl); a word a unit: the low
// bytes of 4 numbers; half tail: d.
#include "lib/iq.glsl"

void iq1_s_unit(gw_block block, uint j, out gw_unit unit) {
    uint points = gw_rec(block, 4u + j);
    uint side = gw_rec_half(block, 0u, j);
    uint shift = (side & 0x8000u) != 0u ? 9u : 7u;
    for (int g = 0; g < 4; g++) {
        uint high = (side >> (3 * g)) & 7u;
        gw_iq1_point(((points >> (8 * g)) & 0xffu) | (high << 8), shift, g, unit.w);
    }
    unit.s0 = unit.s1 = int(2u * ((side >> 12) & 7u) + 1u);
    unit.d = gw_mul(gw_half_tail(block), 0.125);
    gw_no_minima(unit);
}
