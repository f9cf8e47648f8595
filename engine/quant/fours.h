// Fours: what codes of 4 bits stand for in IQ4, and in FP4 (e2m1): twice what the number is.
#ifndef GW_QUANT_FOURS_H
#define GW_QUANT_FOURS_H

#include <stdint.h>

static const int8_t gw_iq4_fours[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                        1,    13,   25,  38,  53,  69,  89,  113};
static const int8_t gw_fp4_fours[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

#endif
