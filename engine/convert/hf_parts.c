// Hf parts: how the numbers of a tensor lie in the folder and in the file, as sizes and strides.
#include "convert/hf_map.h"

#include "base/status.h"

#include <stdio.h>

enum { GW_HF_MAX_GROUPS = 256 };

static bool is_bias(const gw_st_tensor *t) {
    const size_t n = strlen(t->name);
    return n > 5 && strcmp(t->name + n - 5, ".bias") == 0;
}

static godwit_status no_shape(const gw_st_tensor *t, godwit_error *err) {
    return gw_fail(err, GODWIT_MALFORMED, "tensor %s: its shape is not what config.json wants",
                   t->name);
}

godwit_status gw_hf_emit(gw_hf_listing *l, const gw_st_tensor *from, const char *name,
                         uint32_t n_dims, const uint64_t *dims, const gw_hf_part *parts,
                         size_t n_parts, gw_hf_change change, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_arena *arena = &l->hf->arena;
    if (from->type->gguf < 0) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "tensor %s: weights of type %s; F32, F16 and BF16 can be converted", from->name,
                from->type->name);
    }
    if (n_dims < 1 || n_dims > 4)
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: %u dimensions", from->name, n_dims);
    if (l->n == l->n_max) return GW_BUG(err, "over %zu tensors", l->n_max);
    gw_convert_tensor *out = &l->items[l->n];
    char *copy = gw_arena_strndup(arena, name, strlen(name));
    GW_CHECK_ALLOC(copy, err, "tensor name");
    const uint32_t type = change == GW_HF_AS_IS ? (uint32_t)from->type->gguf : GODWIT_F32;
    *out = (gw_convert_tensor){.job = l->job,
                               .name = copy,
                               .from_file = from->file,
                               .from_name = from->name,
                               .n_dims = n_dims,
                               .dims = {1, 1, 1, 1},
                               .from_type = type,
                               .from = gw_format_find(type),
                               .source = from->source,
                               .from_bytes = from->bytes};
    uint64_t n = 1, has = 0;
    for (uint32_t i = 0; i < n_dims; i++) n *= out->dims[i] = dims[i];
    for (size_t i = 0; i < n_parts; i++) has += gw_hf_part_elements(&parts[i]);
    if (n != (parts ? has : from->n_elements)) return no_shape(from, err);
    if (parts) {
        gw_hf_view *view = gw_arena_alloc(arena, 1, sizeof *view);
        gw_hf_part *own = gw_arena_alloc(arena, n_parts, sizeof *own);
        GW_CHECK_ALLOC(view && own, err, "parts of a tensor");
        memcpy(own, parts, n_parts * sizeof *own);
        *view =
            (gw_hf_view){.slab = &l->hf->slab, .parts = own, .n_parts = n_parts, .change = change};
        if (change == GW_HF_SCALE) view->scales = l->scales;
        out->source = (gw_source){.read = gw_hf_view_read, .user = view};
        out->from_bytes = n * (change == GW_HF_AS_IS ? from->type->bytes : sizeof(float));
    }
    l->n++;
done:
    return status;
}

// --- as they are, or each number changed ---------------------------------------------------------

static gw_hf_part all_of(const gw_st_tensor *t) {
    return (gw_hf_part){t, 0, {1, 1, 1, t->n_elements}, {0, 0, 0, 1}};
}

static godwit_status emit_changed(gw_hf_listing *l, const gw_hf_source *s, gw_hf_change change,
                                  godwit_error *err) {
    const gw_hf_part part = all_of(s->from);
    return gw_hf_emit(l, s->from, s->to[0], s->from->n_dims, s->from->dims, &part, 1, change, err);
}

// Without dimensions of 1; of a matrix of one row, a vector.
static godwit_status emit_squeezed(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    uint64_t dims[GW_ST_MAX_DIMS];
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->from->n_dims; i++) {
        if (s->from->dims[i] != 1) dims[n++] = s->from->dims[i];
    }
    if (n == 0) dims[n++] = 1;
    return gw_hf_emit(l, s->from, s->to[0], n, dims, NULL, 0, GW_HF_AS_IS, err);
}

static godwit_status emit_channels(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    const gw_st_tensor *t = s->from;
    if (t->n_dims < 2 || t->n_elements != t->dims[0] * t->dims[t->n_dims - 1])
        return no_shape(t, err);
    const uint64_t dims[4] = {1, t->dims[0], 1, t->dims[t->n_dims - 1]};
    return gw_hf_emit(l, t, s->to[0], 4, dims, NULL, 0, GW_HF_AS_IS, err);
}

