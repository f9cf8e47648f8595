// iq4_nl: four bit planes of codes (lib/iq.glsl); tail: d.
#include "lib/iq.glsl"

void iq4_nl_unit(gw_row row, uint u, out gw_unit unit) {
    gw_iq4_values(gw_quant4((row.q >> 2) + u), unit.w);
    unit.d = gw_tail(row, u);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
