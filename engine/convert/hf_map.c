// Hf map: the folder's tensors by the rows of hf_names.def.
//
// Every tensor has a row or is an error, but for those of other parts of a model: for pictures and sound,
// and for tokens after the next one, which are told of once.
#include "convert/hf_map.h"

#include "base/sort.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    gw_hf_set families;
    const char *from, *to;
    gw_hf_way way;
} rows[] = {
#define T(families, from, to, way) {families, from, to, GW_HF_##way},
#include "convert/hf_names.def"
#undef T
};
enum { N_ROWS = sizeof rows / sizeof *rows, NO_ROW = N_ROWS, MAX_EXPERTS = 1 << 12 };

// A name taken apart: stem with # and @ in the places of numbers, its end, and the numbers.
typedef struct parsed {
    char stem[160];
    const char *end; // ".weight", ".bias" or ""
    bool has_layer, has_expert;
    uint64_t layer, expert;
    const char *expert_at; // the number in the name
    char plain[256];       // the name, where it says that adapters change it
} parsed;

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *past(const char *name, const char *const *prefixes) {
    for (size_t i = 0; prefixes[i]; i++) {
        if (begins(name, prefixes[i])) return name + strlen(prefixes[i]);
    }
    return name;
}

static bool is_number(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
    }
    return n > 0 && n < 8;
}

static bool parse(const char *name, parsed *out) {
    static const char *const fronts[] = {"model.language_model.",
                                         "language_model.model.",
                                         "model.text_model.",
                                         "model.backbone.",
                                         "backbone.",
                                         "model.",
                                         "language_model.",
                                         "transformer.",
                                         "gpt_neox.",
                                         "bert.",
                                         "roberta.",
                                         NULL};
    static const char *const layers[] = {"layers.",         "h.",      "encoder.layer.",
                                         "encoder.layers.", "blocks.", NULL};
    // Of those that read and write: what GGUF calls the two.
    static const char *const sides[] = {"encoder.block.", "decoder.block.", NULL};
    static const char changed[] = ".parametrizations.", original[] = ".original";
    const char *at = strstr(name, changed);
    *out = (parsed){.end = ""};
    if (at && strlen(name) < sizeof out->plain) {
        snprintf(out->plain, sizeof out->plain, "%.*s.%s", (int)(at - name), name,
                 at + strlen(changed));
        char *end = strstr(out->plain, original);
        if (end && !end[strlen(original)]) *end = 0;
        name = out->plain;
    }
    name = past(name, fronts);
    const bool sided = past(name, sides) != name;
    const char *number = past(name, sided ? sides : layers);
    size_t n = 0;
    if (number != name && is_number(number, strcspn(number, "."))) {
        if (sided) n = (size_t)snprintf(out->stem, sizeof out->stem, "%.3s.", name);
        out->has_layer = true;
        out->layer = strtoull(number, NULL, 10);
        out->stem[n++] = '#';
        name = number + strcspn(number, ".");
    }
    const size_t length = strlen(name);
    if (length >= 7 && strcmp(name + length - 7, ".weight") == 0) out->end = ".weight";
    if (length >= 5 && strcmp(name + length - 5, ".bias") == 0) out->end = ".bias";
    const char *last = name + length - strlen(out->end);
    // As the first of BERT's files have it.
    static const char *const firsts[][2] = {{"Norm.gamma", ".weight"}, {"Norm.beta", ".bias"}};
    for (size_t i = 0; i < 2; i++) {
        const size_t behind = strlen(strchr(firsts[i][0], '.'));
        if (length < strlen(firsts[i][0]) ||
            strcmp(name + length - strlen(firsts[i][0]), firsts[i][0]) != 0)
            continue;
        out->end = firsts[i][1];
        last = name + length - behind;
    }
    while (name < last) {
        size_t part = strcspn(name, ".");
        if (name + part > last) part = (size_t)(last - name);
        // Parts of a T5's layer have numbers, and are not alike.
        const bool at = is_number(name, part) && !out->has_expert && !sided;
        if (n + part + 2 > sizeof out->stem) return false;
        if (at) {
            out->has_expert = true;
            out->expert = strtoull(name, NULL, 10);
            out->expert_at = name;
            out->stem[n++] = '@';
        } else {
            memcpy(out->stem + n, name, part);
            n += part;
        }
        name += part;
        if (name < last) {
            out->stem[n++] = '.';
            name++;
        }
    }
    return true;
}

