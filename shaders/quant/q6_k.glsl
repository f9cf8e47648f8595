// q6_k: planes 4 and 2, minus 32; sides: a signed byte for each 16; tail: d.
void q6_k_unit(gw_row row, uint u, out gw_unit unit) {
    gw_plane4(row.q, u, unit.w);
    gw_plane2(row.q + row.n_units * 4u, u, 4, unit.w);
    gw_minus8(unit.w, 32u);
    uint block = u >> 3, scales = gw_side_half(row.s + block * 4u, u & 7u);
    unit.s0 = gw_byte(scales, 0);
    unit.s1 = gw_byte(scales, 1);
    unit.d = gw_tail(row, block);
    gw_no_minima(unit);
}
