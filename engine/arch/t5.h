// T5's encoder, alone (t5encoder.c) or in front of a decoder (t5.c).
#ifndef GW_ARCH_T5_H
#define GW_ARCH_T5_H

#include "arch/decoder.h"

enum { GW_T5_BUCKETS = 32 };

// Whether feed-forwards have a gate: those of both or of none.
static inline bool gw_t5_has_gate(const gw_model_def *def) {
    return gw_gguf_find_tensor(def->gguf, "enc.blk.0.ffn_gate.weight") ||
           gw_gguf_find_tensor(def->gguf, "dec.blk.0.ffn_gate.weight");
}

// decoder: whose embedding it takes; NULL: it is alone.
godwit_status gw_t5_load_encoder(gw_model_def *def, const gw_decoder *decoder,
                                 gw_decoder **out_encoder, godwit_error *err);

#endif
