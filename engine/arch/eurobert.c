// eurobert: EuroBERT, Jina Embeddings 5.
//
// llama whose tokens see their text both ways, with rope over halves.
// Source: Boizard et al., "EuroBERT", 2025; GGUF tensor names.
#include "arch/decoder.h"

static const gw_decoder_traits traits = {.both_ways = true, .no_window = true};

const gw_arch gw_arch_eurobert = {.name = "eurobert",
                                  .decoder = &traits,
                                  .load = gw_decoder_load_plain,
                                  .build = gw_decoder_build};
