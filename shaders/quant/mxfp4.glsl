// mxfp4: four bit planes of codes (lib/iq.glsl); tail: a byte, the exponent of the scale.
#include "lib/iq.glsl"

void mxfp4_unit(gw_row row, uint u, out gw_unit unit) {
    gw_fp4_values(gw_quant4((row.q >> 2) + u), unit.w);
    uint e = gw_side_byte(row.t, u);
    unit.d = e < 84u ? 0.0 : uintBitsToFloat((e - 1u) << 23); // all weights below 2^-40: 0
    gw_no_scales(unit);
    gw_no_minima(unit);
}
