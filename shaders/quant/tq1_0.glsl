// tq1_0: five words for the block, then a word a unit, of five trits a byte; minus 1; half tail: d.
// The order: engine/quant/tq1_0.c. Trits of four bytes at once: even and odd bytes apart, each with room to its left.

// The next trit of each byte, and what is left of it.
uint tq1_0_next(inout uint even, inout uint odd) {
    even *= 3u;
    odd *= 3u;
    uint trits = ((even >> 8) & 0x00030003u) | (odd & 0x03000300u);
    even &= 0x00ff00ffu;
    odd &= 0x00ff00ffu;
    return trits;
}

void tq1_0_unit(gw_block block, uint j, out gw_unit unit) {
    uint word = gw_rec(block, 5u + j);
    uint even = word & 0x00ff00ffu, odd = (word >> 8) & 0x00ff00ffu;
    for (int k = 0; k < 5; k++) unit.w[k] = tq1_0_next(even, odd);
    uint first = j * 3u;
    uint a = first / 5u, b = (first + 2u) / 5u;
    uint rest_a = gw_rec(block, a), rest_b = gw_rec(block, b);
    for (int k = 0; k < 3; k++) {
        uint t = first + uint(k), trit = t % 5u;
        uint rest = t / 5u == a ? rest_a : rest_b;
        uint power = trit == 4u ? 81u : (0x1b090301u >> (8u * trit)) & 0xffu;
        even = ((rest & 0x00ff00ffu) * power) & 0x00ff00ffu;
        odd = (((rest >> 8) & 0x00ff00ffu) * power) & 0x00ff00ffu;
        unit.w[5 + k] = tq1_0_next(even, odd);
    }
    gw_codes(unit.w);
    unit.d = gw_half_tail(block);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
