// Next: the first block behind a decoder's layers, which predicts the token after the next one, as a model of
// its own that shares the other one's embedding and output.
//
//   x_i = eh_proj [enorm(embedding[token_i+1]), hnorm(hidden_i)];  a layer like the others, with keys and values
//   of its own;  logits of token i + 2 = output(norm(x_i))
// hidden_i is what the model's layers make of token i; of further tokens what the block made of the one before.
// In some families the norm in front of the output comes first (gw_decoder_traits.next_normed).
// hnorm stands at the end of the graph that makes a hidden state, so graphs hand over what it gives.
// Sources: DeepSeek-AI, "DeepSeek-V3 Technical Report", 2024 (2.2, multi-token prediction); GGUF tensor names;
// llama.cpp, vLLM: which norm.
#include "arch/next.h"

#include "base/status.h"
#include "ops/ops.h"

typedef struct gw_next {
    gw_decoder decoder; // with the block behind the layers, which it has not
    gw_norm enorm, hnorm;
    gw_linear eh_proj;
} gw_next;

// --- load ----------------------------------------------------------------------------------------

static godwit_status vector(gw_model_def *def, uint32_t layer, const char *name, bool optional,
                            gw_norm *out, godwit_error *err) {
    const uint64_t n = def->h.n_embd;
    gw_weight *w = NULL;
    godwit_status status = gw_def_layer_weight(def, layer, name, optional, 1, &n, &w, err);
    if (w) *out = (gw_norm){.w = w};
    return status;
}

// Its sizes are those of the last layer that has keys.
static godwit_status make_layer(gw_model_def *def, const gw_model_def *of, godwit_error *err) {
    const uint32_t at = of->h.n_layer;
    uint32_t like = at;
    def->h.layers = gw_arena_alloc(&def->arena, at + 1, sizeof *def->h.layers);
    if (!def->h.layers) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: model");
    while (like && (of->h.layers[like - 1].recurrent || !of->h.layers[like - 1].n_head_kv)) like--;
    if (like) def->h.layers[at] = of->h.layers[like - 1];
    def->h.n_layer = at + 1;
    return gw_hparams_add_kv(def, at, err);
}

static godwit_status load(gw_model_def *def, const gw_model_def *of, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const uint32_t at = of->h.n_layer;
    const uint64_t d = def->h.n_embd, table[2] = {def->h.n_vocab, d}, both[2] = {d, 2 * d};
    gw_weight *own = NULL;
    gw_next *n = def->family = gw_arena_alloc(&def->arena, 1, sizeof *n);
    GW_CHECK_ALLOC(n, err, "model");
    gw_decoder *m = &n->decoder;
    *m = *(const gw_decoder *)of->family;
    m->layers = gw_arena_alloc(&def->arena, at + 1, sizeof *m->layers);
    m->experts = gw_arena_alloc(&def->arena, at + 1, sizeof *m->experts);
    GW_CHECK_ALLOC(m->layers && m->experts, err, "model");
    GW_TRY(vector(def, at, "nextn.enorm.weight", false, &n->enorm, err));
    GW_TRY(vector(def, at, "nextn.hnorm.weight", false, &n->hnorm, err));
    GW_TRY(
        gw_def_layer_weight(def, at, "nextn.eh_proj.weight", false, 2, both, &n->eh_proj.w, err));
    n->eh_proj.n_rows = d;
    GW_TRY(vector(def, at, "nextn.shared_head_norm.weight", true, &m->output_norm, err));
    GW_TRY(gw_def_layer_weight(def, at, "nextn.embed_tokens.weight", true, 2, table, &own, err));
    if (own) m->token_embd = own;
    GW_TRY(
        gw_def_layer_weight(def, at, "nextn.shared_head_head.weight", true, 2, table, &own, err));
    if (own) m->output.w = own;
    GW_TRY(gw_decoder_load_layer(def, m, at, err));
done:
    return status;
}

// --- build ---------------------------------------------------------------------------------------

godwit_status gw_next_hidden(gw_builder *b, const gw_next *next, const gw_norm output_norm,
                             gw_value *x) {
    godwit_status status = GODWIT_OK;
    if (next->decoder.traits->next_normed)
        GW_TRY(gw_block_norm_rows(b, "next_output_norm", output_norm, &x));
    GW_TRY(gw_block_norm_rows(b, "next_hnorm", next->hnorm, &x));
    b->io->hidden = x;
    x->keep = true;
done:
    return status;
}

static godwit_status build(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_next *n = def->family;
    const gw_decoder *m = &n->decoder;
    gw_builder b = {.def = def, .graph = graph, .io = io, .err = err, .layer = def->h.n_layer - 1};
    const uint64_t dims[2] = {io->n_tok, def->h.n_embd};
    gw_value *both[2] = {NULL}, *x = NULL;
    GW_TRY(
        gw_graph_value(graph, GW_VALUE_INPUT, "hidden", GODWIT_F32, 2, dims, &io->hidden_in, err));
    GW_TRY(gw_block_rows(&b, "next_embd", m->token_embd, io->tokens, &both[0]));
    GW_TRY(gw_block_scale(&b, "next_embd_scale", m->embd_scale, &both[0]));
    GW_TRY(gw_block_norm_rows(&b, "next_enorm", n->enorm, &both[0]));
    both[1] = io->hidden_in;
    GW_TRY(gw_block_node(&b, &gw_op_concat, "next_both", both, 2, NULL, 0, &x));
    GW_TRY(gw_block_linear(&b, "next_eh_proj", &n->eh_proj, (gw_normed){.x = x}, &x));
    GW_TRY(gw_decoder_build_layer(&b, m, &x));
    if (io->n_tok > io->n_logits)
        GW_TRY(gw_graph_view(graph, x, io->n_tok - io->n_logits, io->n_logits, &x, err));
    GW_TRY(gw_next_hidden(&b, n, m->output_norm, x));
    GW_TRY(gw_decoder_end(&b, m, x));
done:
    return status;
}

godwit_status gw_next_create(const gw_model_def *of, gw_model_def **out_def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_model_def *def = NULL;
    const bool plain = of->arch->build == gw_decoder_build;
    const gw_mixer *mixer = plain ? ((const gw_decoder *)of->family)->traits->mixer : NULL;
    if (!of->h.n_next || !plain || (mixer && mixer->everywhere)) {
        GW_FAIL(
            err, GODWIT_UNSUPPORTED,
            "%s: %s has no block for the token after the next one that this build runs; guess by "
            "what came before instead (--draft)",
            gw_gguf_name(of->gguf), of->arch->name);
    }
    def = gw_alloc(of->host, 1, sizeof *def);
    GW_CHECK_ALLOC(def, err, "model");
    *def = (gw_model_def){.host = of->host, .gguf = of->gguf, .h = of->h};
    gw_arena_init(&def->arena, of->host);
    gw_arch *arch = gw_arena_alloc(&def->arena, 1, sizeof *arch);
    GW_CHECK_ALLOC(arch, err, "model");
    *arch = *of->arch;
    arch->build = build;
    def->arch = arch;
    GW_TRY(make_layer(def, of, err));
    GW_TRY(gw_note(err, load(def, of, err), "%s", gw_gguf_name(of->gguf)));
    *out_def = def;
    def = NULL;
done:
    gw_model_def_destroy(&def);
    return status;
}
