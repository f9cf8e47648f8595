// Binary: what elementwise ops of two operands share (add, mul): shapes, launch and walk; an op
// brings its one operation.
//   a: [.., n] f32, or columns; b: the same shape, or [n], used for every row; y: as a
#ifndef GW_OPS_BINARY_H
#define GW_OPS_BINARY_H

#include "ops/ops.h"

typedef struct gw_binary_params {
    uint32_t n, n_rows;
    gw_columns a;
    uint32_t b_stride; // words from a row to the next; 0 repeats its one row
    uint32_t groups_x;
} gw_binary_params;
_Static_assert(sizeof(gw_binary_params) == 28, "push constants of add.comp, mul.comp");

godwit_status gw_binary_infer(const gw_node *node, gw_value *out, godwit_error *err);
godwit_status gw_binary_launch(gw_plan *plan, const gw_node *node, godwit_error *err);
uint64_t gw_binary_n_items(const void *params); // rows
void gw_binary_reference(const gw_reference_args *args, float (*op)(float a, float b));

#endif
