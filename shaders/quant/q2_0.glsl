// q2_0: 4 halves d, one for each 64; plane 2, minus 1.
void q2_0_unit(gw_block block, uint j, out gw_unit unit) {
    gw_zero(unit.w);
    gw_plane2(block, 2u, j, 0, unit.w);
    gw_codes(unit.w);
    unit.d = gw_rec_float(block, 0u, j >> 1);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
