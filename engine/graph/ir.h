// IR: a graph of typed values and ops; no vendor, no file format, no device in it.
//
// Owns: values (shape, dtype, where they live), nodes (an op of the registry with its inputs,
// outputs and attributes) in execution order, and printing. LLM families and importers build it,
// passes rewrite it, the planner turns it into launches. Everything lives in the graph's arena.
// Shapes: dims outermost first, dense but for views of columns, at most 8; an op reads a value as
// rows of dims[n - 1].
// Thread rule: one thread at a time.
#ifndef GW_GRAPH_IR_H
#define GW_GRAPH_IR_H

#include "base/mem.h"
#include "base/span.h"
#include "graph/placement.h"

enum {
    GW_MAX_INPUTS = 8,
    GW_MAX_OUTPUTS = 2,
    GW_MAX_ATTR_BYTES = 64,
    // Not in godwit_dtype: int8 activations in groups of 32 with an fp32 scale each. Two parts: the
    // quants, rows of n/4 words, then (aligned) the scales, rows of n/32 floats.
    GW_DTYPE_Q8_ACT = 1000,
    // KV caches in int8 (ops/kv.h): the quants, then fp32 scales, one for each 32 elements of a row
    // or one a row, up to whole 16 bytes. Rows are multiples of 8.
    GW_DTYPE_Q8_KEYS = 1001,
    GW_DTYPE_Q8_VALUES = 1002,
};

typedef enum gw_value_kind {
    GW_VALUE_COMPUTED, // lives in the activation arena from its node to its last reader
    GW_VALUE_WEIGHT,   // immutable; lies where the graph's placement says (weight != NULL)
    GW_VALUE_INPUT,    // written by the host before a run
    GW_VALUE_STATE,    // lives across runs in the owner's state buffer: KV pages, logits
    GW_VALUE_OUTPUT,   // small result that the host reads after each run
} gw_value_kind;

// A piece of one of the plan's buffers.
typedef struct gw_slice {
    uint32_t buffer; // index into the program's stores
    uint64_t offset, bytes;
} gw_slice;

typedef struct gw_node gw_node;

// Where a view's elements are in the value that owns the memory: element i at first + i / run *
// stride + i % run. run 0: dense, from first on. A row lies in one run.
typedef struct gw_view {
    uint64_t first, run, stride;
} gw_view;

typedef struct gw_value {
    uint32_t id;
    const char *name;
    uint32_t dtype; // godwit_dtype or GW_DTYPE_*
    uint32_t n_dims;
    uint64_t dims[GODWIT_MAX_DIMS];
    gw_value_kind kind;
    const gw_weight *weight;  // GW_VALUE_WEIGHT
    const gw_placed *placed;  // where it lies; NULL: not known yet
    struct gw_value *view_of; // shares the memory of another value and owns none
    gw_view view;
    gw_slice slice; // set for STATE by the owner, for the rest by the planner
    bool keep;      // must outlive the run: a graph's output
} gw_value;

typedef struct gw_op gw_op;

struct gw_node {
    const gw_op *op;
    gw_value *inputs[GW_MAX_INPUTS]; // NULL where an optional input is missing
    uint32_t n_inputs;
    gw_value *outputs[GW_MAX_OUTPUTS]; // NULL behind the last one; none where an input is written
    _Alignas(8) uint8_t attrs[GW_MAX_ATTR_BYTES];
    const char *name; // for messages and printing: "blk.3.attn_q"
    // Set by the planner: memory of its launches alone (no bytes: none); a node whose work is done in
    // this one's launch, and that this one is such a node (op.h, takes_tail).
    gw_slice scratch;
    const gw_node *tail;
    bool is_tail;
};

typedef struct gw_graph {
    const gw_host *host;
    gw_arena arena;
    gw_vec(gw_value *) values;
    gw_vec(gw_node *) nodes;       // execution order
    const gw_placement *placement; // of its weights; NULL: they are not placed yet
} gw_graph;

void gw_graph_init(gw_graph *graph, const gw_host *host);
void gw_graph_deinit(gw_graph *graph);
// Where the graph's weights lie, those that it has and those to come. placement must outlive the
// graph and its plan; a weight that is not in it fails when the graph is planned.
void gw_graph_place(gw_graph *graph, const gw_placement *placement);

// A value; dims: [n_dims], each >= 1 (checked, as is the product). name is copied.
godwit_status gw_graph_value(gw_graph *graph, gw_value_kind kind, const char *name, uint32_t dtype,
                             uint32_t n_dims, const uint64_t *dims, gw_value **out_value,
                             godwit_error *err);
godwit_status gw_graph_weight(gw_graph *graph, const gw_weight *weight, gw_value **out_value,
                              godwit_error *err);
// n_rows rows of value from row on, sharing its memory. Rows: the outermost dimension.
godwit_status gw_graph_view(gw_graph *graph, gw_value *value, uint64_t row, uint64_t n_rows,
                            gw_value **out_value, godwit_error *err);
// Columns first .. first + n - 1, of the last dimension, of a value that is no constant. Only inputs
// that an op's strided_inputs names take it.
godwit_status gw_graph_columns(gw_graph *graph, gw_value *value, uint64_t first, uint64_t n,
                               gw_value **out_value, godwit_error *err);
// The same elements in another shape, sharing memory; of columns, rows stay whole.
godwit_status gw_graph_reshape(gw_graph *graph, gw_value *value, uint32_t n_dims,
                               const uint64_t *dims, gw_value **out_value, godwit_error *err);
// Appends a node: copies attrs (the op's own struct, attr_bytes long), infers its outputs, checks
// every shape. name is copied, and the outputs are named after it. out_values: as many as the op
// has; NULL where none is wanted.
godwit_status gw_graph_node(gw_graph *graph, const gw_op *op, const char *name,
                            gw_value *const *inputs, uint32_t n_inputs, const void *attrs,
                            size_t attr_bytes, gw_value **out_values, godwit_error *err);
// The same at a place: before nodes.items[at].
godwit_status gw_graph_insert(gw_graph *graph, size_t at, const gw_op *op, const char *name,
                              gw_value *const *inputs, uint32_t n_inputs, const void *attrs,
                              size_t attr_bytes, gw_value **out_values, godwit_error *err);
void gw_graph_remove(gw_graph *graph, size_t at);

uint64_t gw_value_n_elements(const gw_value *value);
uint64_t gw_value_n_rows(const gw_value *value); // product of all dims but the last
uint64_t gw_value_row(const gw_value *value);    // the last dim
// Bytes in a plan's buffer (weights: 0, they are placed elsewhere).
uint64_t gw_value_bytes(const gw_value *value);
// Where the scales of a GW_DTYPE_Q8_ACT value begin.
uint64_t gw_q8_act_scales_offset(const gw_value *value);
// The value whose memory this one is (through views).
gw_value *gw_value_root(gw_value *value);
static inline bool gw_value_is_strided(const gw_value *value) {
    return value->view.run != 0;
}
bool gw_node_makes(const gw_node *node, const gw_value *value);
const char *gw_value_dtype_name(const gw_value *value);
// "[3, 64] f32" into text.
void gw_value_shape_text(const gw_value *value, char *text, size_t text_bytes);

// One line a node. Returns GODWIT_CANCELLED when write does.
godwit_status gw_graph_print(const gw_graph *graph, godwit_write_fn write, void *user);

#define GW_ALIGN_UP(x, a) (((uint64_t)(x) + (a)-1) / (a) * (a))
// Every slice begins at a multiple of this: the largest minStorageBufferOffsetAlignment that Vulkan
// allows.
#define GW_SLICE_ALIGN 256

#endif
