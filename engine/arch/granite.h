// Granite: the numbers that its families share. See granite.c.
#ifndef GW_ARCH_GRANITE_H
#define GW_ARCH_GRANITE_H

#include "arch/decoder.h"

// Its numbers, of a decoder that is loaded.
godwit_status gw_granite_numbers(const gw_model_def *def, gw_decoder *decoder, godwit_error *err);
// gw_arch.load of each, by its own traits (gw_arch.decoder).
godwit_status gw_granite_load(gw_model_def *def, godwit_error *err);

#endif
