// bailingmoe2: Ling 2.0, Ring 2.0.
//
// Head norms; part of a head turns, over halves. The first layers have a feed-forward, the others experts
// by sigmoids, chosen in groups with a bias, beside what all tokens share.
// Source: Ling Team, "Ling 2.0", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {
    .no_window = true, .fused_qkv = true, .qk_norm = GW_QK_NORM_HEAD, .experts = &experts};

const gw_arch gw_arch_bailingmoe2 = {.name = "bailingmoe2",
                                     .decoder = &traits,
                                     .load = gw_decoder_load_plain,
                                     .build = gw_decoder_build};
