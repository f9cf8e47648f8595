// Grids: the points that the IQ formats choose from, as devices read them (gw_format.table).
//
// An entry holds the codes of one point: iq2_*, iq1: 8 codes of 2 bits; iq3_*: 4 codes of 4 bits,
// the first lowest. What a code stands for: quant/iq.h. Made by tools/grids.py.
#ifndef GW_QUANT_GRIDS_H
#define GW_QUANT_GRIDS_H

#include <stdint.h>

enum {
    GW_N_GRID_IQ2_XXS = 256,
    GW_N_GRID_IQ2_XS = 512,
    GW_N_GRID_IQ2_S = 1024,
    GW_N_GRID_IQ3_XXS = 256,
    GW_N_GRID_IQ3_S = 512,
    GW_N_GRID_IQ1 = 2048
};

extern const uint16_t gw_grid_iq2_xxs[GW_N_GRID_IQ2_XXS];
extern const uint16_t gw_grid_iq2_xs[GW_N_GRID_IQ2_XS];
extern const uint16_t gw_grid_iq2_s[GW_N_GRID_IQ2_S];
extern const uint16_t gw_grid_iq3_xxs[GW_N_GRID_IQ3_XXS];
extern const uint16_t gw_grid_iq3_s[GW_N_GRID_IQ3_S];
extern const uint16_t gw_grid_iq1[GW_N_GRID_IQ1];

#endif
