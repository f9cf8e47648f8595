// Plan: the one dispatch interface. A flat list of kernel launches over a few buffers, with
// barriers, made once for a graph of fixed shapes on a device's tuning, and walked by two walkers
// (run/).
//
// Buffers of a plan ("stores" when they are real):
//   0 arena      activations, aliased by lifetime
//   1 upload     input values, written by the host before each run
//   2 readback   output values, read by the host after it
//   3.. state    the owner's (KV pages, logits); offsets are set by the owner before planning
//   16.. weights the model's weight stores, in order
#ifndef GW_GRAPH_PLAN_H
#define GW_GRAPH_PLAN_H

#include "graph/ir.h"

enum {
    GW_LAUNCH_MAX_BINDINGS = 8,
    GW_LAUNCH_MAX_SPEC = 16,
    GW_LAUNCH_MAX_NODE = 48,
    GW_LAUNCH_MAX_PARAMS = 128, // Vulkan's guaranteed push constants
    GW_COUNTER_BYTES = 16384,   // where the arena begins, if workgroups count (gw_tune.counts)
    GW_STORE_ARENA = 0,
    GW_STORE_UPLOAD = 1,
    GW_STORE_READBACK = 2,
    GW_STORE_STATE = 3,
    GW_STORE_WEIGHTS = 16,
    GW_MAX_STATE_STORES = GW_STORE_WEIGHTS - GW_STORE_STATE,
};

// The modules that an op may use beside its plain one.
enum gw_variant_id {
#define X(op, suffix, capability, formats, min_tokens, numerics) GW_VARIANT_##op##_##suffix,
#include "graph/variants.def"
#undef X
    GW_VARIANT_COUNT
};

// Few tokens: decode of several sequences, short ends of prompts; many: prefill.
typedef enum gw_tokens { GW_TOKENS_ONE, GW_TOKENS_FEW, GW_TOKENS_MANY, GW_TOKENS_COUNT } gw_tokens;

// What can be measured on a device (run/measure.h).
typedef struct gw_choice {
    // matmul by kind of number format (0: integer, 1: float) and number of tokens.
    struct gw_matmul_tune {
        uint32_t lanes;      // invocations that share a row's blocks: 1, 2, 4, 8 or 16
        uint32_t tok_lanes;  // invocations side by side over tokens
        uint32_t row_groups; // groups of rows a workgroup works on
        uint32_t rows, cols; // rows and tokens of one invocation
    } matmul[2][GW_TOKENS_COUNT];
    // The rows of variants.def worth choosing: bit f for the number format with id f; ops without
    // weights use the first. The others are there on demand.
    uint64_t prefers[GW_VARIANT_COUNT][GW_TOKENS_COUNT];
} gw_choice;

// Shapes of kernels on a device: data, chosen by capability or by measurement, never by vendor. Any
// choice gives the same bits.
typedef struct gw_tune {
    gw_choice choice;
    uint32_t few_max;                     // so many tokens are few, more are many
    uint32_t n_batch;                     // of a prompt, worked on at once
    uint32_t run_tokens;                  // a run takes as long as so many more of its tokens
    uint32_t row_lanes;                   // workgroup of rms_norm
    uint32_t row_wide;                    // of rms_norm_wide, at most; 0: it is not taken
    uint32_t elem_lanes;                  // workgroup of elementwise ops
    uint32_t attn_lanes;                  // workgroup of attention
    uint32_t attn_queries;                // that it works on at once: 1, 2, 4 or 8
    uint32_t attn_shared;                 // bytes of shared memory that it may take
    uint32_t max_shared, max_invocations; // of a workgroup, of the device
    bool small_tiles; // matmul's: a software driver compiles large ones for seconds
    bool slow_dots;   // packed dots are taken apart by the driver, into many registers
    uint32_t tile;    // of matmul: 1 and more, one of the shapes of tiles; 0: by the product
    uint32_t cores;   // that work on a workgroup each
    bool attn_parts;  // few tokens: blocks of keys side by side
    uint32_t sample_lanes;
    uint32_t group_lanes; // invocations that make a group of q8_act: 1 or 8
    bool looks_ahead;     // a step is worth submitting before the one before it has ended
    bool counts;        // workgroups see what others of their launch wrote, once these are counted
    uint64_t max_range; // bytes of one binding
    uint64_t max_weight_range; // likewise, of one of weights
    uint32_t max_groups[3];    // of one dispatch
    // By row of variants.def: bit f allows it for the number format with id f (variant.h).
    uint64_t variants[GW_VARIANT_COUNT];
    bool fast;          // fast numerics: rows marked FAST may be chosen
    bool keep_values;   // nothing shares memory: every value is there after a run (guard)
    bool time_launches; // a barrier and a timestamp around each launch
    bool forced;        // take the first that variants allows: prefers, fast and tokens are ignored
    // For variants that need them; matrices by kind of number format, m x k times k x n.
    uint32_t subgroup_size;
    struct gw_matrix_tune {
        uint32_t m, n, k;
    } matrices[2];
} gw_tune;

static inline gw_tokens gw_tokens_of(const gw_tune *tune, uint64_t n_tok) {
    if (n_tok == 1) return GW_TOKENS_ONE;
    return n_tok <= tune->few_max ? GW_TOKENS_FEW : GW_TOKENS_MANY;
}

