// q4_k: scales and minima of 6 bits, d and dmin in 4 words (lib/k_scales.glsl); plane 4.
#include "lib/k_scales.glsl"

void q4_k_unit(gw_block block, uint j, out gw_unit unit) {
    gw_plane4(block, 4u, j, unit.w);
    gw_k_scales(block, j, unit);
}
