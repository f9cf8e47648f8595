// K scales: the 6-bit scale and minimum of unit j of a block; the twin of engine/quant/k_scales.h.
// sides: four words: 12 bytes of scales, then d and dmin as halves.
#ifndef GW_LIB_K_SCALES
#define GW_LIB_K_SCALES

void gw_k_scales(uint side, uint j, inout gw_unit unit) {
    uint at = (j & 3u) * 8u;
    uint a = gw_sides[side] >> at, b = gw_sides[side + 1u] >> at, c = gw_sides[side + 2u] >> at;
    uint both = gw_sides[side + 3u];
    bool low = j < 4u;
    unit.s0 = unit.s1 = int(low ? a & 63u : (c & 15u) | ((a & 0xc0u) >> 2));
    unit.z0 = unit.z1 = int(low ? b & 63u : ((c >> 4) & 15u) | ((b & 0xc0u) >> 2));
    unit.d = gw_f16_to_f32(both & 0xffffu);
    unit.m = gw_f16_to_f32(both >> 16);
}

#endif
