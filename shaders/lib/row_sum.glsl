// Row_sum: the reduction of a row of p.n terms by a workgroup, whatever the number of its lanes. The including
// shader defines term(k), +0 from p.n on, and sets lane and lanes. Shared memory: 4.7 KiB.
// Order of sums: units of 32 by halves; 8 units in order; these blocks in order.
#ifndef GW_LIB_ROW_SUM
#define GW_LIB_ROW_SUM

#include "lib/exact.glsl"

// A pass: as many units as shared memory has room for, as eighths: part j of a unit u.
const uint PASS = 128u, PART_STRIDE = PASS + 4u; // 4: so that eighths lie in memory banks of their own
shared float parts[8u * PART_STRIDE];
shared float unit_sums[PASS];
shared float block_sums[PASS / 8u];

uint lane, lanes;

float term(uint k);

float part(uint u, uint j) {
    return parts[j * PART_STRIDE + u];
}

// The first two of a unit's halvings, for place j of 8.
float eighth(uint k) {
    return gw_add(gw_add(term(k), term(k + 16u)), gw_add(term(k + 8u), term(k + 24u)));
}
// The other three.
float unit_sum(uint u) {
    float a = gw_add(gw_add(part(u, 0u), part(u, 4u)), gw_add(part(u, 2u), part(u, 6u)));
    return gw_add(a, gw_add(gw_add(part(u, 1u), part(u, 5u)), gw_add(part(u, 3u), part(u, 7u))));
}

float sum_of_terms() {
    float sum = 0.0;
    for (uint first = 0u; first < p.n; first += 32u * PASS) {
        uint units = min((p.n - first + 31u) / 32u, PASS), blocks = (units + 7u) / 8u;
        barrier(); // block_sums of the pass before were read
        for (uint q = lane; q < 8u * units; q += lanes)
            parts[q % 8u * PART_STRIDE + q / 8u] = eighth(first + q / 8u * 32u + q % 8u);
        barrier();
        for (uint u = lane; u < units; u += lanes) unit_sums[u] = unit_sum(u);
        barrier();
        for (uint i = lane; i < blocks; i += lanes) {
            float s = 0.0;
            for (uint u = 8u * i; u < min(8u * i + 8u, units); u++) s = gw_add(s, unit_sums[u]);
            block_sums[i] = s;
        }
        barrier();
        for (uint i = 0u; i < blocks; i++) sum = gw_add(sum, block_sums[i]);
    }
    return sum;
}

#endif
