// Limits: the models that Godwit runs.
//
// Who reads a model (engine/arch) refuses what lies outside, and who writes one out of another
// description (engine/convert) does so before it writes it. Far above every model known; the tables
// and products that are made of these numbers stay in 32 and 64 bits.
#ifndef GW_BASE_LIMITS_H
#define GW_BASE_LIMITS_H

#include "godwit/godwit.h"

enum {
    GW_MAX_LAYERS = 1024,
    GW_MAX_EMBD = 1 << 17,
    GW_MAX_FF = 8 * GW_MAX_EMBD,
    GW_MAX_HEADS = 1024,
    GW_MAX_HEAD_DIM = 576, // attention's
    GW_HEAD_DIM_STEP = 8,  // a head_dim is a multiple of it
    // Also of a sliding window, and of the context before rope scaling.
    GW_MAX_CTX = GODWIT_CTX_MAX,
    GW_MAX_VOCAB = 1 << 22,
    GW_MAX_BLOCK_BYTES = 1 << 24, // a layer's recurrent state, of one sequence
    GW_MAX_STATE_ROWS = 256,      // of a head's recurrent state
    GW_MAX_CONV_TAPS = 16,        // of a short convolution
};

// Numbers of a file that are floats, both ends allowed.
#define GW_MAX_RMS_EPS        1.0f
#define GW_MIN_ROPE_BASE      1.0f
#define GW_MAX_ROPE_BASE      1e12f
#define GW_MIN_ROPE_FACTOR    1e-3f
#define GW_MAX_ROPE_FACTOR    1e6f
#define GW_MIN_ROPE_ATTENTION 1e-3f
#define GW_MAX_ROPE_ATTENTION 1e3f
#define GW_MIN_YARN_BETA      1e-3f
#define GW_MAX_YARN_BETA      1e4f
// Of a pair's frequency, both ends not allowed.
#define GW_MIN_ROPE_DIVISOR 1e-6f
#define GW_MAX_ROPE_DIVISOR 2e30f // 1e30 is written for what does not turn

#endif
