// K scales: the 6-bit scale and minimum of unit j of a block; the twin of engine/quant/k_scales.h.
// a record's first four words: low 4 bits of all, high 2 bits of all, then d and dmin as halves.
#ifndef GW_LIB_K_SCALES
#define GW_LIB_K_SCALES

void gw_k_scales(gw_block block, uint j, inout gw_unit unit) {
    uint low = gw_rec(block, j >> 2) >> ((j & 3u) * 8u);
    uint high = gw_rec(block, 2u) >> (j * 4u);
    uint both = gw_rec(block, 3u);
    unit.s0 = unit.s1 = int((low & 15u) | ((high & 3u) << 4));
    unit.z0 = unit.z1 = int(((low >> 4) & 15u) | ((high & 12u) << 2));
    unit.d = gw_f16_to_f32(both & 0xffffu);
    unit.m = gw_f16_to_f32(both >> 16);
}

#endif
