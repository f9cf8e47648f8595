// Granite: the numbers that its families share. See granite.c.
#ifndef GW_ARCH_GRANITE_H
#define GW_ARCH_GRANITE_H

#include "arch/decoder.h"

// gw_arch.load of a family with these traits.
godwit_status gw_granite_load(gw_model_def *def, const gw_decoder_traits *traits,
                              godwit_error *err);

#endif
