// ernie4_5-moe: the mixtures of experts of ERNIE 4.5.
//
// ernie4_5 whose first layers have a feed-forward, the others experts by a softmax over all, chosen with a bias, those
// used made to add up to 1, beside one that all tokens share.
// Source: ERNIE Team, "ERNIE 4.5 Technical Report", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SOFTMAX, .normed = true};
static const gw_decoder_traits traits = {.rope_paired = true, .experts = &experts};

const gw_arch gw_arch_ernie4_5_moe = {.name = "ernie4_5-moe",
                                      .decoder = &traits,
                                      .load = gw_decoder_load_plain,
                                      .build = gw_decoder_build};
