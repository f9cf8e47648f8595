// bf16: a unit is 8 upper halves of floats, a piece, the earlier one in the low half of a word.
void bf16_unit(gw_row row, uint u, out float w[8]) {
    uvec4 a = gw_piece(row.at + u * p.group_rows + row.lane);
    for (int i = 0; i < 4; i++) {
        w[2 * i] = uintBitsToFloat(a[i] << 16);
        w[2 * i + 1] = uintBitsToFloat(a[i] & 0xffff0000u);
    }
}
