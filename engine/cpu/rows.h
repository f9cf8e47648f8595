// Rows in vectors: ops whose elements, or groups of 32, are made one by one.
#ifndef GW_CPU_ROWS_H
#define GW_CPU_ROWS_H

#include "cpu/kernels.h"
#include "cpu/vec.h"
#include "ops/silu_mul.h"

// n elements of a group of 32; y: all 32.
GW_INLINE void silu_mul_group(const float *gate, const float *up, uint32_t n, gw_vf *y) {
    for (uint32_t i = 0; i < GW_Q8_VECTORS; i++) {
        const uint32_t at = i * GW_LANES, left = n > at ? n - at : 0;
        y[i] = gw_silu_v(gw_load_floats(gate + at, left)) * gw_load_floats(up + at, left);
        y[i] = gw_flush_v(y[i]);
    }
}

// Items: groups of 32 elements; the last may be shorter where y is f32.
static inline void gw_silu_mul_groups(const gw_reference_args *args) {
    const gw_silu_mul_params *p = args->params;
    const uint64_t n = (uint64_t)p->n * (p->quantize ? 32 : 1);
    for (uint64_t g = args->first; g < args->end; g++) {
        const float *gate = (const float *)args->bufs[0] + gw_column_at(&p->gate, g * 32);
        const float *up = (const float *)args->bufs[1] + gw_column_at(&p->up, g * 32);
        const uint32_t here = n - g * 32 < 32 ? (uint32_t)(n - g * 32) : 32;
        gw_vf y[GW_Q8_VECTORS];
        if (here == 32)
            silu_mul_group(gate, up, 32, y);
        else
            silu_mul_group(gate, up, here, y);
        if (p->quantize)
            ((float *)args->bufs[3])[g] = gw_q8_pack_v(y, (int8_t *)args->bufs[2] + g * 32);
        else
            memcpy((float *)args->bufs[2] + g * 32, y, here * sizeof(float));
    }
}

#endif
