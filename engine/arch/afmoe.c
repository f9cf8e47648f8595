// afmoe: Arcee's Trinity.
//
// Norms behind attention and feed-forward, too; head norms; where a layer has a sliding window, heads turn over
// halves; the others see all keys and do not turn. What attention gives is multiplied by sigmoids of what it reads. The
// first layers have a feed-forward, the others experts by sigmoids, chosen with a bias, beside one that all tokens share.
// Source: Arcee AI, "Trinity", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/exact_math.h"
#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {
    .post_norm = true, .qk_norm = GW_QK_NORM_HEAD, .gate = GW_GATE_SIGMOID, .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    enum { PERIOD = 4 };
    godwit_status status = GODWIT_OK;
    gw_decoder *m = NULL;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(gw_decoder_still_rope(def, err));
    GW_TRY(gw_decoder_load(def, &traits, &m, err));
    m->embd_scale = gw_sqrt((float)def->h.n_embd);
done:
    return status;
}

const gw_arch gw_arch_afmoe = {.name = "afmoe", .load = load, .build = gw_decoder_build};
