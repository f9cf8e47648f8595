// gemma3: the text models of Gemma 3.
//
// gemma2 without its soft caps; each head of q and k is normed before rope; five layers with a sliding
// window and a rope of their own (base 10,000, not scaled), then one that sees all keys.
// Source: Gemma Team, "Gemma 3 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/exact_math.h"
#include "base/status.h"
#include "ops/ops.h"

static const gw_decoder_traits traits = {
    .act = GW_ACT_GELU_TANH, .post_norm = true, .qk_norm = GW_QK_NORM_HEAD};
// The 27B model, whose queries are scaled by another number than 1 / sqrt(head_dim); GGUF has no key
// for it.
enum { N_LAYER_27B = 62, PERIOD = 6 };

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(gw_decoder_swa_rope(def, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    m->embd_scale = gw_sqrt((float)def->h.n_embd);
    if (def->h.n_layer == N_LAYER_27B)
        m->attn_scale = gw_rsqrt((float)(def->h.n_embd / def->h.n_head));
    GW_TRY(gw_decoder_softcap(def, m, err));
done:
    return status;
}

const gw_arch gw_arch_gemma3 = {.name = "gemma3", .load = load, .build = gw_decoder_build};
