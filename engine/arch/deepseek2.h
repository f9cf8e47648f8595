// DeepSeek 2: what mistral4 has of it, which is all.
#ifndef GW_ARCH_DEEPSEEK2_H
#define GW_ARCH_DEEPSEEK2_H

#include "arch/decoder.h"

godwit_status gw_deepseek2_load(gw_model_def *def, godwit_error *err);

#endif
