// olmo2: OLMo 2 and 3.
//
// llama with rope over halves of a head; what attention and feed-forward give is normed, not what they
// read; q and k are normed, all heads of a token together, before rope. OLMo 3 has a sliding window in
// layers that a key names, and only its other layers scale rope.
// Source: OLMo Team, "2 OLMo 2 Furious", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {
    .no_pre_norm = true, .post_norm = true, .qk_norm = GW_QK_NORM_ROW};
enum { PERIOD = 4 };

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    GW_TRY(gw_decoder_local_rope(def, def->h.ropes[0].base, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_olmo2 = {.name = "olmo2", .load = load, .build = gw_decoder_build};