typedef struct gw_launch {
    const gw_op *op;
    char
        node[GW_LAUNCH_MAX_NODE]; // its node's name, perhaps cut short: the plan outlives the graph
    char shader[32];              // module name: the op's, with a variant suffix
    uint32_t spec[GW_LAUNCH_MAX_SPEC];
    uint32_t n_spec;
    const gw_op *tail; // whose work it does, too; NULL: none
    uint32_t groups[3];
    uint8_t params[GW_LAUNCH_MAX_PARAMS];
    uint32_t params_bytes;
    gw_slice slices[GW_LAUNCH_MAX_BINDINGS];
    uint32_t n_slices;
    uint32_t writes;         // bit i: slice i is written
    bool barrier_before;     // set by the barrier pass
    const gw_placed *placed; // what bindings 0 and 1 are of, or NULL
    const gw_weight_chunk *chunk;
    uint64_t weight_bytes; // read by a node, at its first launch
} gw_launch;

typedef struct gw_plan {
    const gw_host *host;
    gw_tune tune;
    gw_vec(gw_launch) launches;
    uint64_t arena_bytes, upload_bytes, readback_bytes;
    // Of the arena, the first ones: counters of workgroups, 0 between launches. Launches that have a
    // barrier between them share them.
    uint64_t counter_bytes;
    uint64_t weight_bytes; // read by one run
    uint32_t n_barriers;
    bool fast; // some launch is of fast numerics
} gw_plan;

// Called before and after each pass when a caller wants to see them.
typedef void (*gw_pass_fn)(void *user, const char *pass, bool after, const gw_graph *graph);

// Runs the passes over graph, rewriting it. each may be NULL.
godwit_status gw_graph_optimize(gw_graph *graph, gw_pass_fn each, void *user, godwit_error *err);
// Of an optimized graph's own constants, before they are placed: one that some op reads as plain fp32
// rows is laid out so.
void gw_graph_lay_out(const gw_graph *graph);
// Makes the plan of an optimized graph. States must be placed, and so must weights (gw_graph_place). A launch that the
// tune's device cannot bind or dispatch is GODWIT_UNSUPPORTED.
godwit_status gw_plan_create(gw_graph *graph, const gw_tune *tune, gw_plan **out_plan,
                             godwit_error *err);
void gw_plan_destroy(gw_plan **plan);

// For ops: a new launch of op with its params copied, zeroed otherwise; NULL without memory.
gw_launch *gw_plan_launch(gw_plan *plan, const gw_node *node, const void *params,
                          uint32_t params_bytes);
// Binds a value (or a part of it) as the launch's next slice.
void gw_launch_bind(gw_launch *launch, const gw_value *value, bool write);
void gw_launch_bind_slice(gw_launch *launch, gw_slice slice, bool write);
// Binds the arena whole, where a kernel counts workgroups or writes several values; gw_arena_word:
// where a value, or a piece of the arena, is in it.
void gw_launch_bind_arena(gw_launch *launch, const gw_plan *plan);
static inline uint32_t gw_arena_word(gw_slice slice) {
    return (uint32_t)(slice.offset / 4);
}
// Binds what an op reads from element *out_first on: rows of a view may begin where no binding may.
void gw_launch_bind_view(gw_launch *launch, const gw_value *value, uint32_t *out_first);
// The same for what may be columns: element i of the value is at first + i / run * stride + i % run of
// the binding. Part of a kernel's parameters (shaders/lib/columns.glsl).
typedef struct gw_columns {
    uint32_t first, run, stride;
} gw_columns;
void gw_launch_bind_columns(gw_launch *launch, const gw_value *value, gw_columns *out);
// The same in a binding of the whole value that owns the memory (gw_value_root), for views of one.
gw_columns gw_columns_of(const gw_value *value);
static inline uint64_t gw_column_at(const gw_columns *c, uint64_t i) {
    return c->first + i / c->run * c->stride + i % c->run;
}
// A chunk alone, of plain fp32 rows.
void gw_launch_bind_chunk(gw_launch *launch, const gw_weight_chunk *chunk);
// Rows of a weight's chunk, and the table of its format (rows again where it has none).
void gw_launch_bind_weight(gw_launch *launch, const gw_placed *placed,
                           const gw_weight_chunk *chunk);
// Quants and scales of a GW_DTYPE_Q8_ACT value.
void gw_launch_bind_q8_act(gw_launch *launch, const gw_value *value, bool write);
// Specialization constants 0..2: the workgroup size; more follow in order.
void gw_launch_spec(gw_launch *launch, uint32_t x, uint32_t n_more, const uint32_t *more);

// The passes, in their order; each is one file of graph/passes/ with this one entry.
godwit_status gw_pass_fold(gw_graph *graph, godwit_error *err);
godwit_status gw_pass_dead(gw_graph *graph, godwit_error *err);
godwit_status gw_pass_pack(gw_graph *graph, godwit_error *err);
godwit_status gw_pass_fuse(gw_graph *graph, godwit_error *err);
// For a device: sets gw_node.tail and is_tail.
void gw_pass_tails(gw_graph *graph, const gw_tune *tune);
// Over the plan: places computed, input and output values; marks the barriers.
godwit_status gw_pass_place(gw_graph *graph, gw_plan *plan, godwit_error *err);
void gw_pass_barriers(gw_plan *plan);

#endif
