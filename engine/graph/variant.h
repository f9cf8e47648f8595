// Variant: the rows of variants.def, and which of them a tune allows.
#ifndef GW_GRAPH_VARIANT_H
#define GW_GRAPH_VARIANT_H

#include "graph/plan.h"

typedef enum gw_variant_formats {
    GW_VARIANT_INTEGER,
    GW_VARIANT_FLOAT,
    GW_VARIANT_ALL,
    GW_VARIANT_NONE
} gw_variant_formats;

typedef struct gw_variant {
    const char *module; // "matmul.dot"
    const gw_op *op;
    gw_variant_formats formats;
    uint32_t min_tokens;
    bool fast; // of fast numerics
} gw_variant;

enum { GW_VARIANT_PLAIN = GW_VARIANT_COUNT };

const gw_variant *gw_variant_at(uint32_t variant);
// By its module's name; GW_VARIANT_PLAIN: none.
uint32_t gw_variant_named(const char *module);
// Whether the variant has kernels for this format (NULL: the op reads no weights).
bool gw_variant_reads(const gw_variant *variant, const gw_format *format);
// The first row of op that tune allows and prefers for the format and n_tok tokens;
// GW_VARIANT_PLAIN where there is none.
uint32_t gw_variant_for(const gw_tune *tune, const gw_op *op, const gw_format *format,
                        uint64_t n_tok);
// Writes the module's name into the launch; nothing for GW_VARIANT_PLAIN.
void gw_launch_variant(gw_launch *launch, uint32_t variant);
// Names the format that the launch reads: the walker takes the module of that format where there is
// one (shaders/variants.txt).
void gw_launch_format(gw_launch *launch, const gw_format *format);
// Leaves tune this one variant, for all formats and any number of tokens; none for
// GW_VARIANT_PLAIN.
void gw_variant_only(gw_tune *tune, uint32_t variant);
bool gw_variant_is_allowed(const gw_tune *tune, uint32_t variant, const gw_format *format);
// Puts an exact variant of op, or GW_VARIANT_PLAIN, before all others for a format and a number of
// tokens; those behind it are left for what it is not worth it for (min_tokens). A fast one is put
// beside them, and stays there.
void gw_choice_prefer(gw_choice *choice, const gw_op *op, const gw_format *format, gw_tokens tokens,
                      uint32_t variant);
// The variant is not preferred any more.
void gw_choice_avoid(gw_choice *choice, const gw_format *format, gw_tokens tokens,
                     uint32_t variant);
// Takes a variant out of tune for a format, or for all (NULL).
void gw_variant_disable(gw_tune *tune, uint32_t variant, const gw_format *format);

#endif
