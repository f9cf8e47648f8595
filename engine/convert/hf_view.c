// Hf view: see hf_view.h.
#include "convert/hf_view.h"

#include "base/host_math.h"
#include "base/status.h"

enum {
    BLOCK = 32,
    BLOCK_BYTES = 17,
    PACKED_BYTES = 16,
    MAX_SLAB_MIB = 8192,
    DIRECT_BYTES = 1 << 15
};

void gw_hf_slab_free(gw_hf_slab *slab) {
    if (slab->host) gw_free(slab->host, slab->bytes, slab->n_max);
    *slab = (gw_hf_slab){0};
}

uint64_t gw_hf_part_elements(const gw_hf_part *part) {
    uint64_t n = 1;
    for (int i = 0; i < GW_HF_VIEW_DIMS; i++) n *= part->sizes[i];
    return n;
}

// Elements of the source from the first to the last that dimensions `level` and inner ones reach.
static uint64_t span_of(const gw_hf_part *part, int level) {
    uint64_t n = 1;
    for (int i = level; i < GW_HF_VIEW_DIMS; i++) n += (part->sizes[i] - 1) * part->strides[i];
    return n;
}

static godwit_status load(gw_hf_slab *slab, const gw_st_tensor *from, uint64_t at, uint64_t n,
                          godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint8_t *bytes = NULL;
    if (slab->from == from && at >= slab->at && at + n <= slab->at + slab->n) return GODWIT_OK;
    if (n > (uint64_t)MAX_SLAB_MIB << 20 || at + n > from->bytes) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "tensor %s: a stretch of over %d MiB changes places", from->name,
                       MAX_SLAB_MIB);
    }
    if (n > slab->n_max) {
        gw_free(slab->host, slab->bytes, slab->n_max);
        slab->n_max = 0;
        slab->from = NULL;
        slab->bytes = gw_alloc(slab->host, (size_t)n, 1);
        GW_CHECK_ALLOC(slab->bytes, err, "rows of a tensor");
        slab->n_max = (size_t)n;
    }
    slab->from = NULL;
    GW_TRY(gw_source_view(&from->source, at, n, slab->bytes, &bytes, err));
    if (bytes != slab->bytes) memcpy(slab->bytes, bytes, (size_t)n);
    slab->from = from;
    slab->at = at;
    slab->n = n;
done:
    return status;
}

static void change(gw_hf_change what, const gw_hf_scale *scale, float *x, uint64_t n) {
    for (uint64_t i = 0; i < n; i++) {
        if (what == GW_HF_SCALE) {
            x[i] *= scale->first;
            x[i] *= scale->second;
        }
        if (what == GW_HF_ADD_ONE) x[i] += 1.0f;
        if (what == GW_HF_MINUS_EXP)
            x[i] = x[i] > 80.0f ? -3e38f : (float)-gw_host_exp((double)x[i]);
    }
}

// n elements of a run, to where they go.
static void put(const gw_hf_view *view, const gw_hf_part *p, const uint8_t *bytes, uint64_t n,
                uint8_t *out) {
    const gw_st_tensor *from = p->from;
    if (view->change == GW_HF_AS_IS) {
        memcpy(out, bytes, (size_t)(n * from->type->bytes));
        return;
    }
    float *x =
        (float *)(void *)out; // rows are allocated for any type, and begin at multiples of it
    gw_format_dequantize(gw_format_find((uint32_t)from->type->gguf), bytes, n, x);
    change(view->change, view->scales ? &view->scales[p - view->parts] : NULL, x, n);
}