static size_t find_row(const gw_hf *hf, const char *stem) {
    size_t i = 0;
    while (i < N_ROWS && !(gw_hf_in(hf, rows[i].families) && strcmp(rows[i].from, stem) == 0)) i++;
    return i;
}

// The names of new tensors: "#.a|#.b" with layer and end.
static void expand(const parsed *p, const char *to, gw_hf_source *out) {
    for (int i = 0; i < 2; i++) {
        size_t n = strcspn(to, "|");
        const bool complete = n > 0 && to[n - 1] == '!';
        const size_t front = strcspn(to, "#") < n ? strcspn(to, "#") : n;
        const bool layer = front < n;
        snprintf(out->to[i], sizeof out->to[i], "%.*s%s", (int)(n - complete - layer * (front + 1)),
                 to + layer * (front + 1), complete ? "" : p->end);
        if (layer) {
            char name[96];
            snprintf(name, sizeof name, "%.*sblk.%llu%.60s", (int)front, to,
                     (unsigned long long)p->layer, out->to[i]);
            memcpy(out->to[i], name, sizeof name);
        }
        to += n + (to[n] == '|');
        if (!*to) break;
    }
}

// --- several as one ------------------------------------------------------------------------------

godwit_status gw_hf_stack(gw_hf_listing *l, const gw_hf_source *s, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const char *name = s->from->name;
    const int front = (int)s->expert_at;
    const char *behind = name + front + strcspn(name + front, ".");
    gw_hf_part parts[1], *all = NULL;
    const uint32_t d = s->from->n_dims;
    uint64_t dims[3] = {0, s->from->dims[0], d == 2 ? s->from->dims[1] : 1};
    double n_experts = 0;
    char other[512];
    if (d != 1 && d != 2) GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: not a matrix", name);
    // As many as the folder says, or as many as there are of what is no expert.
    gw_hf_number(l->hf, "num_local_experts|num_experts|n_routed_experts|moe_num_experts",
                 &n_experts);
    if (!s->is_layer) n_experts = 0;
    if (n_experts < 0 || n_experts > MAX_EXPERTS)
        GW_FAIL(err, GODWIT_MALFORMED, "over %d experts", MAX_EXPERTS);
    const uint64_t most = n_experts > 0 ? (uint64_t)n_experts : 64;
    all = gw_arena_alloc(&l->hf->arena, (size_t)most, sizeof *all);
    GW_CHECK_ALLOC(all, err, "experts");
    for (uint64_t e = 0; e < most; e++) {
        snprintf(other, sizeof other, "%.*s%llu%s", front, name, (unsigned long long)e, behind);
        const gw_st_tensor *t = gw_safetensors_find(l->hf->weights, other);
        if (!t && n_experts > 0) GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: missing", other);
        if (!t) break;
        if (t->n_dims != d || t->dims[0] != dims[1] || (d == 2 && t->dims[1] != dims[2]) ||
            t->type != s->from->type) {
            GW_FAIL(err, GODWIT_MALFORMED, "tensor %s: not of the shape and type of %s", other,
                    name);
        }
        parts[0] = (gw_hf_part){t, 0, {1, 1, 1, t->n_elements}, {0, 0, 0, 1}};
        all[dims[0]++] = parts[0];
    }
    GW_TRY(gw_hf_emit(l, s->from, s->to[0], d + 1, dims, all, (size_t)dims[0], GW_HF_AS_IS, err));
done:
    return status;
}

// --- all -----------------------------------------------------------------------------------------

// Whether the class gives scores of pairs of texts.
static bool gives_scores(const gw_hf *hf) {
    const gw_json *list = gw_json_get(hf->config, "architectures");
    gw_str name = {0};
    gw_json_str(list ? list->first : NULL, &name);
    return name.n > 25 && !memcmp(name.text + name.n - 25, "ForSequenceClassification", 25);
}

