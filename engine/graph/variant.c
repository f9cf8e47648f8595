// Variant: see variant.h.
#include "graph/variant.h"

#include "graph/op.h"

#include <stdio.h>

static const gw_variant variants[] = {
#define EXACT false
#define FAST  true
#define X(stem, suffix, capability, reads, least, numerics)                                        \
    {.module = #stem "." #suffix,                                                                  \
     .op = &gw_op_##stem,                                                                          \
     .formats = GW_VARIANT_##reads,                                                                \
     .min_tokens = least,                                                                          \
     .fast = numerics},
#include "graph/variants.def"
#undef X
#undef EXACT
#undef FAST
};

const gw_variant *gw_variant_at(uint32_t variant) {
    return variant < GW_VARIANT_COUNT ? &variants[variant] : NULL;
}

uint32_t gw_variant_named(const char *module) {
    uint32_t i = 0;
    while (i < GW_VARIANT_COUNT && strcmp(variants[i].module, module) != 0) i++;
    return i;
}

bool gw_variant_reads(const gw_variant *variant, const gw_format *format) {
    if (!format || variant->formats == GW_VARIANT_NONE) {
        return !format && variant->formats == GW_VARIANT_NONE;
    }
    if (variant->formats == GW_VARIANT_ALL) return true;
    return gw_format_is_float(format) == (variant->formats == GW_VARIANT_FLOAT);
}

// The bit of gw_tune.variants that stands for a format; ops without weights use the first.
static uint64_t bit_of(const gw_format *format) {
    return UINT64_C(1) << (format ? format->id : 0);
}
_Static_assert(GW_FMT_COUNT <= 64, "a bit of gw_tune.variants for each format");

bool gw_variant_is_allowed(const gw_tune *tune, uint32_t variant, const gw_format *format) {
    return variant < GW_VARIANT_COUNT && tune->variants[variant] & bit_of(format);
}

void gw_choice_prefer(gw_choice *choice, const gw_op *op, const gw_format *format, gw_tokens tokens,
                      uint32_t variant) {
    bool fast = variant < GW_VARIANT_COUNT && variants[variant].fast;
    for (uint32_t v = 0; v < variant && v < GW_VARIANT_COUNT && !fast; v++) {
        if (variants[v].op == op && !variants[v].fast) gw_choice_avoid(choice, format, tokens, v);
    }
    if (variant < GW_VARIANT_COUNT) choice->prefers[variant][tokens] |= bit_of(format);
}

void gw_choice_avoid(gw_choice *choice, const gw_format *format, gw_tokens tokens,
                     uint32_t variant) {
    choice->prefers[variant][tokens] &= ~bit_of(format);
}

uint32_t gw_variant_for(const gw_tune *tune, const gw_op *op, const gw_format *format,
                        uint64_t n_tok) {
    for (uint32_t i = 0; i < GW_VARIANT_COUNT; i++) {
        const gw_variant *v = &variants[i];
        if (v->op != op || !gw_variant_reads(v, format)) continue;
        if (!gw_variant_is_allowed(tune, i, format)) continue;
        if (tune->forced) return i;
        if (v->fast && !tune->fast) continue;
        uint64_t preferred = tune->choice.prefers[i][gw_tokens_of(tune, n_tok)];
        if (preferred & bit_of(format) && n_tok >= v->min_tokens) return i;
    }
    return GW_VARIANT_PLAIN;
}

void gw_launch_variant(gw_launch *launch, uint32_t variant) {
    if (variant >= GW_VARIANT_COUNT) return;
    snprintf(launch->shader, sizeof launch->shader, "%s", variants[variant].module);
}

void gw_launch_format(gw_launch *launch, const gw_format *format) {
    size_t n = strlen(launch->shader);
    snprintf(launch->shader + n, sizeof launch->shader - n, ".%s", format->name);
}

void gw_variant_only(gw_tune *tune, uint32_t variant) {
    memset(tune->variants, 0, sizeof tune->variants);
    tune->forced = true;
    if (variant < GW_VARIANT_COUNT) tune->variants[variant] = UINT64_MAX;
}

void gw_variant_disable(gw_tune *tune, uint32_t variant, const gw_format *format) {
    if (variant < GW_VARIANT_COUNT) tune->variants[variant] &= format ? ~bit_of(format) : 0;
}
