// hunyuan-dense: Hunyuan 0.5B to 7B.
//
// llama with rope over halves of a head; heads of q and k are normed after they have turned.
// Source: Tencent, "Hunyuan-7B", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {
    .no_window = true, .qk_norm = GW_QK_NORM_HEAD, .turns_first = true};

const gw_arch gw_arch_hunyuan_dense = {.name = "hunyuan-dense",
                                       .decoder = &traits,
                                       .load = gw_decoder_load_plain,
                                       .build = gw_decoder_build};
