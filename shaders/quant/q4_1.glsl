// q4_1: plane 4; tail of 4 bytes: d and m, which is added.
void q4_1_unit(gw_row row, uint u, out gw_unit unit) {
    gw_plane4(row.q, u, unit.w);
    gw_added(gw_side(row.t + u), unit);
}
