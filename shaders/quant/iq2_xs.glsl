// iq2_xs: 2 words a unit: the low bytes of 4 numbers of points, signs with their ninth bits between them
// (lib/iq.glsl); sides: a byte of two scales a unit; tail: d.
#include "lib/iq.glsl"

void iq2_xs_unit(gw_row row, uint u, out gw_unit unit) {
    uint points = gw_quant(row.q + 2u * u), word = gw_quant(row.q + 2u * u + 1u);
    uint signs = gw_eighth_signs(word);
    for (int g = 0; g < 4; g++) {
        uint high = (word >> (25 + 2 * g)) & 1u;
        gw_iq2_point(((points >> (8 * g)) & 0xffu) | (high << 8), signs, g, unit.w);
    }
    uint scales = gw_side_byte(row.s + (u >> 3) * 2u, u & 7u);
    unit.s0 = int(2u * (scales & 15u) + 1u);
    unit.s1 = int(2u * (scales >> 4) + 1u);
    unit.d = gw_mul(gw_tail(row, u >> 3), 0.125);
    gw_no_minima(unit);
}
