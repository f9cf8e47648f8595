// tq2_0: plane 2, minus 1; tail: d.
void tq2_0_unit(gw_row row, uint u, out gw_unit unit) {
    gw_zero(unit.w);
    gw_plane2(row.q, u, 0, unit.w);
    gw_minus8(unit.w, 1u);
    unit.d = gw_tail(row, u >> 3);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
