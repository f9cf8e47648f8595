// Elementwise: what the tests of ops with one function an element share (engine/ops/unary.h, gated.h).
#ifndef GW_TESTS_ELEMENTWISE_H
#define GW_TESTS_ELEMENTWISE_H

#include "graph/op.h"

// act(gate) * up against its reference: alone and quantized, of columns, too.
void elementwise_gated(const gw_op *op);
void elementwise_gated_with(const gw_op *op, const void *attrs, size_t attr_bytes);
// An op of unary.h against its reference, of columns, too. attrs: two that differ, of attr_bytes each.
void elementwise_unary(const gw_op *op, const void *const attrs[2], size_t attr_bytes);
// Its reference's result of one number.
float elementwise_apply(const gw_op *op, float x, float a, float b);

#endif
