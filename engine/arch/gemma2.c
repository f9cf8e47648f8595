// gemma2: Gemma 2.
//
// gemma with norms behind attention and feed-forward as well, soft caps on scores and logits, and a
// sliding window in every second layer, the first one among them.
// Source: Gemma Team, "Gemma 2", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/exact_math.h"
#include "base/status.h"
#include "ops/ops.h"

static const gw_decoder_traits traits = {.act = GW_ACT_GELU_TANH, .post_norm = true};
// The 27B model, whose queries are scaled by another number than 1 / sqrt(head_dim); GGUF has no key
// for it.
enum { N_LAYER_27B = 46 };

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 2, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    m->embd_scale = gw_sqrt((float)def->h.n_embd);
    if (def->h.n_layer == N_LAYER_27B)
        m->attn_scale = gw_rsqrt((float)(def->h.n_embd / def->h.n_head));
    GW_TRY(gw_decoder_key(def, "attn_logit_softcapping", GW_SOFTCAP_MIN, GW_SOFTCAP_MAX, 50.0f,
                          &m->attn_softcap, err));
    GW_TRY(gw_decoder_key(def, "final_logit_softcapping", GW_SOFTCAP_MIN, GW_SOFTCAP_MAX, 30.0f,
                          &m->logit_softcap, err));
done:
    return status;
}

const gw_arch gw_arch_gemma2 = {.name = "gemma2", .load = load, .build = gw_decoder_build};
