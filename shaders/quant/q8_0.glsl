// q8_0: 8 halves d; 32 signed bytes a unit, two pieces.
void q8_0_unit(gw_block block, uint j, out gw_unit unit) {
    uvec4 a = gw_rec4(block, 4u + 8u * j), b = gw_rec4(block, 8u + 8u * j);
    for (int i = 0; i < 4; i++) {
        unit.w[i] = a[i];
        unit.w[4 + i] = b[i];
    }
    unit.d = gw_rec_float(block, 0u, j);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
