// q8_0: 32 signed bytes in 8 words; tail: d.
void q8_0_unit(gw_row row, uint u, out gw_unit unit) {
    uint at = (row.q >> 2) + 2u * u;
    uvec4 a = gw_quant4(at), b = gw_quant4(at + 1u);
    for (int i = 0; i < 4; i++) {
        unit.w[i] = a[i];
        unit.w[4 + i] = b[i];
    }
    unit.d = gw_tail(row, u);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
