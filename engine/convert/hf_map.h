// Hf map: what hf_map.c and hf_parts.c share of a folder's tensors on their way.
#ifndef GW_CONVERT_HF_MAP_H
#define GW_CONVERT_HF_MAP_H

#include "convert/hf_family.h"
#include "convert/hf_view.h"

// How the numbers of a row of hf_names.def lie.
typedef enum gw_hf_way {
    GW_HF_COPY,
    GW_HF_HEAD,           // an output, which may be the embedding once more
    GW_HF_SHARED,         // an embedding that may be there once more
    GW_HF_POSITIONS,      // without the rows that stand for padding
    GW_HF_POOLER,         // of a classifier alone
    GW_HF_NORM,           // GW_HF_PLUS_ONE
    GW_HF_Q,              // GW_HF_TURNS, of all heads
    GW_HF_K,              // the same, of key heads
    GW_HF_STACK,          // one tensor for each number at @
    GW_HF_EXPERTS,        // [n rows, cols] of n experts
    GW_HF_EXPERTS_TURNED, // the same, turned over: [n, cols, rows]
    GW_HF_HALVES,         // [n, 2 rows, cols] or [2 rows, cols] as two
    GW_HF_TURNED_OVER,    // [..., cols, rows]
    GW_HF_TURNED_PAIRS,   // [n, cols, 2 rows], of which neighbours belong to two tensors
    GW_HF_TURNED_HALVES,  // [n, cols, 2 rows], whose halves do
    GW_HF_PAIRS,          // [n, 2 cols], the same
    GW_HF_MXFP4,          // _blocks [n, rows, cols / 32, 16] and _scales [n, rows, cols / 32]
    GW_HF_MXFP4_PAIRS,    // the same with rows in turns
    GW_HF_SQUEEZED,       // [rows, 1, cols]
    GW_HF_LATENTS,        // kv_b: a head's keys, turned over, and values
    GW_HF_HEADS_OF_QKV,   // a head's q, k and v together
    GW_HF_DELTA_QKVZ,     // a key head's q, k, v and z together
    GW_HF_DELTA_QKV,      // q, k, v, whose heads stand by key heads
    GW_HF_DELTA_ROWS,     // of value heads
    GW_HF_DELTA_NUMBERS,  // one for each
    GW_HF_DELTA_DECAY,    // the same, as -e^x
    GW_HF_DELTA_COLUMNS,  // columns of them
    GW_HF_KV_GROUPS,      // of each key head its queries, its key and its value
    GW_HF_KV_GROUPS_OF3,  // the same, as three tensors
    GW_HF_QKV_OF3,        // queries, keys and values, as three tensors
    GW_HF_SSM_NUMBERS,    // of Mamba 2, one for each head: a column
    GW_HF_SSM_DECAY,      // the same, as -e^x
    GW_HF_CHANNELS,       // of a convolution: [1, channels, 1, taps]
    GW_HF_SSM_GROUPS,     // a row for each group
    GW_HF_SCALED,         // by settings of config.json
} gw_hf_way;

typedef struct gw_hf_listing {
    gw_hf *hf;
    gw_convert_job *job;
    gw_convert_tensor *items;
    size_t n, n_max;
    const gw_hf_scale *scales; // of the next one's parts, where GW_HF_SCALE
} gw_hf_listing;

// A tensor of the folder, to be written as `to` (one or two names, the layer and its end in them).
typedef struct gw_hf_source {
    const gw_st_tensor *from;
    char to[2][96];
    bool is_layer;
    uint64_t layer;
    size_t expert_at; // of one of several: where its number is in from's name
} gw_hf_source;

// What a tensor's name says.
typedef struct gw_hf_named {
    gw_hf_source source; // without its tensor
    gw_hf_way way;
    uint64_t expert;
} gw_hf_named;
// front: bytes of the tensor's own name in front of `name`.
godwit_status gw_hf_name(const gw_hf *hf, const char *name, size_t front, gw_hf_named *out,
                         godwit_error *err);
// One tensor of all experts', of which s has the first.
godwit_status gw_hf_stack(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err);

// One new tensor. parts: NULL: the source as it is. dims outermost first.
godwit_status gw_hf_emit(gw_hf_listing *l, const gw_st_tensor *from, const char *name,
                         uint32_t n_dims, const uint64_t *dims, const gw_hf_part *parts,
                         size_t n_parts, gw_hf_change change, godwit_error *err);
godwit_status gw_hf_emit_way(gw_hf_listing *l, const gw_hf_source *s, gw_hf_way way,
                             godwit_error *err);
// Matrices behind the pooling. (hf_encoders.c)
godwit_status gw_hf_emit_dense(gw_hf_listing *l, godwit_error *err);
// Ways of Mamba 2. (hf_mamba.c)
godwit_status gw_hf_emit_mamba(gw_hf_listing *l, const gw_hf_source *s, gw_hf_way way,
                               godwit_error *err);
// Blocks of MXFP4, every `step`-th row from `first` on.
godwit_status gw_hf_emit_mxfp4(gw_hf_listing *l, const gw_st_tensor *from, const char *name,
                               uint64_t first, uint64_t step, godwit_error *err);

#endif