// Elements [first, first + n) of a part.
static godwit_status read_part(const gw_hf_view *view, const gw_hf_part *p, uint64_t first,
                               uint64_t n, uint8_t *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint64_t size = p->from->type->bytes;
    const uint64_t to_size = view->change == GW_HF_AS_IS ? size : sizeof(float);
    const int last = GW_HF_VIEW_DIMS - 1;
    // What is loaded at once: an index of the outermost dimension whose stretches do not overlap.
    int level = 0;
    while (level < last && (p->sizes[level] == 1 || p->strides[level] < span_of(p, level + 1)))
        level++;
    // Of rows that lie apart: with dimensions in front of those, all of it.
    bool whole = level == last || p->strides[level] < span_of(p, level + 1);
    for (int i = 0; i < level; i++) whole |= p->sizes[i] > 1;
    while (n > 0) {
        uint64_t index[GW_HF_VIEW_DIMS], rest = first, at = p->offset, begin = p->offset;
        for (int i = last; i >= 0; i--) {
            index[i] = rest % p->sizes[i];
            rest /= p->sizes[i];
            at += index[i] * p->strides[i];
        }
        uint64_t run = p->strides[last] == 1 ? p->sizes[last] - index[last] : 1;
        if (run > n) run = n;
        if (view->change == GW_HF_AS_IS && run * size >= DIRECT_BYTES) {
            const uint8_t *there = NULL;
            GW_TRY(gw_source_view(&p->from->source, at * size, run * size, out, &there, err));
            if (there != out) memcpy(out, there, (size_t)(run * size));
            out += run * to_size;
            first += run;
            n -= run;
            continue;
        }
        if (!whole) begin += index[level] * p->strides[level];
        const uint64_t span = span_of(p, whole ? 0 : level + 1);
        GW_TRY(load(view->slab, p->from, begin * size, span * size, err));
        const uint8_t *bytes = view->slab->bytes + at * size - view->slab->at;
        put(view, p, bytes, run, out);
        out += run * to_size;
        first += run;
        n -= run;
    }
done:
    return status;
}

// A block: its scale, then 16 bytes, which have number i in the lower half of byte i, i + 16 in the upper.
static void pack(const uint8_t *neighbours, uint8_t scale, uint8_t *out) {
    out[0] = scale;
    for (int i = 0; i < PACKED_BYTES; i++) {
        int low = neighbours[i / 2] >> (i % 2 * 4) & 15,
            high = neighbours[8 + i / 2] >> (i % 2 * 4) & 15;
        out[1 + i] = (uint8_t)(low | high << 4);
    }
}

static godwit_status read_mxfp4(const gw_hf_view *view, uint64_t block, uint64_t n_blocks,
                                uint8_t *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    enum { MOST = 1024 };
    // A slab each, since both are read in turns.
    gw_hf_slab scales = {.host = view->slab->host};
    gw_hf_view two = *view;
    uint8_t packed[MOST * PACKED_BYTES], scale[MOST];
    two.slab = &scales;
    for (uint64_t i = 0; i < n_blocks; i += MOST) {
        uint64_t n = n_blocks - i < MOST ? n_blocks - i : MOST;
        GW_TRY(read_part(view, &view->parts[0], (block + i) * PACKED_BYTES, n * PACKED_BYTES,
                         packed, err));
        GW_TRY(read_part(&two, &view->parts[1], block + i, n, scale, err));
        for (uint64_t k = 0; k < n; k++) {
            pack(packed + k * PACKED_BYTES, scale[k], out + (i + k) * BLOCK_BYTES);
        }
    }
done:
    gw_hf_slab_free(&scales);
    return status;
}

godwit_status gw_hf_view_read(const void *user, uint64_t at, uint64_t n_bytes, void *out,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_hf_view *view = user;
    uint8_t *to = out;
    if (view->is_mxfp4) return read_mxfp4(view, at / BLOCK_BYTES, n_bytes / BLOCK_BYTES, to, err);
    const uint64_t size =
        view->change == GW_HF_AS_IS ? view->parts[0].from->type->bytes : sizeof(float);
    uint64_t first = at / size, n = n_bytes / size;
    for (size_t i = 0; i < view->n_parts && n > 0; i++) {
        const uint64_t has = gw_hf_part_elements(&view->parts[i]);
        if (first >= has) {
            first -= has;
            continue;
        }
        const uint64_t take = n < has - first ? n : has - first;
        GW_TRY(read_part(view, &view->parts[i], first, take, to, err));
        to += take * size;
        n -= take;
        first = 0;
    }
    if (n > 0) return GW_BUG(err, "a view ends %llu elements early", (unsigned long long)n);
done:
    return status;
}
