// bf16: a unit is 8 upper halves of floats in 4 words, the earlier one in the low half of a word.
void bf16_unit(uint at, out float w[8]) {
    uvec4 a = gw_quant4(at);
    for (int i = 0; i < 4; i++) {
        w[2 * i] = uintBitsToFloat(a[i] << 16);
        w[2 * i + 1] = uintBitsToFloat(a[i] & 0xffff0000u);
    }
}
