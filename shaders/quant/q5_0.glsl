// q5_0: 8 halves d; planes 1 and 4, minus 16.
void q5_0_unit(gw_block block, uint j, out gw_unit unit) {
    gw_plane4(block, 12u, j, unit.w);
    gw_plane1(block, 4u, j, 4, unit.w);
    gw_codes(unit.w);
    unit.d = gw_rec_float(block, 0u, j);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
