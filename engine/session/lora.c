// LoRA of a model (arch/lora.h): whether each adapter is of a product that the model has, and what a
// session file says of them (docs/SESSION.md, LORA).
#include "session/saved.h"

#include "base/exact.h"
#include "base/status.h"
#include "file/reader.h"
#include "file/session_file.h"

#include <string.h>

// That each adapter is one of a product: in the graphs of what the model gives.
godwit_status gw_lora_check(const gw_model_def *def, const gw_lora *lora, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    static const gw_step_kind kinds[] = {GW_STEP_GIVEN, GW_STEP_EMBED, GW_STEP_HEAD, GW_STEP_SCORE,
                                         GW_STEP_ENCODE};
    const size_t n = lora->deltas.n;
    bool *used = gw_alloc(def->host, n ? n : 1, sizeof *used);
    GW_CHECK_ALLOC(used, err, "adapters");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const gw_step_shape shape = {.kind = kinds[i],
                                     .n_tok = 1,
                                     .n_logits = 1,
                                     .n_rows = GW_ATTN_BLOCK,
                                     .n_pages = 1,
                                     .n_slots = 1,
                                     .n_blocks = 2,
                                     .kv_dtypes = {GODWIT_F16, GODWIT_F16}};
        if ((shape.kind == GW_STEP_GIVEN && def->h.both_ways) ||
            (shape.kind == GW_STEP_EMBED && !def->h.both_ways) ||
            (shape.kind == GW_STEP_ENCODE && !def->h.encodes) ||
            (shape.kind == GW_STEP_HEAD && !def->h.has_dense) ||
            (shape.kind == GW_STEP_SCORE && !def->h.n_labels))
            continue;
        gw_graph graph;
        gw_step_io io;
        gw_graph_init(&graph, def->host);
        status = gw_step_graph(def, &graph, &shape, &io, err);
        if (status == GODWIT_OK) status = gw_lora_apply(lora, &graph, used, err);
        gw_graph_deinit(&graph);
        if (status != GODWIT_OK) goto done;
    }
    for (size_t i = 0; i < n; i++) {
        if (used[i]) continue;
        GW_FAIL(err, GODWIT_UNSUPPORTED,
                "%s: tensor %s: no product of this model reads that matrix",
                gw_gguf_name(lora->deltas.items[i].gguf), lora->deltas.items[i].of->name);
    }
done:
    gw_free(def->host, used, (n ? n : 1) * sizeof *used);
    return status;
}

// --- session files -------------------------------------------------------------------------------

godwit_status gw_lora_put_saved(gw_model *model, uint8_t *out, godwit_error *err) {
    for (uint32_t i = 0; i < model->lora->n_sources; i++) {
        uint8_t *at = out + (size_t)i * GW_SAVED_LORA_BYTES;
        godwit_status status = gw_lora_fingerprint(model, i, at, err);
        if (status != GODWIT_OK) return status;
        gw_put_le32(at + GW_FINGERPRINT_BYTES, gw_bits(model->lora->sources[i].scale));
    }
    return GODWIT_OK;
}

// That adapter i is the one of the file, at its bytes.
static godwit_status check_saved(gw_model *model, const uint8_t *at, uint32_t i,
                                 godwit_error *err) {
    const float scale = gw_from_bits(gw_le32(at + GW_FINGERPRINT_BYTES));
    const gw_lora_source *own = &model->lora->sources[i];
    uint8_t fingerprint[GW_FINGERPRINT_BYTES];
    char text[2][2 * GW_FINGERPRINT_BYTES + 1];
    godwit_status status = gw_lora_fingerprint(model, i, fingerprint, err);
    if (status != GODWIT_OK) return status;
    if (!memcmp(fingerprint, at, sizeof fingerprint) && gw_bits(own->scale) == gw_bits(scale))
        return GODWIT_OK;
    gw_fingerprint_text(at, text[0]);
    gw_fingerprint_text(fingerprint, text[1]);
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "made with a LoRA adapter of fingerprint %s, scale %g; the one here, %.100s, "
                   "has %s, scale %g",
                   text[0], (double)scale, gw_gguf_name(own->gguf), text[1], (double)own->scale);
}

godwit_status gw_lora_check_saved(gw_model *model, const uint8_t *bytes, size_t n_bytes,
                                  uint32_t *out_n, godwit_error *err) {
    const uint32_t own = model && model->lora ? model->lora->n_sources : 0;
    const uint32_t n = *out_n = (uint32_t)(n_bytes / GW_SAVED_LORA_BYTES);
    if (n_bytes % GW_SAVED_LORA_BYTES || n > GODWIT_LORA_MAX)
        return gw_fail(err, GODWIT_MALFORMED, "%zu bytes of adapters", n_bytes);
    if (!model) return GODWIT_OK;
    if (own != n) {
        return gw_fail(err, GODWIT_UNSUPPORTED,
                       "made with %u LoRA adapters, the model here has %u; the same ones go on "
                       "(--lora)",
                       n, own);
    }
    for (uint32_t i = 0; i < n; i++) {
        godwit_status status = check_saved(model, bytes + (size_t)i * GW_SAVED_LORA_BYTES, i, err);
        if (status != GODWIT_OK) return status;
    }
    return GODWIT_OK;
}
