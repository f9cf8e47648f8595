// olmoe: OLMoE, mixtures of experts.
//
// llama with whole rows of q and k normed before rope, over halves of a head; experts by a softmax over all.
// Source: Muennighoff et al., "OLMoE: Open Mixture-of-Experts Language Models", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX};
static const gw_decoder_traits traits = {.qk_norm = GW_QK_NORM_ROW, .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, 0, err));
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_olmoe = {.name = "olmoe", .load = load, .build = gw_decoder_build};
