// AltUp: a token has several rows, streams, of which a layer computes the first; the others are predicted of
// it and of each other, and corrected by what the layer gave.
//
//   streams = x0, and projections of it as large as it is
//   predict:  p[i] = x[i] + sum of coefficients (router(x[0]))[i][j] x[j]
//   correct:  x[i] = p[i] + (1 + coefficients (router(y))[i]) (y - p[0])     (y: what the layer gave)
//   router(x) = tanh(W norm(x) / n)
//   in the end the mean of the first and of projections of the others, as large as it is
// Source: Baykal et al., "Alternating Updates for Efficient Transformers", 2023; transformers' Gemma 3n;
// GGUF tensor names.
#ifndef GW_ARCH_ALTUP_H
#define GW_ARCH_ALTUP_H

#include "arch/blocks.h"

typedef struct gw_altup {
    uint32_t n;             // streams
    gw_linear proj, unembd; // of all streams but the first, one behind the other
    struct gw_altup_layer {
        gw_norm router_norm;
        gw_linear router, predict, correct;
        gw_weight *scale; // [n_embd]
    } * layers;           // [n_layer]
} gw_altup;

godwit_status gw_altup_load(gw_model_def *def, gw_altup *out, godwit_error *err);
// Streams are [n_tok, n, n_embd].
godwit_status gw_block_altup_begin(gw_builder *b, const gw_altup *a, gw_value *x0,
                                   gw_value **streams);
godwit_status gw_block_altup_predict(gw_builder *b, const gw_altup *a, gw_value **streams);
// A stream alone: columns.
godwit_status gw_block_altup_stream(gw_builder *b, gw_value *streams, uint32_t i, gw_value **out);
godwit_status gw_block_altup_correct(gw_builder *b, const gw_altup *a, gw_value *y,
                                     gw_value **streams);
// The first, scaled; and y added to all others.
godwit_status gw_block_altup_scaled(gw_builder *b, const gw_altup *a, gw_value *streams,
                                    gw_value **out);
godwit_status gw_block_altup_add(gw_builder *b, gw_value *y, gw_value **streams);
// Of the last n_rows tokens.
godwit_status gw_block_altup_end(gw_builder *b, const gw_altup *a, gw_value *streams,
                                 uint64_t n_rows, gw_value **out);

#endif
