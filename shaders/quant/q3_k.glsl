// q3_k: 12 bytes of scales (engine/quant/q3_k.c); planes 1 and 2, minus 4; half tail: d.
void q3_k_unit(gw_block block, uint j, out gw_unit unit) {
    gw_zero(unit.w);
    gw_plane2(block, 11u, j, 0, unit.w);
    gw_plane1(block, 3u, j, 2, unit.w);
    gw_codes(unit.w);
    // The unit's two scales, 2j and 2j + 1, lie in neighbouring bytes, both in their low and their high bits.
    uint low = gw_rec(block, (j >> 1) & 1u) >> ((j & 1u) * 16u + (j >> 2) * 4u);
    uint high = gw_rec(block, 2u) >> ((j & 1u) * 16u + (j >> 1) * 2u);
    uint both = (low & 0x0f0fu) | ((high & 0x0303u) << 4);
    unit.s0 = int(both & 0xffu) - 32;
    unit.s1 = int(both >> 8) - 32;
    unit.d = gw_half_tail(block);
    gw_no_minima(unit);
}
