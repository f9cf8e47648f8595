// gemma_embedding: EmbeddingGemma (gemma-embedding).
//
// gemma3 whose tokens see their text both ways, in layers with a window what is near on either side. Behind
// the pooling two dense layers, where a file has them.
// Source: Vera et al., "EmbeddingGemma", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/exact_math.h"
#include "base/status.h"

static const gw_decoder_traits traits = {
    .both_ways = true, .act = GW_ACT_GELU_TANH, .post_norm = true, .qk_norm = GW_QK_NORM_HEAD};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    enum { PERIOD = 6 };
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(gw_decoder_swa_rope(def, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    m->embd_scale = gw_sqrt((float)def->h.n_embd);
done:
    return status;
}

const gw_arch gw_arch_gemma_embedding = {
    .name = "gemma-embedding", .decoder = &traits, .load = load, .build = gw_decoder_build};
