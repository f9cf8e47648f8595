// Gated: what the ops act(gate) * up share (silu_mul, gelu_mul): shapes, launch and walk; an op brings
// its one function.
//   gate, up: [.., n] f32, or columns; y: [.., n] f32, or q8_act when fused with quantize_q8
#ifndef GW_OPS_GATED_H
#define GW_OPS_GATED_H

#include "graph/op.h"
#include "ops/ops.h"

// Bindings: gate, up, y (quants and scales of q8_act, else twice the floats).
typedef struct gw_gated_params {
    uint32_t n; // elements, or groups of 32 where quantize
    uint32_t quantize;
    gw_columns gate, up;
    uint32_t groups_x;
} gw_gated_params;
_Static_assert(sizeof(gw_gated_params) == 36, "push constants of silu_mul.comp, gelu_mul.comp");

typedef struct gw_swiglu_clamp_params {
    gw_gated_params gated;
    gw_swiglu_clamp_attrs a;
} gw_swiglu_clamp_params;
_Static_assert(sizeof(gw_swiglu_clamp_params) == 56, "push constants of swiglu_clamp.comp");

godwit_status gw_gated_infer(const gw_node *node, gw_value *out, godwit_error *err);
godwit_status gw_gated_launch(gw_plan *plan, const gw_node *node, godwit_error *err);
uint64_t gw_gated_n_items(const void *params); // elements, or groups of 32
// Its own parameters behind gw_gated_params.
godwit_status gw_gated_launch_with(gw_plan *plan, const gw_node *node, const void *more,
                                   size_t more_bytes, godwit_error *err);
// act gives what is flushed before the product.
void gw_gated_reference(const gw_reference_args *args, float (*act)(float x));
// gate gives the result, flushed.
void gw_gated_reference_of(const gw_reference_args *args,
                           float (*gate)(const void *user, float gate, float up), const void *user);

#endif