static godwit_status emit_positions(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    const gw_st_tensor *t = s->from;
    const uint64_t skip = gw_hf_position_offset(l->hf);
    if (t->n_dims != 2 || t->dims[0] <= skip) return no_shape(t, err);
    const uint64_t dims[2] = {t->dims[0] - skip, t->dims[1]};
    const gw_hf_part part = {t, skip * dims[1], {1, 1, 1, dims[0] * dims[1]}, {0, 0, 0, 1}};
    return gw_hf_emit(l, t, s->to[0], 2, dims, &part, 1, GW_HF_AS_IS, err);
}

// --- rows and columns in other places ------------------------------------------------------------

// A head's rows are two halves, and become neighbours.
static godwit_status emit_heads(gw_hf_listing *l, const gw_hf_source *s, uint64_t n_heads,
                                godwit_error *err) {
    const gw_st_tensor *t = s->from;
    const uint64_t cols = t->n_dims == 2 ? t->dims[1] : 1, half = t->dims[0] / n_heads / 2;
    if (t->n_dims > 2 || t->dims[0] != 2 * half * n_heads) return no_shape(t, err);
    const gw_hf_part part = {
        t, 0, {n_heads, half, 2, cols}, {2 * half * cols, cols, half * cols, 1}};
    return gw_hf_emit(l, t, s->to[0], t->n_dims, t->dims, &part, 1, GW_HF_AS_IS, err);
}

static godwit_status emit_turned_over(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    const gw_st_tensor *t = s->from;
    const uint32_t d = t->n_dims;
    if (d == 1) return gw_hf_emit(l, t, s->to[0], 1, t->dims, NULL, 0, GW_HF_AS_IS, err);
    if (d > 3) return no_shape(t, err);
    const uint64_t n = d == 3 ? t->dims[0] : 1, rows = t->dims[d - 1], cols = t->dims[d - 2];
    const gw_hf_part part = {t, 0, {1, n, rows, cols}, {0, rows * cols, 1, rows}};
    const uint64_t dims[3] = {n, rows, cols};
    return gw_hf_emit(l, t, s->to[0], d, d == 3 ? dims : dims + 1, &part, 1, GW_HF_AS_IS, err);
}

// Matrices of experts, one below the other.
static godwit_status emit_experts(gw_hf_listing *l, const gw_hf_source *s, bool turned,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    uint64_t n = 0;
    GW_TRY(gw_hf_size(l->hf, "moe_num_experts", UINT64_MAX, 1, 1 << 12, &n, err));
    if (t->n_dims != 2 || t->dims[0] % n) return no_shape(t, err);
    const uint64_t rows = t->dims[0] / n, cols = t->dims[1], all = rows * cols;
    const gw_hf_part part = turned ? (gw_hf_part){t, 0, {1, n, cols, rows}, {0, all, 1, cols}}
                                   : (gw_hf_part){t, 0, {1, 1, 1, n * all}, {0, 0, 0, 1}};
    const uint64_t dims[3] = {n, turned ? cols : rows, turned ? rows : cols};
    GW_TRY(gw_hf_emit(l, t, s->to[0], 3, dims, &part, 1, GW_HF_AS_IS, err));
done:
    return status;
}

static godwit_status emit_halves(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    const uint32_t d = t->n_dims;
    if ((d != 3 && d != 2) || t->dims[d - 2] % 2) return no_shape(t, err);
    const uint64_t n = d == 3 ? t->dims[0] : 1, rows = t->dims[d - 2] / 2, cols = t->dims[d - 1];
    for (uint64_t i = 0; i < 2; i++) {
        const gw_hf_part part = {
            t, i * rows * cols, {1, 1, n, rows * cols}, {0, 0, 2 * rows * cols, 1}};
        const uint64_t dims[3] = {n, rows, cols};
        GW_TRY(gw_hf_emit(l, t, s->to[i], d, dims + 3 - d, &part, 1, GW_HF_AS_IS, err));
    }
done:
    return status;
}