// Of other parts of a model than the one that reads and writes text.
static bool is_elsewhere(const gw_hf *hf, const char *name, const parsed *p) {
    static const char *const parts[] = {"vision_tower.",
                                        "model.vision_tower.",
                                        "model.visual.",
                                        "visual.",
                                        "multi_modal_projector.",
                                        "model.multi_modal_projector.",
                                        "audio_tower.",
                                        "model.audio_tower.",
                                        "model.embed_vision.",
                                        "embed_vision.",
                                        "model.embed_audio.",
                                        "embed_audio.",
                                        "model.vision_model.",
                                        "vision_model.",
                                        "model.connector.",
                                        "connector.",
                                        "vit_large_projector.",
                                        "model.vit_large_projector.",
                                        "model.image_newline",
                                        "image_newline",
                                        "mtp.",
                                        "model.mtp.",
                                        "model.vision_embedder.",
                                        "vision_embedder.",
                                        "model.audio_embedder.",
                                        NULL};
    // What guesses words that were left out of a text.
    static const char *const guesses[] = {
        "cls.", "lm_head.", "head.", "decoder.", "roberta.pooler.", "pooler.", NULL};
    const bool scores = gives_scores(hf);
    if ((hf->family->flags & GW_HF_ENCODER) && past(name, guesses) != name &&
        !(scores && strstr(name, "pooler.")))
        return true;
    return past(name, parts) != name || (p->stem[0] == '#' && p->layer >= hf->n_layer);
}

// Of tasks, in the model's own file.
static bool is_adapter(const gw_hf *hf, const char *name) {
    return gw_hf_in(hf, GW_HF_ONE(JINA3)) &&
           (gw_convert_matches("*.0.lora_A", name) || gw_convert_matches("*.0.lora_B", name));
}

godwit_status gw_hf_name(const gw_hf *hf, const char *name, size_t front, gw_hf_named *out,
                         godwit_error *err) {
    parsed p;
    const size_t row = parse(name, &p) && !p.plain[0] ? find_row(hf, p.stem) : NO_ROW;
    *out = (gw_hf_named){.way = GW_HF_COPY};
    if (row == NO_ROW || rows[row].to[0] == '-' || is_elsewhere(hf, name, &p)) {
        return gw_fail(
            err, GODWIT_UNSUPPORTED,
            "tensor %s: not a part of this family; without it the results would be wrong", name);
    }
    out->way = rows[row].way;
    out->expert = p.expert;
    out->source.is_layer = p.has_layer;
    out->source.layer = p.layer;
    if (p.has_expert) out->source.expert_at = front + (size_t)(p.expert_at - name);
    expand(&p, rows[row].to, &out->source);
    return GODWIT_OK;
}

static godwit_status map_one(gw_hf_listing *l, const gw_st_tensor *t, uint64_t *n_elsewhere,
                             godwit_error *err) {
    godwit_status status = GODWIT_OK;
    parsed p;
    gw_hf_source s = {.from = t};
    const bool parsed_well = parse(t->name, &p);
    if (is_elsewhere(l->hf, t->name, &p)) {
        ++*n_elsewhere;
        return GODWIT_OK;
    }
    const size_t row = parsed_well ? find_row(l->hf, p.stem) : NO_ROW;
    if (row == NO_ROW) {
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "tensor %s: not a part of this family; without it the results would be wrong",
                t->name);
    }
    if (rows[row].to[0] == '-') return GODWIT_OK;
    s.is_layer = p.has_layer;
    s.layer = p.layer;
    expand(&p, rows[row].to, &s);
    if (rows[row].way == GW_HF_STACK) {
        s.expert_at = (size_t)(p.expert_at - t->name);
        if (p.expert == 0) GW_TRY(gw_hf_stack(l, &s, err));
        return GODWIT_OK;
    }
    if (rows[row].way == GW_HF_SHARED) {
        static const char *const earlier[] = {"shared.weight", "encoder.embed_tokens.weight"};
        for (int i = 0; i < 2 && strcmp(earlier[i], t->name) != 0; i++) {
            if (gw_safetensors_find(l->hf->weights, earlier[i])) return GODWIT_OK;
        }
    }
    if (rows[row].way == GW_HF_HEAD) {
        bool own = true, tied = gw_hf_in(l->hf, GW_HF_OF(GW_HF_MAMBAS1)); // without a word
        if (l->hf->family->flags & GW_HF_TIED) return GODWIT_OK;
        gw_json_bool(gw_hf_setting(l->hf, "tie_word_embeddings"), &tied);
        if (tied) GW_TRY(gw_hf_has_own_output(l->hf, &own, err));
        if (!own) return GODWIT_OK;
    }
    GW_TRY(gw_hf_emit_way(l, &s, rows[row].way, err));
