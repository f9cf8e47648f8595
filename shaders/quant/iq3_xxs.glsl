// iq3_xxs: 3 words a unit: 8 numbers of points of 4, signs with the scale between them (lib/iq.glsl); half tail: d.
#include "lib/iq.glsl"

// 4, 12, 20, ... 52, 62 of codes 0 .. 7.
uint iq3_xxs_values(uint codes) {
    uint seven = codes & (codes >> 1) & (codes >> 2) & 0x01010101u;
    return 0x04040404u + (codes << 3) + (seven << 1);
}

void iq3_xxs_unit(gw_block block, uint j, out gw_unit unit) {
    uint word = gw_rec(block, 3u * j + 2u);
    uint signs = gw_eighth_signs(word);
    for (int h = 0; h < 2; h++) {
        uint points = gw_rec(block, 3u * j + uint(h));
        for (int i = 0; i < 4; i++) {
            uint codes = gw_spread4(gw_grid((points >> (8 * i)) & 0xffu));
            unit.w[4 * h + i] = gw_signed(iq3_xxs_values(codes), signs, 4 * h + i);
        }
    }
    unit.s0 = unit.s1 = int(2u * gw_spare(word) + 1u);
    unit.d = gw_mul(gw_half_tail(block), 0.25);
    gw_no_minima(unit);
}
