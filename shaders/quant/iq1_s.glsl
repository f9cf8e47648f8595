// iq1_s: a word a unit: the low bytes of 4 numbers of points; sides: a half a unit: their high bits, scale, sign of
// delta (lib/iq.glsl); tail: d.
#include "lib/iq.glsl"

void iq1_s_unit(gw_row row, uint u, out gw_unit unit) {
    uint points = gw_quant(row.q + u);
    uint side = gw_side_half(row.s + (u >> 3) * 4u, u & 7u);
    uint shift = (side & 0x8000u) != 0u ? 9u : 7u;
    for (int g = 0; g < 4; g++) {
        uint high = (side >> (3 * g)) & 7u;
        gw_iq1_point(((points >> (8 * g)) & 0xffu) | (high << 8), shift, g, unit.w);
    }
    unit.s0 = unit.s1 = int(2u * ((side >> 12) & 7u) + 1u);
    unit.d = gw_mul(gw_tail(row, u >> 3), 0.125);
    gw_no_minima(unit);
}
