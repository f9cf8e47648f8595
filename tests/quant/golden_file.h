// Golden file: the blocks and values of one number format, from tests/golden/quant.py.
#ifndef GW_TESTS_GOLDEN_FILE_H
#define GW_TESTS_GOLDEN_FILE_H

#include "quant/quant.h"

// Pointers into one allocation, `data`.
typedef struct golden {
    void *data;
    uint32_t n_blocks, n_quantized;
    bool weighted;
    uint32_t halves[4]; // bit i: a half lies at byte 2 * i of a block
    const uint8_t *blocks;
    const uint8_t *hashes; // 4 bytes for each 32 values
    const float *input;    // n_quantized blocks of values
    const uint8_t *quantized;
    const float *importances; // the same number, where weighted
    const uint8_t *quantized_weighted;
} golden;

// Fails the test when the file is missing, or not this format's, or has another size.
golden golden_open(const gw_format *format);
void golden_close(golden *g);
// FNV-1a of 32 values.
uint32_t golden_hash(const float *values);

#endif
