// q2_k: plane 2; sides: a byte for each 16, scale in its low and minimum in its high nibble; d and dmin.
void q2_k_unit(gw_row row, uint u, out gw_unit unit) {
    gw_zero(unit.w);
    gw_plane2(row.q, u, 0, unit.w);
    uint side = row.s + (u >> 3) * 5u;
    uint scales = gw_side_half(side, u & 7u), both = gw_side(side + 4u);
    unit.s0 = int(scales & 15u);
    unit.z0 = int((scales >> 4) & 15u);
    unit.s1 = int((scales >> 8) & 15u);
    unit.z1 = int(scales >> 12);
    unit.d = gw_f16_to_f32(both & 0xffffu);
    unit.m = gw_f16_to_f32(both >> 16);
}
