// iq2_s: 2 words a unit: the low bytes of 4 numbers of points, signs (lib/iq.glsl); sides: a half a unit: the
// numbers' high bits, two scales; tail: d.
#include "lib/iq.glsl"

void iq2_s_unit(gw_row row, uint u, out gw_unit unit) {
    uint points = gw_quant(row.q + 2u * u), signs = gw_quant(row.q + 2u * u + 1u);
    uint side = gw_side_half(row.s + (u >> 3) * 4u, u & 7u);
    for (int g = 0; g < 4; g++) {
        uint high = (side >> (2 * g)) & 3u;
        gw_iq2_point(((points >> (8 * g)) & 0xffu) | (high << 8), signs, g, unit.w);
    }
    unit.s0 = int(2u * ((side >> 8) & 15u) + 1u);
    unit.s1 = int(2u * (side >> 12) + 1u);
    unit.d = gw_mul(gw_tail(row, u >> 3), 0.125);
    gw_no_minima(unit);
}
