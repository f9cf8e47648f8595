// q4_0: 8 halves d; plane 4, minus 8.
void q4_0_unit(gw_block block, uint j, out gw_unit unit) {
    gw_plane4(block, 4u, j, unit.w);
    gw_codes(unit.w);
    unit.d = gw_rec_float(block, 0u, j);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