// [n, cols, 2 rows]: halves of the last dimension, which become rows of two tensors.
static godwit_status emit_turned_halves(gw_hf_listing *l, const gw_hf_source *s,
                                        godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    if (t->n_dims != 3 || t->dims[2] % 2) return no_shape(t, err);
    const uint64_t n = t->dims[0], cols = t->dims[1], both = t->dims[2], rows = both / 2;
    for (uint64_t i = 0; i < 2; i++) {
        const gw_hf_part part = {t, i * rows, {1, n, rows, cols}, {0, both * cols, 1, both}};
        const uint64_t dims[3] = {n, rows, cols};
        GW_TRY(gw_hf_emit(l, t, s->to[i], 3, dims, &part, 1, GW_HF_AS_IS, err));
    }
done:
    return status;
}

// Neighbours belong to two tensors: of the last dimension, which becomes rows where `turned`.
static godwit_status emit_pairs(gw_hf_listing *l, const gw_hf_source *s, bool turned,
                                godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    const uint32_t d = turned ? 3 : 2;
    if (t->n_dims != d || t->dims[d - 1] % 2) return no_shape(t, err);
    const uint64_t n = t->dims[0], both = t->dims[d - 1], rows = both / 2,
                   cols = turned ? t->dims[1] : 1;
    for (uint64_t i = 0; i < 2; i++) {
        const gw_hf_part part = {t, i, {1, n, rows, cols}, {0, both * cols, 2, both}};
        const uint64_t dims[3] = {n, rows, cols};
        GW_TRY(gw_hf_emit(l, t, s->to[i], d, dims, &part, 1, GW_HF_AS_IS, err));
    }
done:
    return status;
}

// --- MXFP4 ---------------------------------------------------------------------------------------

enum { BLOCK = 32, PACKED_BYTES = 16, BLOCK_BYTES = 17 };

godwit_status gw_hf_emit_mxfp4(gw_hf_listing *l, const gw_st_tensor *t, const char *name,
                               uint64_t first, uint64_t step, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char other[512];
    const size_t n_name = strlen(t->name);
    if (n_name >= sizeof other || n_name < 7) return no_shape(t, err);
    memcpy(other, t->name, n_name + 1);
    memcpy(other + n_name - 6, "scales", 6);
    const gw_st_tensor *scales = gw_safetensors_find(l->hf->weights, other);
    if (!scales) GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: missing", other);
    const uint64_t n = t->dims[0], rows = t->dims[1] / step, blocks = t->dims[2];
    bool fits = t->n_dims == 4 && t->dims[3] == PACKED_BYTES && t->dims[1] % step == 0 &&
                scales->n_dims == 3 && scales->dims[0] == n && scales->dims[1] == t->dims[1] &&
                scales->dims[2] == blocks && strcmp(t->type->name, "U8") == 0 &&
                scales->type == t->type;
    if (!fits) return no_shape(t, err);
    gw_hf_view *view = gw_arena_alloc(&l->hf->arena, 1, sizeof *view);
    gw_hf_part *parts = gw_arena_alloc(&l->hf->arena, 2, sizeof *parts);
    char *copy = gw_arena_strndup(&l->hf->arena, name, strlen(name));
    GW_CHECK_ALLOC(view && parts && copy, err, "parts of a tensor");
    for (int i = 0; i < 2; i++) {
        const uint64_t row = blocks * (i == 0 ? PACKED_BYTES : 1);
        parts[i] = (gw_hf_part){i == 0 ? t : scales,
                                first * row,
                                {1, n, rows, row},
                                {0, t->dims[1] * row, step * row, 1}};
    }
    *view = (gw_hf_view){.slab = &l->hf->slab, .parts = parts, .n_parts = 2, .is_mxfp4 = true};
    if (l->n == l->n_max) return GW_BUG(err, "over %zu tensors", l->n_max);
    l->items[l->n++] = (gw_convert_tensor){.job = l->job,
                                           .name = copy,
                                           .from_file = t->file,
                                           .from_name = t->name,
                                           .n_dims = 3,
                                           .dims = {n, rows, blocks * BLOCK, 1},
                                           .from_type = GODWIT_MXFP4,
                                           .from = gw_format_find(GODWIT_MXFP4),
                                           .is_kept = true,
                                           .source = {.read = gw_hf_view_read, .user = view},
                                           .from_bytes = n * rows * blocks * BLOCK_BYTES};
done:
    return status;
}

static godwit_status emit_mxfp4_pairs(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (s->from->n_dims != 4) return no_shape(s->from, err);
    for (uint64_t i = 0; i < 2; i++) GW_TRY(gw_hf_emit_mxfp4(l, s->from, s->to[i], i, 2, err));
done:
    return status;
}

