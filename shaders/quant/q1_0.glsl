// q1_0: 2 halves d, one for each 128; plane 1, whose bits are codes of 0 and 2, minus 1.
void q1_0_unit(gw_block block, uint j, out gw_unit unit) {
    gw_zero(unit.w);
    gw_plane1(block, 1u, j, 1, unit.w);
    gw_codes(unit.w);
    unit.d = gw_rec_float(block, 0u, j >> 2);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
