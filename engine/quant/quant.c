// Quant: the table of number formats, from quant.def and wide.def, and what is the same for all of them.
#include "quant/quant.h"

#include "base/exact.h"

static const gw_format *const formats[] = {
#define X(id, name, form, words, half, offset, sixteens) [id] = &gw_format_##name,
#include "quant/quant.def"
#include "quant/wide.def"
#undef X
};

const gw_format *gw_format_find(uint32_t type) {
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        if (formats[id]->type == type) return formats[id];
    }
    return NULL;
}

const gw_format *gw_format_at(uint32_t id) {
    return id < GW_FMT_END ? formats[id] : NULL;
}

const gw_format *gw_format_named(const char *name) {
    for (uint32_t id = 0; id < GW_FMT_COUNT; id++) {
        if (strcmp(formats[id]->name, name) == 0) return formats[id];
    }
    return NULL;
}

static uint64_t blocks_of(const gw_format *format, uint64_t n_cols) {
    return gw_format_is_float(format) ? gw_format_units(format, n_cols) : n_cols / format->block;
}

uint64_t gw_format_quant_row(const gw_format *format, uint64_t n_cols) {
    return (blocks_of(format, n_cols) * format->quant_words + 3) / 4 * 4;
}

uint64_t gw_format_tails(const gw_format *format, uint64_t n_cols) {
    return blocks_of(format, n_cols) * format->side_words;
}

uint64_t gw_format_side_row(const gw_format *format, uint64_t n_cols) {
    uint64_t tails = blocks_of(format, n_cols) * format->tail_bytes;
    return gw_format_tails(format, n_cols) + (tails + 3) / 4;
}

float gw_unit_weight(gw_form form, const gw_unit *unit, uint32_t i) {
    uint32_t h = i / 16;
    if (form == GW_FORM_PLAIN) return unit->d * (float)unit->q[i];
    if (form == GW_FORM_PAIR) return (h ? unit->m : unit->d) * (float)unit->q[i];
    float w = unit->d * (float)unit->s[h];
    w = w * (float)unit->q[i];
    if (form == GW_FORM_SUB) return w;
    float min = unit->m * (float)unit->z[h];
    return w - min;
}

void gw_format_dequantize(const gw_format *format, const uint8_t *src, uint64_t n, float *out) {
    if (gw_format_is_float(format)) {
        format->widen(src, n, out);
        return;
    }
    uint32_t n_units = format->block / GW_UNIT;
    for (uint64_t u = 0; u < n / GW_UNIT; u++) {
        gw_unit unit = {.s = {1, 1}};
        format->decode(src + u / n_units * format->block_bytes, (uint32_t)(u % n_units), &unit);
        for (uint32_t i = 0; i < GW_UNIT; i++) {
            out[u * GW_UNIT + i] = gw_unit_weight(format->form, &unit, i);
        }
    }
}

const char *godwit_dtype_name(godwit_dtype dtype) {
    static const struct {
        godwit_dtype dtype;
        const char *name;
    } names[] = {
#define X(name, number) {GODWIT_##name, #name},
        GODWIT_DTYPES(X)
#undef X
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].dtype == dtype) return names[i].name;
    }
    return NULL;
}
