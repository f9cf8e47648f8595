// Rows in vectors: ops whose elements, or groups of 32, are made one by one.
#ifndef GW_CPU_ROWS_H
#define GW_CPU_ROWS_H

#include "cpu/kernels.h"
#include "cpu/vec.h"
#include "ops/silu_mul.h"

// Groups first .. end - 1 of 32 elements; the last may be shorter where y is f32.
static inline void gw_silu_mul_groups(const gw_reference_args *args, uint64_t first, uint64_t end) {
    const gw_silu_mul_params *p = args->params;
    const uint64_t n = (uint64_t)p->n * (p->quantize ? 32 : 1);
    for (uint64_t g = first; g < end; g++) {
        const float *gate = (const float *)args->bufs[0] + g * 32;
        const float *up = (const float *)args->bufs[1] + g * 32;
        const uint32_t here = n - g * 32 < 32 ? (uint32_t)(n - g * 32) : 32;
        gw_vf y[GW_Q8_VECTORS];
        for (uint32_t i = 0; i < GW_Q8_VECTORS; i++) {
            const uint32_t at = i * GW_LANES, left = here > at ? here - at : 0;
            y[i] = gw_silu_v(gw_load_floats(gate + at, left)) * gw_load_floats(up + at, left);
            y[i] = gw_flush_v(y[i]);
        }
        if (p->quantize)
            ((float *)args->bufs[3])[g] = gw_q8_pack_v(y, (int8_t *)args->bufs[2] + g * 32);
        else
            memcpy((float *)args->bufs[2] + g * 32, y, here * sizeof(float));
    }
}

#endif
