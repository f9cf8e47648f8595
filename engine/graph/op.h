// Op: what the registry knows of an op; the one place that graph, planner and walkers meet.
//
// An op is one stem: engine/ops/<op>.c, shaders/<op>.comp, tests/ops/<op>.c and a row of ops.def.
// Its file gives: infer (shapes), launch (kernel launches for a node), reference (the same launch
// in plain C: what it must equal, bit for bit). Launch parameters are one struct shared by shader
// (push constants) and reference.
#ifndef GW_GRAPH_OP_H
#define GW_GRAPH_OP_H

#include "graph/plan.h"

typedef enum gw_attr_type { GW_ATTR_U32, GW_ATTR_F32 } gw_attr_type;
// An attribute that godwit_graph_op sets by name.
typedef struct gw_attr_row {
    const char *name; // NULL ends the table
    gw_attr_type type;
    uint32_t offset; // in the op's attrs struct
    float fallback;
} gw_attr_row;

// One launch as the reference sees it: the shader's view, with pointers for bindings.
typedef struct gw_reference_args {
    const void *params;
    void *bufs[GW_LAUNCH_MAX_BINDINGS]; // in the order of the launch's slices
    uint64_t first, end;                // the items to make (gw_op.n_items)
} gw_reference_args;

struct gw_op {
    const char *name;
    uint32_t n_inputs_min, n_inputs_max;
    bool foldable;           // pure, f32 in and out: constant folding may run it
    uint32_t raw_inputs;     // bit k: input k may be a weight that is read as plain fp32 rows
    bool one_raw_row;        // and then of one row
    uint32_t strided_inputs; // bit k: input k may be a view of columns (gw_launch_bind_columns)
    bool packs_x;       // input 1 is packed as the number format of input 0, a weight, wants it
    bool writes_q8;     // its first output may be q8_act
    bool writes_inputs; // some are states that it writes: it lives though no output is read
    bool internal;      // made by passes only; godwit_graph_op refuses it
    const gw_attr_row *attrs;
    // Checks inputs and attrs; sets dtype, n_dims and dims of each output in out
    // [GW_MAX_OUTPUTS], zeroed before (n_dims 0: no such output).
    godwit_status (*infer)(const gw_node *node, gw_value *out, godwit_error *err);
    // Whether the node's launch on such a device can do the work of `tail`, which reads its result, as
    // well: launch then looks at node->tail. May be NULL.
    bool (*takes_tail)(const gw_node *node, const gw_node *tail, const gw_tune *tune);
    // Bytes of memory that the launches of a node need between them (node->scratch); may be NULL.
    uint64_t (*scratch)(const gw_node *node, const gw_tune *tune);
    godwit_status (*launch)(gw_plan *plan, const gw_node *node, godwit_error *err);
    // Multiply-adds of a launch, at most: what it is expected to take before it has run. NULL: by the
    // bytes of its bindings.
    uint64_t (*work)(const void *params);
    // Parts of a launch that may be made apart, on several threads; NULL: there is one.
    uint64_t (*n_items)(const void *params);
    void (*reference)(const gw_reference_args *args);
};

static inline uint64_t gw_op_n_items(const gw_op *op, const void *params) {
    return op->n_items ? op->n_items(params) : 1;
}
// All of a launch.
static inline void gw_reference(const gw_op *op, gw_reference_args *args) {
    args->first = 0;
    args->end = gw_op_n_items(op, args->params);
    op->reference(args);
}

#define X(name) extern const gw_op gw_op_##name;
#include "ops/ops.def"
#undef X

// NULL: none of that name.
const gw_op *gw_op_find(const char *name);
// For listing: the i-th op, NULL past the end.
const gw_op *gw_op_at(uint32_t i);

// Refuses a shape in the message grammar: "matmul: blk.0.attn_q: <what>".
#define GW_OP_CHECK(node, condition, err, ...)                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            gw_fail((err), GODWIT_INVALID_ARGUMENT, __VA_ARGS__);                                  \
            return gw_note((err), GODWIT_INVALID_ARGUMENT, "%s: %s", (node)->op->name,             \
                           (node)->name);                                                          \
        }                                                                                          \
    } while (0)

#endif
