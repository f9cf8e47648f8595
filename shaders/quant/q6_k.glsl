// q6_k: a signed byte for each 16; planes 2 and 4, minus 32; half tail: d.
void q6_k_unit(gw_block block, uint j, out gw_unit unit) {
    gw_plane4(block, 20u, j, unit.w);
    gw_plane2(block, 4u, j, 4, unit.w);
    gw_codes(unit.w);
    uint scales = gw_rec_half(block, 0u, j);
    unit.s0 = gw_byte(scales, 0);
    unit.s1 = gw_byte(scales, 1);
    unit.d = gw_half_tail(block);
    gw_no_minima(unit);
}
