// mxfp4: 8 bytes, the exponents of the scales; four bit planes of codes (lib/iq.glsl).
#include "lib/iq.glsl"

void mxfp4_unit(gw_block block, uint j, out gw_unit unit) {
    gw_fp4_values(gw_rec4(block, 2u + 4u * j), unit.w);
    uint e = gw_rec_byte(block, 0u, j);
    unit.d = e < 84u ? 0.0 : uintBitsToFloat((e - 1u) << 23); // all weights below 2^-40: 0
    gw_no_scales(unit);
    gw_no_minima(unit);
}
