// f16: a unit is 8 halves, a piece, the earlier one in the low half of a word.
void f16_unit(gw_row row, uint u, out float w[8]) {
    uvec4 a = gw_piece(row.at + u * p.group_rows + row.lane);
    for (int i = 0; i < 4; i++) {
        vec2 two = gw_halves(a[i]);
        w[2 * i] = two.x;
        w[2 * i + 1] = two.y;
    }
}
