// iq2_s: a half a unit: high bits of numbers of points, two scales; 2 words a unit: the low bytes of 4
// numbers, signs (lib/iq.glsl); half tail: d.
#include "lib/iq.glsl"

void iq2_s_unit(gw_block block, uint j, out gw_unit unit) {
    uint points = gw_rec(block, 4u + 2u * j), signs = gw_rec(block, 5u + 2u * j);
    uint side = gw_rec_half(block, 0u, j);
    for (int g = 0; g < 4; g++) {
        uint high = (side >> (2 * g)) & 3u;
        gw_iq2_point(((points >> (8 * g)) & 0xffu) | (high << 8), signs, g, unit.w);
    }
    unit.s0 = int(2u * ((side >> 8) & 15u) + 1u);
    unit.s1 = int(2u * (side >> 12) + 1u);
    unit.d = gw_mul(gw_half_tail(block), 0.125);
    gw_no_minima(unit);
}
