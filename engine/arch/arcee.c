// arcee: AFM 4.5B.
//
// llama whose feed-forward has no gate, and relu squared as its activation.
// Source: Arcee AI, "AFM-4.5B", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.rope_paired = true, .no_gate = true, .act = GW_ACT_RELU2};

const gw_arch gw_arch_arcee = {
    .name = "arcee", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
