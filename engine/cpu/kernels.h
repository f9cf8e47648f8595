// Kernels: the loops that are made for each instruction set, in a table each.
//
// A table's functions work on a part of a launch; cpu.c cuts launches into parts. All tables give the
// same bits, those of the reference.
#ifndef GW_CPU_KERNELS_H
#define GW_CPU_KERNELS_H

#include "graph/op.h"
#include "quant/layout.h"

enum {
    GW_TILE_TOKENS = 32, // of a part of a product, at most
    GW_TILE_SUMS = 64,   // groups of rows times tokens, at most
    GW_ATTN_PAIRS = 16,  // of a token and a head, of all key heads of a part of attention, at most
    GW_ELEMENTS = 1024,  // of a row, of one item of an op that makes each by itself
};

// Groups of rows, and tokens, of one part of a product.
typedef struct gw_matmul_part {
    const gw_reference_args *args;
    const gw_row_layout *layout; // of groups of 32 rows
    uint32_t group, n_groups, tok, n_tok;
} gw_matmul_part;

// Of each of some key heads, pairs of a token and a head that share it and a table; and blocks of keys.
typedef struct gw_attention_part {
    const gw_reference_args *args;
    uint64_t pair; // the first, of a key head's
    uint32_t g, n_heads, n_pairs, block, block_end;
} gw_attention_part;

// Ops without a loop of their own over launches, X(op, how its items are cut): as those of the reference
// (rows), in groups of 32 elements, or in pieces of GW_ELEMENTS.
#define GW_CPU_ITEM_OPS(X)                                                                         \
    X(rms_norm, rows)                                                                              \
    X(layer_norm, rows)                                                                            \
    X(rope_store, rows)                                                                            \
    X(silu_mul, groups)                                                                            \
    X(gelu_mul, groups)                                                                            \
    X(sigmoid_mul, groups)                                                                         \
    X(swiglu_clamp, groups)                                                                        \
    X(l2_norm, rows)                                                                               \
    X(ssm_conv, groups)                                                                            \
    X(ssm_gates, rows)                                                                             \
    X(ssm_scan, rows)                                                                              \
    X(selective_scan, rows)                                                                        \
    X(gated_delta_net, rows)                                                                       \
    X(gelu, pieces)                                                                                \
    X(clip, pieces)                                                                                \
    X(relu, pieces)                                                                                \
    X(softcap, pieces)                                                                             \
    X(scale, pieces)                                                                               \
    X(add, pieces)                                                                                 \
    X(mul, pieces)                                                                                 \
    X(match_rms, rows)                                                                             \
    X(mix_streams, rows)                                                                           \
    X(gaussian_topk, rows)                                                                         \
    X(moe_route, rows)                                                                             \
    X(moe_sum, pieces)                                                                             \
    X(sample, rows)                                                                                \
    X(sample_parts, rows)

enum {
#define GW_CPU_INDEX(op, items) GW_CPU_##op,
    GW_CPU_ITEM_OPS(GW_CPU_INDEX) GW_CPU_N_ITEM_OPS
#undef GW_CPU_INDEX
};

typedef struct gw_cpu_kernels {
    const char *name; // "avx512"
    void (*matmul)(const gw_matmul_part *part);
    // Not combinations of blocks, which are next: items, as of the reference, heads of tokens.
    void (*attention)(const gw_attention_part *part);
    void (*attention_combined)(const gw_reference_args *args);
    void (*items[GW_CPU_N_ITEM_OPS])(const gw_reference_args *args);
} gw_cpu_kernels;

// NULL: the library was built without it.
const gw_cpu_kernels *gw_cpu_plain(void);
const gw_cpu_kernels *gw_cpu_neon(void);
const gw_cpu_kernels *gw_cpu_dotprod(void);
const gw_cpu_kernels *gw_cpu_i8mm(void);
const gw_cpu_kernels *gw_cpu_avx2(void);
const gw_cpu_kernels *gw_cpu_avxvnni(void);
const gw_cpu_kernels *gw_cpu_avx512(void);

#define GW_CPU_ITEMS(op, items) [GW_CPU_##op] = gw_##op##_##items,
// The table of a file that includes this and the loops.
#define GW_CPU_KERNELS(isa)                                                                        \
    {                                                                                              \
        .name = (isa), .matmul = gw_matmul_rows, .attention = gw_attend,                           \
        .attention_combined = gw_attend_combined, .items = {GW_CPU_ITEM_OPS(GW_CPU_ITEMS)},        \
    }

#endif
