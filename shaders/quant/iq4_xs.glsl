// iq4_xs: four bit planes of codes (lib/iq.glsl); sides: d, the high and the low bits of 8 scales.
#include "lib/iq.glsl"

void iq4_xs_unit(gw_row row, uint u, out gw_unit unit) {
    gw_iq4_values(gw_quant4((row.q >> 2) + u), unit.w);
    uint side = row.s + (u >> 3) * 2u, j = u & 7u;
    uint a = gw_side(side), low = gw_side(side + 1u);
    unit.d = gw_f16_to_f32(a & 0xffffu);
    unit.s0 = unit.s1 = int(((low >> (4u * j)) & 15u) | (((a >> (16u + 2u * j)) & 3u) << 4)) - 32;
    gw_no_minima(unit);
}
