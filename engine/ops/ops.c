// Ops: the registry, from ops.def.
#include "graph/op.h"

static const gw_op *const ops[] = {
#define X(name) &gw_op_##name,
#include "ops/ops.def"
#undef X
};

const gw_op *gw_op_at(uint32_t i) {
    return i < sizeof ops / sizeof *ops ? ops[i] : NULL;
}

const gw_op *gw_op_find(const char *name) {
    for (uint32_t i = 0; gw_op_at(i); i++) {
        if (strcmp(ops[i]->name, name) == 0) return ops[i];
    }
    return NULL;
}
