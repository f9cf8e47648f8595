// Laurel: a product of low rank beside a layer: a + norm(R (L a)).
// Source: transformers' Gemma 3n; GGUF tensor names.
#ifndef GW_ARCH_LAUREL_H
#define GW_ARCH_LAUREL_H

#include "arch/blocks.h"

typedef struct gw_laurel {
    gw_linear left, right;
    gw_norm norm;
} gw_laurel;

godwit_status gw_laurel_load(gw_model_def *def, uint32_t layer, gw_laurel *out, godwit_error *err);
// a: rows.
godwit_status gw_block_laurel(gw_builder *b, const gw_laurel *laurel, gw_value *a, gw_value **out);

#endif
