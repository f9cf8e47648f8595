// iq4_nl: 8 halves d; four bit planes of codes (lib/iq.glsl).
#include "lib/iq.glsl"

void iq4_nl_unit(gw_block block, uint j, out gw_unit unit) {
    gw_iq4_values(gw_rec4(block, 4u + 4u * j), unit.w);
    unit.d = gw_rec_float(block, 0u, j);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
