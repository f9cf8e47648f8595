// q5_0: planes 4 and 1, minus 16; tail: d.
void q5_0_unit(gw_row row, uint u, out gw_unit unit) {
    gw_plane4(row.q, u, unit.w);
    gw_plane1(row.q + row.n_units * 4u, u, 4, unit.w);
    gw_minus8(unit.w, 16u);
    unit.d = gw_tail(row, u);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
