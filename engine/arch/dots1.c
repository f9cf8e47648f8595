// dots1: dots.llm1.
//
// qwen3 with experts behind the first layers: by sigmoids, chosen with a bias, beside one that all tokens share.
// Source: rednote-hilab, "dots.llm1 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_HEAD, .experts = &experts};

const gw_arch gw_arch_dots1 = {
    .name = "dots1", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
