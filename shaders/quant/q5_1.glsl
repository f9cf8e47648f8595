// q5_1: 8 words, d and m, which is added; planes 1 and 4.
void q5_1_unit(gw_block block, uint j, out gw_unit unit) {
    gw_plane4(block, 16u, j, unit.w);
    gw_plane1(block, 8u, j, 4, unit.w);
    gw_added(gw_rec(block, j), unit);
}