// --- q, k and v together -------------------------------------------------------------------------

// A head's q, k and v become those of all heads.
static godwit_status emit_heads_of_qkv(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    const gw_st_tensor *t = s->from;
    const uint64_t heads = l->hf->n_head, cols = t->n_dims == 2 ? t->dims[1] : 1,
                   d = t->dims[0] / heads / 3;
    if (t->n_dims > 2 || t->dims[0] != 3 * heads * d) return no_shape(t, err);
    const gw_hf_part part = {t, 0, {1, 3, heads, d * cols}, {0, d * cols, 3 * d * cols, 1}};
    return gw_hf_emit(l, t, s->to[0], t->n_dims, t->dims, &part, 1, GW_HF_AS_IS, err);
}

// Queries, keys and values, in turn or (in groups) of each key head; become all queries, all keys, all values,
// in one tensor or in three, where queries and keys may be halves that become neighbours.
static godwit_status emit_qkv(gw_hf_listing *l, const gw_hf_source *s, bool in_groups, bool apart,
                              godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    const uint64_t n_kv = l->hf->n_head_kv, d = l->hf->head_dim, groups = in_groups ? n_kv : 1,
                   cols = t->n_dims == 2 ? t->dims[1] : 1, all = l->hf->n_head + 2 * n_kv;
    const uint64_t counts[3] = {l->hf->n_head / groups, n_kv / groups, n_kv / groups};
    const bool turn = apart && (l->hf->family->flags & GW_HF_TURNS);
    gw_hf_part parts[3], heads[GW_HF_MAX_GROUPS];
    uint64_t at = 0;
    if (t->n_dims < 1 || t->n_dims > 2 || all % groups || d % 2 || t->dims[0] != all * d)
        return no_shape(t, err);
    for (int i = 0; i < 3; i++) {
        parts[i] = (gw_hf_part){
            t, at, {1, 1, groups, counts[i] * d * cols}, {0, 0, all / groups * d * cols, 1}};
        at += counts[i] * d * cols;
    }
    if (!apart) return gw_hf_emit(l, t, s->to[0], t->n_dims, t->dims, parts, 3, GW_HF_AS_IS, err);
    if (groups > GW_HF_MAX_GROUPS)
        GW_FAIL(err, GODWIT_UNSUPPORTED, "tensor %s: over %d key heads", t->name, GW_HF_MAX_GROUPS);
    for (int i = 0; i < 3; i++) {
        char name[96];
        const uint64_t dims[2] = {groups * counts[i] * d, cols};
        snprintf(name, sizeof name, "blk.%llu.attn_v%s", (unsigned long long)s->layer,
                 is_bias(t) ? ".bias" : ".weight");
        for (uint64_t g = 0; turn && g < groups; g++) {
            heads[g] = (gw_hf_part){t,
                                    parts[i].offset + g * (all / groups) * d * cols,
                                    {counts[i], d / 2, 2, cols},
                                    {d * cols, cols, d / 2 * cols, 1}};
        }
        const bool own = turn && i < 2;
        GW_TRY(gw_hf_emit(l, t, i < 2 ? s->to[i] : name, t->n_dims, dims, own ? heads : &parts[i],
                          own ? (size_t)groups : 1, GW_HF_AS_IS, err));
    }
done:
    return status;
}

// kv_b [heads * (k + v), rank]: k turned over [heads, rank, k], v [heads, v, rank].
static godwit_status emit_latents(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    uint64_t k = 0, v = 0, heads = l->hf->n_head;
    GW_TRY(gw_hf_size(l->hf, "qk_nope_head_dim", UINT64_MAX, 1, 1 << 16, &k, err));
    GW_TRY(gw_hf_size(l->hf, "v_head_dim", UINT64_MAX, 1, 1 << 16, &v, err));
    if (t->n_dims != 2 || t->dims[0] != heads * (k + v)) return no_shape(t, err);
    const uint64_t rank = t->dims[1], head = (k + v) * rank;
    const gw_hf_part keys = {t, 0, {1, heads, rank, k}, {0, head, 1, rank}};
    const gw_hf_part values = {t, k * rank, {1, heads, v, rank}, {0, head, rank, 1}};
    GW_TRY(gw_hf_emit(l, t, s->to[0], 3, (uint64_t[]){heads, rank, k}, &keys, 1, GW_HF_AS_IS, err));
    GW_TRY(
        gw_hf_emit(l, t, s->to[1], 3, (uint64_t[]){heads, v, rank}, &values, 1, GW_HF_AS_IS, err));
done:
    return status;
}

