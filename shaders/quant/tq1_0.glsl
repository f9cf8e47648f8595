// tq1_0: a word of five trits a byte, and three trits more of the block's five words; minus 1; tail: d.
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

void tq1_0_unit(gw_row row, uint u, out gw_unit unit) {
    uint word = gw_quant(row.q + u);
    uint even = word & 0x00ff00ffu, odd = (word >> 8) & 0x00ff00ffu;
    for (int k = 0; k < 5; k++) unit.w[k] = tq1_0_next(even, odd);
    uint block = u >> 3, first = (u & 7u) * 3u, at = row.q + row.n_units + block * 5u;
    uint a = first / 5u, b = (first + 2u) / 5u;
    uint rest_a = gw_quant(at + a), rest_b = gw_quant(at + b);
    for (int k = 0; k < 3; k++) {
        uint t = first + uint(k), trit = t % 5u;
        uint rest = t / 5u == a ? rest_a : rest_b;
        uint power = trit == 4u ? 81u : (0x1b090301u >> (8u * trit)) & 0xffu;
        even = ((rest & 0x00ff00ffu) * power) & 0x00ff00ffu;
        odd = (((rest >> 8) & 0x00ff00ffu) * power) & 0x00ff00ffu;
        unit.w[5 + k] = tq1_0_next(even, odd);
    }
    gw_minus8(unit.w, 1u);
    unit.d = gw_tail(row, block);
    gw_no_scales(unit);
    gw_no_minima(unit);
}
