// q4_0: a unit is 32 nibbles in 4 words; word i holds q[4i..] in its low nibbles and q[16 + 4i..] in
// its high ones. Gives q - 8 as signed bytes: the 0x80 keeps each byte's borrow to itself.
void q4_0_words(uint at, out uint w[8]) {
    uvec4 a = gw_quants[at];
    for (int i = 0; i < 4; i++) {
        w[i] = (((a[i] & 0x0f0f0f0fu) | 0x80808080u) - 0x08080808u) ^ 0x80808080u;
        w[4 + i] = ((((a[i] >> 4) & 0x0f0f0f0fu) | 0x80808080u) - 0x08080808u) ^ 0x80808080u;
    }
}
