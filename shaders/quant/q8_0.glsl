// q8_0: a unit is 32 signed bytes in 8 words.
void q8_0_words(uint at, out uint w[8]) {
    uvec4 a = gw_quants[2u * at], b = gw_quants[2u * at + 1u];
    for (int i = 0; i < 4; i++) {
        w[i] = a[i];
        w[4 + i] = b[i];
    }
}
