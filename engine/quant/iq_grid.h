// IQ grid: quantizers of the formats whose weights are points of a grid.
#ifndef GW_QUANT_IQ_GRID_H
#define GW_QUANT_IQ_GRID_H

#include "quant/iq_search.h"

enum { GW_GRID_LEVELS = 4 };

// A block of 256 weights of a grid format: w = unit_d * half * (2 * scale + 1) * +-value of a code.
typedef struct gw_grid_kind {
    const uint16_t *grid;
    uint32_t n_points;
    uint32_t code_bits; // 2: points of 8 weights, 3 values; 4: points of 4, 8 values
    float values[2][8]; // of codes, in rising order; [1]: of points whose shift bit is set
    float levels[GW_GRID_LEVELS]; // what the largest of n_scale weights is tried at
    uint32_t n_scale;             // weights with one scale: 16 or 32
    uint32_t max_scale;
    enum { GW_GRID_SIGNED, GW_GRID_EVEN, GW_GRID_UNSIGNED } signs; // EVEN: minus signs of each 8
    uint32_t n_shift; // weights with one shift bit: 8 or 32; 0: all of values[0]
    float unit_d;     // d as a part of the half that the file has
} gw_grid_kind;

typedef struct gw_grid_block {
    uint32_t half;       // d / unit_d
    uint8_t scales[16];  // 256 / n_scale of them
    uint16_t points[64]; // 256 / weights of a point
    uint8_t signs[32];   // minus, of each 8 weights
    uint8_t shifts[64];  // 0 or 1, of each point, where n_shift is not 0
} gw_grid_block;

// n weights to blocks of a file, each of which `put` writes into zeros. importances: [n] or NULL.
void gw_grid_quantize(const gw_grid_kind *kind, const float *src, const float *importances,
                      uint64_t n, uint32_t block_bytes,
                      void (*put)(const gw_grid_block *found, uint8_t *block), uint8_t *out);

#endif
