// minimax-m2: MiniMax M2, mixtures of experts.
//
// Whole rows of q and k are normed before rope, which turns half of a head; experts by sigmoids, chosen with a bias,
// those used made to add up to 1.
// Source: MiniMax, "MiniMax-M2", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true};
static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_ROW, .experts = &experts};

const gw_arch gw_arch_minimax_m2 = {.name = "minimax-m2",
                                    .decoder = &traits,
                                    .load = gw_decoder_load_plain,
                                    .build = gw_decoder_build};
