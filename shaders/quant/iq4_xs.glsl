// iq4_xs: d, the high and the low bits of 8 scales in 2 words; four bit planes of codes (lib/iq.glsl).
#include "lib/iq.glsl"

void iq4_xs_unit(gw_block block, uint j, out gw_unit unit) {
    gw_iq4_values(gw_rec4(block, 2u + 4u * j), unit.w);
    uint a = gw_rec(block, 0u), low = gw_rec(block, 1u);
    unit.d = gw_f16_to_f32(a & 0xffffu);
    unit.s0 = unit.s1 = int(((low >> (4u * j)) & 15u) | (((a >> (16u + 2u * j)) & 3u) << 4)) - 32;
    gw_no_minima(unit);
}
