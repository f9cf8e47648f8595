// q4_1: 8 words, d and m, which is added; plane 4.
void q4_1_unit(gw_block block, uint j, out gw_unit unit) {
    gw_plane4(block, 8u, j, unit.w);
    gw_added(gw_rec(block, j), unit);
}
