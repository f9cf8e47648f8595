// q3_k: planes 2 and 1, minus 4; sides: 12 bytes of scales (engine/quant/q3_k.c); tail: d.
void q3_k_unit(gw_row row, uint u, out gw_unit unit) {
    gw_zero(unit.w);
    gw_plane2(row.q, u, 0, unit.w);
    gw_plane1(row.q + row.n_units * 2u, u, 2, unit.w);
    gw_minus8(unit.w, 4u);
    uint block = u >> 3, j = u & 7u, side = row.s + block * 3u;
    // The unit's two scales, 2j and 2j + 1, lie in neighbouring bytes, both in their low and their high bits.
    uint low = gw_side(side + ((j >> 1) & 1u)) >> ((j & 1u) * 16u + (j >> 2) * 4u);
    uint high = gw_side(side + 2u) >> ((j & 1u) * 16u + (j >> 1) * 2u);
    uint both = (low & 0x0f0fu) | ((high & 0x0303u) << 4);
    unit.s0 = int(both & 0xffu) - 32;
    unit.s1 = int(both >> 8) - 32;
    unit.d = gw_tail(row, block);
    gw_no_minima(unit);
}
