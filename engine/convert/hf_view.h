// Hf view: a tensor of the new file made of parts of the folder's tensors.
//
// A part is read with a size and a stride for each of up to four dimensions, so rows that change places,
// matrices that are turned over, experts that are put together and halves that are taken apart are all
// numbers. Nothing is held of a tensor but the stretch that is being read. Thread rule: a view is read by
// one thread at a time.
#ifndef GW_CONVERT_HF_VIEW_H
#define GW_CONVERT_HF_VIEW_H

#include "convert/convert.h"
#include "file/safetensors.h"

enum { GW_HF_VIEW_DIMS = 4 };

typedef struct gw_hf_part {
    const gw_st_tensor *from;
    uint64_t offset;                                           // elements
    uint64_t sizes[GW_HF_VIEW_DIMS], strides[GW_HF_VIEW_DIMS]; // outermost first; elements
} gw_hf_part;

// Two factors, one after the other.
typedef struct gw_hf_scale {
    float first, second;
} gw_hf_scale;

// What becomes of each number; the result is F32 where something does.
typedef enum gw_hf_change {
    GW_HF_AS_IS,
    GW_HF_ADD_ONE,   // x + 1
    GW_HF_MINUS_EXP, // -e^x
    GW_HF_SCALE,     // times both scales of its part, one after the other
} gw_hf_change;

// A stretch of a source, kept while rows are taken out of it.
typedef struct gw_hf_slab {
    const gw_host *host;
    uint8_t *bytes;
    size_t n_max;
    const gw_st_tensor *from;
    uint64_t at, n; // bytes of it
} gw_hf_slab;
void gw_hf_slab_free(gw_hf_slab *slab);

typedef struct gw_hf_view {
    gw_hf_slab *slab; // one of a folder
    const gw_hf_part *parts;
    size_t n_parts;
    gw_hf_change change;
    const gw_hf_scale *scales; // one of each part
    // MXFP4: parts[0] is of bytes, 16 for 32 numbers, each two neighbours; parts[1] of their scales.
    bool is_mxfp4;
} gw_hf_view;

uint64_t gw_hf_part_elements(const gw_hf_part *part);
// A gw_source.read; user is the gw_hf_view.
godwit_status gw_hf_view_read(const void *user, uint64_t at, uint64_t n_bytes, void *out,
                              godwit_error *err);

#endif