done:
    return status;
}

// Those in front of the layers, the layers, those behind them; else as they came.
static int by_place(const void *a, const void *b, const void *user) {
    const gw_convert_tensor *items[2] = {a, b};
    long long place[2];
    (void)user;
    for (int i = 0; i < 2; i++) {
        const char *name = items[i]->name;
        place[i] = begins(name, "blk.")     ? strtoll(name + 4, NULL, 10)
                   : begins(name, "output") ? 1 << 20
                                            : -1;
        if (begins(name, "token_embd.")) place[i] = -2;
    }
    if (place[0] != place[1]) return place[0] < place[1] ? -1 : 1;
    return strcmp(items[0]->name, items[1]->name);
}

static void add_vectors(gw_hf_listing *l) {
    for (size_t i = 0; i < l->hf->n_vectors; i++) {
        const gw_hf_vector *v = &l->hf->vectors[i];
        l->items[l->n++] = (gw_convert_tensor){.job = l->job,
                                               .name = v->name,
                                               .from_file = l->hf->folder,
                                               .from_name = v->name,
                                               .n_dims = 1,
                                               .dims = {v->n, 1, 1, 1},
                                               .from_type = GODWIT_F32,
                                               .from = gw_format_find(GODWIT_F32),
                                               .source = {.bytes = (const uint8_t *)v->items},
                                               .from_bytes = v->n * sizeof(float)};
    }
}

godwit_status gw_hf_map_tensors(gw_hf *hf, gw_convert_job *job, gw_convert_tensor **out_tensors,
                                size_t *out_n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_hf_listing l = {.hf = hf, .job = job};
    const uint64_t n = gw_safetensors_n(hf->weights);
    uint64_t n_elsewhere = 0, n_adapters = 0;
    l.n_max = 3 * (size_t)n + GW_HF_MAX_VECTORS + 2 * GW_HF_MAX_DENSE;
    l.items = gw_arena_alloc(&hf->arena, l.n_max, sizeof *l.items);
    GW_CHECK_ALLOC(l.items, err, "tensors");
    hf->slab.host = hf->host;
    for (uint64_t i = 0; i < n; i++) {
        const gw_st_tensor *t = gw_safetensors_at(hf->weights, i);
        if (is_adapter(hf, t->name)) {
            n_adapters++;
        } else {
            GW_TRY(map_one(&l, t, &n_elsewhere, err));
        }
    }
    if (n_adapters) {
        gw_log(
            hf->host, GODWIT_LOG_WARN,
            "%s: the LoRA adapters of its tasks (%llu tensors) are left out: the file gives what "
            "the model gives without a task",
            hf->folder, (unsigned long long)n_adapters);
    }
    GW_TRY(gw_hf_emit_dense(&l, err));
    add_vectors(&l);
    if (n_elsewhere) {
        gw_log(hf->host, GODWIT_LOG_INFO,
               "%s: %llu tensors are for pictures, sound or tokens after the next one: left out",
               hf->folder, (unsigned long long)n_elsewhere);
    }
    gw_sort(l.items, l.n, sizeof *l.items, by_place, NULL);
    for (size_t i = 1; i < l.n; i++) {
        if (strcmp(l.items[i - 1].name, l.items[i].name) != 0) continue;
        GW_FAIL(err, GODWIT_MALFORMED, "tensors %s and %s are both %s", l.items[i - 1].from_name,
                l.items[i].from_name, l.items[i].name);
    }
    *out_tensors = l.items;
    *out_n = l.n;
done:
    return status;
}
