// q5_k: planes 4 and 1; sides: scales and minima of 6 bits (lib/k_scales.glsl), d and dmin.
#include "lib/k_scales.glsl"

void q5_k_unit(gw_row row, uint u, out gw_unit unit) {
    gw_plane4(row.q, u, unit.w);
    gw_plane1(row.q + row.n_units * 4u, u, 4, unit.w);
    gw_k_scales(row.s + (u >> 3) * 4u, u & 7u, unit);
}
