// Sample: the control block that the host writes for the sample op.
#ifndef GW_OPS_SAMPLE_H
#define GW_OPS_SAMPLE_H

#include <stdint.h>

enum { GW_SAMPLE_MAX_VOCAB = 1 << 18 };

typedef struct gw_sample_control {
    float inv_temp; // 0: greedy
    uint32_t top_k; // 0: off
    uint32_t top_p; // in 2^-24; 0 or 2^24: off
    float min_p;    // 0: off
    uint32_t seed_lo, seed_hi;
    uint32_t position;
    uint32_t unused;
} gw_sample_control;
_Static_assert(sizeof(gw_sample_control) == 32, "control of sample.comp");

#endif
