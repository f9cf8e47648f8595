// q2_k: a byte for each 16, scale in its low and minimum in its high nibble; a word of d and dmin; plane 2.
void q2_k_unit(gw_block block, uint j, out gw_unit unit) {
    gw_zero(unit.w);
    gw_plane2(block, 5u, j, 0, unit.w);
    uint scales = gw_rec_half(block, 0u, j), both = gw_rec(block, 4u);
    unit.s0 = int(scales & 15u);
    unit.z0 = int((scales >> 4) & 15u);
    unit.s1 = int((scales >> 8) & 15u);
    unit.z1 = int(scales >> 12);
    unit.d = gw_f16_to_f32(both & 0xffffu);
    unit.m = gw_f16_to_f32(both >> 16);
}
