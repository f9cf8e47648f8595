// phi3: Phi 3, 3.5 and 4 (mini and 14B).
//
// llama with rope over halves of (a part of) a head, one tensor for q, k and v and one for gate and
// up.
// Source: Abdin et al., "Phi-3 Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.fused_qkv = true, .fused_gate_up = true};

const gw_arch gw_arch_phi3 = {
    .name = "phi3", .decoder = &traits, .load = gw_decoder_load_plain, .build = gw_decoder_build};
