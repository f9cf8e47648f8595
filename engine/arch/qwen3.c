// qwen3: the dense models of Qwen 3.
//
// qwen2 without biases; each head of q and k is normed before rope.
// Source: Yang et al., "Qwen3 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.qk_norm = GW_QK_NORM_HEAD};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_qwen3 = {.name = "qwen3", .load = load, .build = gw_decoder_build};
