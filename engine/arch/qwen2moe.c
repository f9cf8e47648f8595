// qwen2moe: the mixtures of experts of Qwen 1.5 and 2.
//
// qwen2 with experts, whose weights are those of a softmax over all as they are, beside a feed-forward that
// all tokens share, weighted by a sigmoid.
// Source: Yang et al., "Qwen2 Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .weighs_shared = true};
static const gw_decoder_traits traits = {.experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_qwen2moe = {.name = "qwen2moe", .load = load, .build = gw_decoder_build};
