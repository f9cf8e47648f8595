// Mixers: what stands in the place of attention, in recurrent layers or in all. A family's traits name one.
#ifndef GW_ARCH_MIXERS_H
#define GW_ARCH_MIXERS_H

#include "arch/blocks.h"

typedef struct gw_mixer {
    bool everywhere; // in all layers
    // Finds the weights of a layer and declares its blocks.
    godwit_status (*load)(gw_model_def *def, uint32_t layer, const void **out, godwit_error *err);
    godwit_status (*build)(gw_builder *b, const void *mixer, gw_normed x, gw_value **out);
} gw_mixer;

extern const gw_mixer gw_mixer_short_conv;    // of LFM2
extern const gw_mixer gw_mixer_mamba;         // Mamba 1
extern const gw_mixer gw_mixer_mamba_weighed; // whose steps, B and C are normed by weights
extern const gw_mixer gw_mixer_mamba2;
extern const gw_mixer gw_mixer_mamba2_free;      // whose norm may be missing
extern const gw_mixer gw_mixer_latent_attention; // of DeepSeek V2
extern const gw_mixer gw_mixer_kda;              // of Kimi Linear
extern const gw_mixer gw_mixer_kda_bound;        // of Ling 3.0, whose decays have a bound
extern const gw_mixer gw_mixer_latent_heads;     // of MiniCPM3
// Of Qwen3-Next and of Qwen 3.5, whose files have heads in another order.
extern const gw_mixer gw_mixer_delta_net, gw_mixer_delta_net_tiled;

// For mixers: a matrix [rows, cols] of a layer, with its bias where there is one.
godwit_status gw_mixer_linear(gw_model_def *def, uint32_t layer, const char *stem, uint64_t rows,
                              uint64_t cols, gw_linear *out, godwit_error *err);
// A matrix [rows, cols], perhaps with more dims of 1, in F32 that ops read as one vector of rows * cols.
godwit_status gw_mixer_flat(gw_model_def *def, uint32_t layer, const char *name, bool optional,
                            uint64_t rows, uint64_t cols, gw_weight **out, godwit_error *err);
// A key of the architecture that must be there, 1 to max.
godwit_status gw_mixer_key(const gw_model_def *def, const char *suffix, uint32_t max, uint32_t *out,
                           godwit_error *err);
// Columns of x side by side with those of y, or, y NULL, by themselves.
godwit_status gw_mixer_concat(gw_builder *b, const char *what, gw_value *x, gw_value *y,
                              gw_value **out);
// Columns of x from first on, of each of n heads, turned by the layer's rope: [n_tok, n, n_rot].
godwit_status gw_mixer_turn(gw_builder *b, const char *what, gw_value *x, uint32_t first,
                            uint32_t n, uint32_t n_rot, bool paired, gw_value **out);
// A short convolution over channels: weights [channels, n_taps], which are read as one vector, and a
// bias, perhaps; its block.
typedef struct gw_conv {
    gw_weight *w, *bias;
    uint32_t n_taps, state;
} gw_conv;
godwit_status gw_conv_load(gw_model_def *def, uint32_t layer, const char *stem, uint32_t n_taps,
                           uint64_t channels, gw_conv *out, godwit_error *err);
godwit_status gw_block_conv(gw_builder *b, const char *what, const gw_conv *conv, bool gated,
                            bool silu, gw_value *x, gw_value **out);

#endif
