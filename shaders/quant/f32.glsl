// f32: a unit is 8 floats, 8 words.
void f32_unit(uint at, out float w[8]) {
    uvec4 a = gw_quant4(2u * at), b = gw_quant4(2u * at + 1u);
    for (int i = 0; i < 4; i++) {
        w[i] = uintBitsToFloat(a[i]);
        w[4 + i] = uintBitsToFloat(b[i]);
    }
}
