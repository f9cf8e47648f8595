// tq2_0: plane 2, minus 1; half tail: d.
void tq2_0_unit(gw_block block, uint j, out gw_unit unit) {
    gw_zero(unit.w);
    gw_plane2(block, 0u, j, 0, unit.w);
    gw_codes(unit.w);
    unit.d = gw_half_tail(block);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
