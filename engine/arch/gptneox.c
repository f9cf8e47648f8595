// gptneox: GPT-NeoX, Pythia, Dolly.
//
// Layer norms and biases; a part of a head turns, over halves; one tensor for q, k and v; a feed-forward
// of one product, gelu and another, beside attention or, by a key, behind it.
// Source: Black et al., "GPT-NeoX-20B", 2022; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {
    .layer_norm = true, .no_gate = true, .act = GW_ACT_GELU, .fused_qkv = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    char key[64];
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    gw_def_key(def, "use_parallel_residual", key, sizeof key);
    GW_TRY(gw_gguf_get_bool(def->gguf, key, true, &m->parallel, err));
done:
    return status;
}

const gw_arch gw_arch_gptneox = {.name = "gptneox", .load = load, .build = gw_decoder_build};
