// Unary: what elementwise ops of one operand share (gelu, relu, softcap, scale, xielu): shapes, launch and walk; an
// op brings its one function.
//   x: [.., n] f32, or columns; y: as x
#ifndef GW_OPS_UNARY_H
#define GW_OPS_UNARY_H

#include "ops/ops.h"

typedef struct gw_unary_params {
    uint32_t n, n_rows;
    gw_columns x;
    float a, b; // numbers of the function
    uint32_t groups_x;
    float c, d; // more numbers, of xielu
} gw_unary_params;
_Static_assert(sizeof(gw_unary_params) == 40,
               "push constants of gelu.comp, relu.comp, softcap.comp, scale.comp, xielu.comp");

godwit_status gw_unary_infer(const gw_node *node, gw_value *out, godwit_error *err);
// form: which function of several, a specialization constant.
godwit_status gw_unary_launch(gw_plan *plan, const gw_node *node, float a, float b, uint32_t form,
                              godwit_error *err);
// The same with four numbers.
godwit_status gw_unary_launch_with(gw_plan *plan, const gw_node *node, const float numbers[4],
                                   uint32_t form, godwit_error *err);
uint64_t gw_unary_n_items(const void *params); // rows
// The results are flushed.
void gw_unary_reference(const gw_reference_args *args, float (*op)(float x, float a, float b));

#endif
