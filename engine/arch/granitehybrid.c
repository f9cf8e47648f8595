// granitehybrid: Granite 4 with Mamba 2, dense and mixtures of experts.
//
// granite whose layers without heads of keys have Mamba 2 in the place of attention; heads turn only where a
// key says so. Experts by a softmax of those used, beside a feed-forward that all tokens share.
// Source: IBM, "Granite 4.0", 2025; GGUF tensor names.
#include "arch/granite.h"

#include "base/status.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX_USED};
static const gw_decoder_traits traits = {
    .rope_paired = true, .mixer = &gw_mixer_mamba2, .experts = &experts};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[96];
    bool turns = true;
    gw_def_key(def, "rope.scaling.finetuned", key, sizeof key);
    GW_TRY(gw_gguf_get_bool(def->gguf, key, true, &turns, err));
    GW_TRY(gw_decoder_load_hybrid(def, err));
    GW_TRY(gw_granite_numbers(def, def->family, err));
    if (!turns) def->h.ropes[0].still = true;
done:
    return status;
}

const gw_arch gw_arch_granitehybrid = {
    .name = "granitehybrid", .decoder = &traits, .load = load, .build = gw_decoder_build};