// --- delta nets ----------------------------------------------------------------------------------

// Value heads stand by key heads, and GGUF has the first of each, then the second of each.
typedef struct delta {
    uint64_t keys, each, k, v; // key heads, value heads of each, their sizes
} delta;

static godwit_status read_delta(const gw_hf *hf, delta *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    uint64_t values = 0;
    GW_TRY(gw_hf_size(hf, "linear_num_key_heads", UINT64_MAX, 1, 1 << 12, &out->keys, err));
    GW_TRY(gw_hf_size(hf, "linear_num_value_heads", UINT64_MAX, 1, 1 << 12, &values, err));
    GW_TRY(gw_hf_size(hf, "linear_key_head_dim", UINT64_MAX, 1, 1 << 16, &out->k, err));
    GW_TRY(gw_hf_size(hf, "linear_value_head_dim", UINT64_MAX, 1, 1 << 16, &out->v, err));
    out->each = values / out->keys;
    if (values % out->keys)
        GW_FAIL(err, GODWIT_MALFORMED, "linear_num_key_heads does not divide the value heads");
    // Qwen3-Next's file keeps the order.
    if (gw_hf_in(hf, GW_HF_ONE(QWEN3NEXT))) {
        out->keys = values;
        out->each = 1;
    }
done:
    return status;
}

// `size` numbers of each value head, behind the first `offset`.
static gw_hf_part value_heads(const gw_st_tensor *t, const delta *d, uint64_t offset,
                              uint64_t size) {
    return (gw_hf_part){t, offset, {1, d->each, d->keys, size}, {0, size, d->each * size, 1}};
}

static godwit_status emit_delta_rows(gw_hf_listing *l, const gw_hf_source *s, uint64_t of_head,
                                     gw_hf_change change, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    delta d = {0};
    GW_TRY(read_delta(l->hf, &d, err));
    const uint64_t cols = t->n_dims >= 2 ? t->n_elements / t->dims[0] : 1;
    const gw_hf_part part = value_heads(t, &d, 0, (of_head ? 1 : d.v) * cols);
    GW_TRY(gw_hf_emit(l, t, s->to[0], t->n_dims, t->dims, &part, 1, change, err));
done:
    return status;
}

// q and k as they are, then the value heads; of convolutions [rows, 1, taps].
static godwit_status emit_delta_qkv(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    delta d = {0};
    GW_TRY(read_delta(l->hf, &d, err));
    const uint64_t cols = t->n_elements / t->dims[0], values = d.keys * d.each * d.v * cols;
    if (values >= t->n_elements) return no_shape(t, err);
    const uint64_t front = t->n_elements - values;
    const gw_hf_part parts[2] = {{t, 0, {1, 1, 1, front}, {0, 0, 0, 1}},
                                 value_heads(t, &d, front, d.v * cols)};
    GW_TRY(
        gw_hf_emit(l, t, s->to[0], 2, (uint64_t[]){t->dims[0], cols}, parts, 2, GW_HF_AS_IS, err));
done:
    return status;
}

static godwit_status emit_delta_columns(gw_hf_listing *l, const gw_hf_source *s,
                                        godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    delta d = {0};
    GW_TRY(read_delta(l->hf, &d, err));
    const uint64_t cols = d.keys * d.each * d.v;
    if (t->n_dims != 2 || t->dims[1] != cols) return no_shape(t, err);
    const gw_hf_part part = {t, 0, {t->dims[0], d.each, d.keys, d.v}, {cols, d.v, d.each * d.v, 1}};
    GW_TRY(gw_hf_emit(l, t, s->to[0], 2, t->dims, &part, 1, GW_HF_AS_IS, err));
done:
    return status;
}

