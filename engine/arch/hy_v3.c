// hy_v3: Tencent's Hy 3.
//
// Head norms. The first layers have a feed-forward, the others experts by sigmoids, chosen with a bias, beside one that
// all tokens share. Layers for more tokens ahead are left out.
// Source: Tencent, "Hy3", 2026; GGUF tensor names.
#include "arch/decoder.h"

static const gw_experts_traits experts = {.gate = GW_MOE_SIGMOID, .normed = true, .by_keys = true};
static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_HEAD, .experts = &experts};

const gw_arch gw_arch_hy_v3 = {
    .name = "hy_v3", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
