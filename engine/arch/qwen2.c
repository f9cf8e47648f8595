// qwen2: the family of Qwen 1.5 to 2.5 and of what is distilled into them.
//
// llama with biases on q, k and v, and rope over halves of a head. A sliding window of its
// configuration is not used by any published model, and GGUF has no key for where it would begin.
// Source: Yang et al., "Qwen2 Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.rope_paired = false};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_qwen2 = {.name = "qwen2", .load = load, .build = gw_decoder_build};
