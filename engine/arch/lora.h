// LoRA: adapters, and the pass that adds them to a step's graph.
//
//   y = W x  becomes  y = W x + B (A x),  B = (scale * alpha / rank) of the file's B
// What a family has built stays as it is: the pass finds the products by their weights. Several
// adapters of a weight, and those of the parts that one product reads, are one pair of A and B: A has
// their rows one behind the other, B their columns, zeros elsewhere. Both are F32; B's numbers are
// multiplied and rounded once, on the host. So it is two more products of plain fp32, whose sums have
// the contract's order, and the bits are the same on every device. Experts have an A and a B each, by which
// the same tokens go; of the table of tokens, A is a table as well.
// Source: Hu et al., "LoRA", 2021; GGUF: general.type "adapter", NAME.lora_a and NAME.lora_b.
#ifndef GW_ARCH_LORA_H
#define GW_ARCH_LORA_H

#include "arch/arch.h"

// An adapter as it is given: its file, which outlives what is made of it, and a factor.
typedef struct gw_lora_source {
    const gw_gguf *gguf;
    float scale;
} gw_lora_source;

// Who reads the weight.
typedef enum gw_lora_kind {
    GW_LORA_PRODUCT, // a product, plain or of experts
    GW_LORA_TIED,    // the output's product, of the table of tokens
    GW_LORA_TABLE    // that table's rows
} gw_lora_kind;

// Of one weight.
typedef struct gw_lora_delta {
    const gw_weight *of;
    gw_lora_kind kind;
    // [rank, n_cols], [n_rows, rank], both with [n_experts] in front where the weight has it; of a table
    // [n_rows, rank], [n_cols, rank]
    gw_weight *a, *b;
    const gw_gguf *gguf; // the first that it is of, for messages
} gw_lora_delta;

typedef struct gw_lora {
    const gw_host *host;
    gw_arena arena;
    uint32_t n_sources;
    gw_lora_source sources[GODWIT_LORA_MAX];
    gw_vec(gw_lora_delta) deltas;
} gw_lora;

// Reads n adapters for a model. Errors name the file and the tensor: GODWIT_UNSUPPORTED for what is
// no such adapter, or changes what no product and no look-up of tokens reads; GODWIT_MALFORMED for shapes that are not
// the model's.
godwit_status gw_lora_create(const gw_model_def *def, const gw_lora_source *sources, uint32_t n,
                             gw_lora **out_lora, godwit_error *err);
void gw_lora_destroy(gw_lora **lora);
// Adds them to a graph that a family has built, before it is optimized. used: [deltas.n], set where
// the graph has such a product; or NULL. GODWIT_UNSUPPORTED where something else reads such a weight.
godwit_status gw_lora_apply(const gw_lora *lora, gw_graph *graph, bool *used, godwit_error *err);

#endif
