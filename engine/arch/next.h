// Next: the block behind a model's layers that predicts the token after the next one (next.c).
#ifndef GW_ARCH_NEXT_H
#define GW_ARCH_NEXT_H

#include "arch/decoder.h"

// A definition of its own, whose graph reads io->hidden_in beside tokens: of each what the model had made of the
// token before it. The other one must outlive it; both have the weights that they share, which are of that
// one's list alone. GODWIT_UNSUPPORTED where there is no such block.
godwit_status gw_next_create(const gw_model_def *of, gw_model_def **out_def, godwit_error *err);
// io->hidden out of what the layers give: [.., n_embd].
godwit_status gw_next_hidden(gw_builder *b, const struct gw_next *next, gw_norm output_norm,
                             gw_value *x);

#endif
