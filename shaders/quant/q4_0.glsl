// q4_0: plane 4, minus 8; tail: d.
void q4_0_unit(gw_row row, uint u, out gw_unit unit) {
    gw_plane4(row.q, u, unit.w);
    gw_minus8(unit.w, 8u);
    unit.d = gw_tail(row, u);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
