// gpt-oss: OpenAI's open mixtures of experts.
//
// A window in every 2nd layer, from the first on; heads with sinks; biases everywhere; experts of clamped gates,
// weighted by a softmax of those used; YaRN whose ends are not rounded to pairs.
// Source: OpenAI, "gpt-oss-120b & gpt-oss-20b Model Card", 2025; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX_USED};
static const gw_decoder_traits traits = {
    .ffn_norm = "post_attention_norm", .sinks = true, .act = GW_ACT_CLAMPED, .experts = &experts};
enum { PERIOD = 2 };

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_hparams_read(def, err));
    GW_TRY(gw_decoder_windows(def, PERIOD, err));
    def->h.ropes[0].yarn_between_pairs = true;
    GW_TRY(gw_decoder_load(def, &traits, NULL, err));
done:
    return status;
}

const gw_arch gw_arch_gpt_oss = {.name = "gpt-oss", .load = load, .build = gw_decoder_build};
