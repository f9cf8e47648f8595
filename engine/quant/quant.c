// Quant: the table of number formats, from quant.def.
#include "quant/quant.h"

#include "base/exact.h"

static const gw_format *const formats[] = {
#define X(id, name) [id] = &gw_format_##name,
#include "quant/quant.def"
#undef X
};

const gw_format *gw_format_find(uint32_t type) {
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        if (formats[id]->type == type) return formats[id];
    }
    return NULL;
}

const gw_format *gw_format_at(uint32_t id) {
    return id < GW_FMT_COUNT ? formats[id] : NULL;
}

float gw_format_scale(const uint32_t *scales, uint64_t at) {
    return gw_f16_to_f32(scales[at / 2] >> (at % 2 * 16) & 0xffffu);
}

const char *godwit_dtype_name(godwit_dtype dtype) {
    switch (dtype) {
    case GODWIT_F32:
        return "F32";
    case GODWIT_F16:
        return "F16";
    case GODWIT_BF16:
        return "BF16";
    case GODWIT_Q8_0:
        return "Q8_0";
    case GODWIT_Q4_0:
        return "Q4_0";
    case GODWIT_I8:
        return "I8";
    case GODWIT_I32:
        return "I32";
    }
    return NULL;
}
