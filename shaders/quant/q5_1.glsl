// q5_1: planes 4 and 1; tail of 4 bytes: d and m, which is added.
void q5_1_unit(gw_row row, uint u, out gw_unit unit) {
    gw_plane4(row.q, u, unit.w);
    gw_plane1(row.q + row.n_units * 4u, u, 4, unit.w);
    gw_added(gw_side(row.t + u), unit);
}
