// iq2_xxs: 2 words a unit: 4 numbers of points, signs with the scale between them (lib/iq.glsl); half tail: d.
#include "lib/iq.glsl"

void iq2_xxs_unit(gw_block block, uint j, out gw_unit unit) {
    uint points = gw_rec(block, 2u * j), word = gw_rec(block, 2u * j + 1u);
    uint signs = gw_eighth_signs(word);
    for (int g = 0; g < 4; g++) gw_iq2_point((points >> (8 * g)) & 0xffu, signs, g, unit.w);
    unit.s0 = unit.s1 = int(2u * gw_spare(word) + 1u);
    unit.d = gw_mul(gw_half_tail(block), 0.125);
    gw_no_minima(unit);
}
