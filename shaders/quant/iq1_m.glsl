// iq1_m: a half a unit: high bits of numbers of points and signs of delta (lib/iq.glsl), then four halves: four
// scales of 3 bits and a nibble of d each; a word a unit: the low bytes of 4 numbers.
#include "lib/iq.glsl"

void iq1_m_unit(gw_block block, uint j, out gw_unit unit) {
    uint points = gw_rec(block, 6u + j);
    uint side = gw_rec_half(block, 0u, j), a = gw_rec(block, 4u), b = gw_rec(block, 5u);
    for (int g = 0; g < 4; g++) {
        uint part = side >> (4 * g);
        uint shift = 7u + ((part >> 2) & 2u);
        gw_iq1_point(((points >> (8 * g)) & 0xffu) | ((part & 7u) << 8), shift, g, unit.w);
    }
    uint scales = (j < 4u ? a : b) >> ((j & 2u) * 8u + (j & 1u) * 6u);
    unit.s0 = int(2u * (scales & 7u) + 1u);
    unit.s1 = int(2u * ((scales >> 3) & 7u) + 1u);
    uint d = ((a >> 12) & 0xfu) | ((a >> 24) & 0xf0u) | ((b >> 4) & 0xf00u) | ((b >> 16) & 0xf000u);
    unit.d = gw_mul(gw_f16_to_f32(d), 0.125);
    gw_no_minima(unit);
}
