// Laurel: see laurel.h.
#include "arch/laurel.h"

#include "arch/mixers.h"
#include "base/limits.h"
#include "base/status.h"

#include <stdio.h>

godwit_status gw_laurel_load(gw_model_def *def, uint32_t layer, gw_laurel *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t d = def->h.n_embd;
    char name[96];
    snprintf(name, sizeof name, "blk.%u.laurel_l.weight", layer);
    const gw_gguf_tensor *tensor = gw_gguf_find_tensor(def->gguf, name);
    const uint64_t rank = tensor && tensor->dims[0] <= GW_MAX_FF ? tensor->dims[0] : 1;
    GW_TRY(gw_mixer_linear(def, layer, "laurel_l", rank, d, &out->left, err));
    GW_TRY(gw_mixer_linear(def, layer, "laurel_r", d, rank, &out->right, err));
    GW_TRY(gw_def_layer_weight(def, layer, "laurel_post_norm.weight", false, 1, &d, &out->norm.w,
                               err));
done:
    return status;
}

godwit_status gw_block_laurel(gw_builder *b, const gw_laurel *l, gw_value *a, gw_value **out) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_block_linear(b, "laurel_l", &l->left, (gw_normed){a, NULL}, out));
    GW_TRY(gw_block_linear(b, "laurel_r", &l->right, (gw_normed){*out, NULL}, out));
    GW_TRY(gw_block_norm_rows(b, "laurel_post_norm", l->norm, out));
    GW_TRY(gw_block_residual(b, "laurel_residual", out, a));
done:
    return status;
}
