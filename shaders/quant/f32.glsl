// f32: a unit is 8 floats, two pieces.
void f32_unit(gw_row row, uint u, out float w[8]) {
    uint at = row.at + 2u * u * p.group_rows + row.lane;
    uvec4 a = gw_piece(at), b = gw_piece(at + p.group_rows);
    for (int i = 0; i < 4; i++) {
        w[i] = uintBitsToFloat(a[i]);
        w[4 + i] = uintBitsToFloat(b[i]);
    }
}