// Of each key head q, k, its values, their gates; becomes all q, all k, all values, and the gates.
static godwit_status emit_delta_qkvz(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_st_tensor *t = s->from;
    delta d = {0};
    uint64_t heads = 0;
    GW_TRY(read_delta(l->hf, &d, err));
    GW_TRY(gw_hf_size(l->hf, "linear_num_key_heads", UINT64_MAX, 1, 1 << 12, &heads, err));
    const uint64_t v = d.keys * d.each / heads * d.v, all = 2 * d.k + 2 * v;
    if (t->n_dims != 2 || t->dims[0] != heads * all) return no_shape(t, err);
    const uint64_t cols = t->dims[1], at[] = {0, d.k, 2 * d.k, 2 * d.k + v}, n[] = {d.k, d.k, v, v};
    gw_hf_part parts[4];
    for (int i = 0; i < 4; i++) {
        parts[i] = (gw_hf_part){t, at[i] * cols, {1, 1, heads, n[i] * cols}, {0, 0, all * cols, 1}};
    }
    GW_TRY(gw_hf_emit(l, t, s->to[0], 2, (uint64_t[]){heads * (all - v), cols}, parts, 3,
                      GW_HF_AS_IS, err));
    GW_TRY(gw_hf_emit(l, t, s->to[1], 2, (uint64_t[]){heads * v, cols}, parts + 3, 1, GW_HF_AS_IS,
                      err));
done:
    return status;
}

// -------------------------------------------------------------------------------------------------

godwit_status gw_hf_emit_way(gw_hf_listing *l, const gw_hf_source *s, gw_hf_way way,
                             godwit_error *err) {
    const uint32_t flags = l->hf->family->flags;
    switch (way) {
    case GW_HF_NORM:
        if ((flags & GW_HF_PLUS_ONE) && !is_bias(s->from))
            return emit_changed(l, s, GW_HF_ADD_ONE, err);
        break;
    case GW_HF_POSITIONS:
        return emit_positions(l, s, err);
    case GW_HF_Q:
        if (flags & GW_HF_TURNS) return emit_heads(l, s, l->hf->n_head, err);
        break;
    case GW_HF_K:
        if (flags & GW_HF_TURNS) return emit_heads(l, s, l->hf->n_head_kv, err);
        break;
    case GW_HF_EXPERTS:
        return emit_experts(l, s, false, err);
    case GW_HF_EXPERTS_TURNED:
        return emit_experts(l, s, true, err);
    case GW_HF_HALVES:
        return emit_halves(l, s, err);
    case GW_HF_TURNED_OVER:
        return emit_turned_over(l, s, err);
    case GW_HF_TURNED_PAIRS:
        return emit_pairs(l, s, true, err);
    case GW_HF_TURNED_HALVES:
        return emit_turned_halves(l, s, err);
    case GW_HF_PAIRS:
        return emit_pairs(l, s, false, err);
    case GW_HF_MXFP4:
        if (s->from->n_dims != 4) return no_shape(s->from, err);
        return gw_hf_emit_mxfp4(l, s->from, s->to[0], 0, 1, err);
    case GW_HF_MXFP4_PAIRS:
        return emit_mxfp4_pairs(l, s, err);
    case GW_HF_SQUEEZED:
        return emit_squeezed(l, s, err);
    case GW_HF_LATENTS:
        return emit_latents(l, s, err);
    case GW_HF_HEADS_OF_QKV:
        return emit_heads_of_qkv(l, s, err);
    case GW_HF_DELTA_QKVZ:
        return emit_delta_qkvz(l, s, err);
    case GW_HF_DELTA_QKV:
        return emit_delta_qkv(l, s, err);
    case GW_HF_DELTA_ROWS:
        return emit_delta_rows(l, s, 0, GW_HF_AS_IS, err);
    case GW_HF_DELTA_NUMBERS:
        return emit_delta_rows(l, s, 1, GW_HF_AS_IS, err);
    case GW_HF_DELTA_DECAY:
        return emit_delta_rows(l, s, 1, GW_HF_MINUS_EXP, err);
    case GW_HF_DELTA_COLUMNS:
        return emit_delta_columns(l, s, err);
    case GW_HF_KV_GROUPS:
        return emit_qkv(l, s, true, false, err);
    case GW_HF_KV_GROUPS_OF3:
        return emit_qkv(l, s, true, true, err);
    case GW_HF_QKV_OF3:
        return emit_qkv(l, s, false, true, err);
    case GW_HF_CHANNELS:
        return emit_channels(l, s, err);
    case GW_HF_SSM_NUMBERS:
    case GW_HF_SSM_DECAY:
    case GW_HF_SSM_GROUPS:
    case GW_HF_SCALED:
        return gw_hf_emit_mamba(l, s, way, err);
    default:
        break;
    }
    return gw_hf_emit(l, s->from, s->to[0], s->from->n_dims, s->from->dims, NULL, 0, GW_HF_AS_IS,
                      err);
}
