// Wide: weights of grids as codes of four bits, which is how the cores keep them where memory allows.
//
// A point of a grid is looked up in a table of 256 to 2048: a load a lane, and the slowest thing that a core does
// with weights. But all points of a format are made of at most eight magnitudes with a sign, so a weight is one of
// 16 values, and these are looked up 64 at a time, by a shuffle of bytes. The same q, s and d, so the same bits; 4.19
// bits a weight (4.31 with a scale for each 16) in place of 1.56 to 3.44.
//
//   file:   as the format's own, and so is decode
//   repack: quants 4 words a unit: plane 4 of the codes, bit 3 of which is the sign (IQ1: a delta of -1/8)
//           sides 1 or 2 words a block: 4 bits a scale, (s - 1) / 2; tails: d, as the file has it
#ifndef GW_QUANT_WIDE_H
#define GW_QUANT_WIDE_H

#include "quant/quant.h"

// What codes stand for, and what d is multiplied by.
#define GW_WIDE_VALUES_IQ2                                                                         \
    { 8, 25, 43, 0, 0, 0, 0, 0, -8, -25, -43, 0, 0, 0, 0, 0 }
#define GW_WIDE_VALUES_IQ3_XXS                                                                     \
    { 4, 12, 20, 28, 36, 44, 52, 62, -4, -12, -20, -28, -36, -44, -52, -62 }
#define GW_WIDE_VALUES_IQ3_S                                                                       \
    { 1, 3, 5, 7, 9, 11, 13, 15, -1, -3, -5, -7, -9, -11, -13, -15 }
#define GW_WIDE_VALUES_IQ1                                                                         \
    { -7, 1, 9, 0, 0, 0, 0, 0, -9, -1, 7, 0, 0, 0, 0, 0 }
#define GW_WIDE_D_IQ2     0.125f
#define GW_WIDE_D_IQ3_XXS 0.25f
#define GW_WIDE_D_IQ3_S   1.0f
#define GW_WIDE_D_IQ1     0.125f

// A format's wide twin; NULL: it has none.
const gw_format *gw_format_wide(const gw_format *format);

#endif
