// phi3: Phi 3, 3.5 and 4 (mini and 14B).
//
// llama with rope over halves of (a part of) a head, one tensor for q, k and v and one for gate and
// up.
// Source: Abdin et al., "Phi-3 Technical Report", 2024; GGUF tensor names.
#include "arch/decoder.h"

#include "base/status.h"

static const gw_decoder_traits traits = {.fused_qkv = true, .fused_gate_up = true};

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = gw_hparams_read(def, err);
    return status == GODWIT_OK ? gw_decoder_load(def, &traits, NULL, err) : status;
}

const gw_arch gw_arch_phi3 = {.name = "phi3", .load = load, .build = gw_decoder_build};
