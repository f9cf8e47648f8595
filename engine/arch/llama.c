// llama: the family of Llama 1 to 3, Mistral, TinyLlama, SmolLM and their kin.
//
//   x = embedding[token]
//   each layer:  x += Wo attention(rope(Wq n), rope(Wk n), Wv n),  n = rms_norm(x)
//                x += Wdown (silu(Wgate m) * (Wup m)),              m = rms_norm(x)
//   logits = Woutput rms_norm(x)      (the embedding where no output is given: tied)
// Grouped query attention, rope over neighbouring pairs (as GGUF permutes this family's Wq and Wk),
// optional biases, optional sliding window. Heads that are no multiple of 8 get zeros behind.
// Source: Touvron et al., "Llama 2", 2023; GGUF tensor names.
#include "arch/arch.h"

#include "base/exact.h"
#include "base/status.h"
#include "graph/op.h"
#include "ops/ops.h"

#include <stdio.h>

typedef struct llama_layer {
    gw_weight *attn_norm, *wo, *ffn_norm, *down;
    gw_linear q, k, v, gate, up;
    gw_weight *bo, *bdown;
} llama_layer;

typedef struct llama {
    gw_weight *token_embd, *output_norm, *output;
    llama_layer *layers;
} llama;

// --- load ----------------------------------------------------------------------------------------

// blk.<layer>.<name>: a matrix [rows, cols], or a vector [cols] when rows is 0.
static godwit_status layer_weight(gw_model_def *def, uint32_t layer, const char *name,
                                  bool optional, uint64_t rows, uint64_t cols, gw_weight **out,
                                  godwit_error *err) {
    char full[96];
    uint64_t dims[2] = {rows, cols};
    snprintf(full, sizeof full, "blk.%u.%s", layer, name);
    return gw_def_weight(def, full, optional, rows ? 2 : 1, rows ? dims : dims + 1, out, err);
}

static godwit_status load_layer(gw_model_def *def, uint32_t i, llama_layer *l, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_hparams *h = &def->h;
    uint64_t d = h->n_embd, dq = (uint64_t)h->n_head * h->head_dim;
    uint64_t dkv = (uint64_t)h->n_head_kv * h->head_dim, ff = h->n_ff;
    const struct {
        const char *name;
        bool optional;
        uint64_t rows, cols;
        gw_weight **out;
    } wanted[] = {
        {"attn_norm.weight", false, 0, d, &l->attn_norm},
        {"attn_q.weight", false, dq, d, &l->q.w},
        {"attn_k.weight", false, dkv, d, &l->k.w},
        {"attn_v.weight", false, dkv, d, &l->v.w},
        {"attn_output.weight", false, d, dq, &l->wo},
        {"attn_q.bias", true, 0, dq, &l->q.bias},
        {"attn_k.bias", true, 0, dkv, &l->k.bias},
        {"attn_v.bias", true, 0, dkv, &l->v.bias},
        {"attn_output.bias", true, 0, d, &l->bo},
        {"ffn_norm.weight", false, 0, d, &l->ffn_norm},
        {"ffn_gate.weight", false, ff, d, &l->gate.w},
        {"ffn_up.weight", false, ff, d, &l->up.w},
        {"ffn_down.weight", false, d, ff, &l->down},
        {"ffn_gate.bias", true, 0, ff, &l->gate.bias},
        {"ffn_up.bias", true, 0, ff, &l->up.bias},
        {"ffn_down.bias", true, 0, d, &l->bdown},
    };
    for (size_t k = 0; k < sizeof wanted / sizeof *wanted; k++) {
        GW_TRY(layer_weight(def, i, wanted[k].name, wanted[k].optional, wanted[k].rows,
                            wanted[k].cols, wanted[k].out, err));
    }
    GW_TRY(gw_def_join(def, (gw_linear *[]){&l->q, &l->k, &l->v}, 3, err));
    GW_TRY(gw_def_join(def, (gw_linear *[]){&l->gate, &l->up}, 2, err));
done:
    return status;
}

static godwit_status load(gw_model_def *def, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    char key[64];
    uint32_t n_expert = 0;
    GW_TRY(gw_hparams_read(def, err));
    def->h.rope_paired = 1;
    GW_TRY(gw_gguf_get_u32(def->gguf, gw_def_key(def, "expert_count", key, sizeof key), 0, 65536, 0,
                           &n_expert, err));
    if (n_expert) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "key %s: %u; mixtures of experts are not supported", key,
                n_expert);
    }
    llama *m = def->family = gw_arena_alloc(&def->arena, 1, sizeof *m);
    GW_CHECK_ALLOC(m, err, "model");
    m->layers = gw_arena_alloc(&def->arena, def->h.n_layer, sizeof *m->layers);
    GW_CHECK_ALLOC(m->layers, err, "model");

    GW_TRY(gw_def_vocab(def, "token_embd.weight", err));
    uint64_t table[2] = {def->h.n_vocab, def->h.n_embd};
    GW_TRY(gw_def_weight(def, "token_embd.weight", false, 2, table, &m->token_embd, err));
    GW_TRY(gw_def_weight(def, "output_norm.weight", false, 1, table + 1, &m->output_norm, err));
    GW_TRY(gw_def_weight(def, "output.weight", true, 2, table, &m->output, err));
    if (!m->output) m->output = m->token_embd;
    for (uint32_t i = 0; i < def->h.n_layer; i++) GW_TRY(load_layer(def, i, &m->layers[i], err));
done:
    return status;
}

// --- build ---------------------------------------------------------------------------------------

typedef struct builder {
    const gw_model_def *def;
    gw_graph *graph;
    const gw_step_io *io;
    godwit_error *err;
    uint32_t layer;
} builder;

static godwit_status add_node(builder *b, const gw_op *op, const char *what, gw_value **inputs,
                              uint32_t n_inputs, const void *attrs, size_t attr_bytes,
                              gw_value **out) {
    char name[64];
    snprintf(name, sizeof name, "blk.%u.%s", b->layer, what);
    return gw_graph_node(b->graph, op, name, inputs, n_inputs, attrs, attr_bytes, out, b->err);
}

// out[0]: what products read; out[1]: what they are scaled by, or NULL where eps is too small for
// that (docs/NUMERICS.md, "Norms folded into products").
static godwit_status norm(builder *b, const char *what, gw_value *x, const gw_weight *w,
                          gw_value *out[2]) {
    gw_rms_norm_attrs attrs = {.eps = b->def->h.rms_eps};
    attrs.folded = attrs.eps >= GW_FOLD_EPS_MIN;
    gw_value *inputs[2] = {x, NULL};
    out[1] = NULL;
    godwit_status status = gw_graph_weight(b->graph, w, &inputs[1], b->err);
    if (status != GODWIT_OK) return status;
    return add_node(b, &gw_op_rms_norm, what, inputs, 2, &attrs, sizeof attrs, out);
}

// out = w x (* scale)
static godwit_status product(builder *b, const char *what, const gw_weight *w, gw_value *const x[2],
                             gw_value **out) {
    gw_value *inputs[4] = {NULL, x[0], NULL, x[1]};
    uint32_t n = x[1] ? 4 : 2;
    godwit_status status = gw_graph_weight(b->graph, w, &inputs[0], b->err);
    if (status != GODWIT_OK) return status;
    if (!w->n_parts) return add_node(b, &gw_op_matmul, what, inputs, n, NULL, 0, out);
    return gw_graph_node(b->graph, &gw_op_matmul, w->name, inputs, n, NULL, 0, out, b->err);
}

// y += bias, where there is one
static godwit_status add_bias(builder *b, const char *what, const gw_weight *bias, gw_value **y) {
    gw_value *inputs[2] = {*y, NULL};
    if (!bias) return GODWIT_OK;
    godwit_status status = gw_graph_weight(b->graph, bias, &inputs[1], b->err);
    if (status != GODWIT_OK) return status;
    return add_node(b, &gw_op_add, what, inputs, 2, NULL, 0, y);
}

static godwit_status linear(builder *b, const char *what, const gw_weight *w, const gw_weight *bias,
                            gw_value *const x[2], gw_value **out) {
    godwit_status status = product(b, what, w, x, out);
    return status == GODWIT_OK ? add_bias(b, what, bias, out) : status;
}

// Several of one x: of joined weights each is columns of one product.
typedef struct sibling {
    const char *what;
    const gw_linear *rows;
    gw_value *made, *out;
} sibling;
static godwit_status siblings(builder *b, gw_value *const x[2], sibling *list, uint32_t n) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; i < n; i++) {
        sibling *s = &list[i];
        const gw_weight *w = s->rows->w;
        for (uint32_t k = 0; k < i && !s->made; k++)
            if (list[k].rows->w == w) s->made = list[k].made;
        const gw_weight *bias = s->rows->bias, *whole = bias && bias->n_parts ? bias : NULL;
        if (!s->made) {
            GW_TRY(product(b, s->what, w, x, &s->made));
            GW_TRY(add_bias(b, s->what, whole, &s->made));
        }
        s->out = s->made;
        if (s->rows->n_rows != w->n_rows)
            GW_TRY(gw_graph_columns(b->graph, s->made, s->rows->row0, s->rows->n_rows, &s->out,
                                    b->err));
        if (!whole) GW_TRY(add_bias(b, s->what, bias, &s->out));
    }
done:
    return status;
}

// Products q, k, v [n_tok, heads * head_dim] to turned queries; keys and values go into the caches.
static godwit_status rope_store(builder *b, const sibling *of, gw_value **out_q) {
    godwit_status status = GODWIT_OK;
    const gw_hparams *h = &b->def->h;
    const gw_rope_attrs attrs = {.n_rot = h->n_rot, .paired = h->rope_paired};
    gw_value *in[7] = {[3] = b->io->rope_table,
                       b->io->kv_rows,
                       b->io->k_cache[b->layer],
                       b->io->v_cache[b->layer]};
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t dims[3] = {b->io->n_tok, i ? h->n_head_kv : h->n_head, h->head_dim};
        GW_TRY(gw_graph_reshape(b->graph, of[i].out, 3, dims, &in[i], b->err));
    }
    GW_TRY(add_node(b, &gw_op_rope_store, "rope_store", in, 7, &attrs, sizeof attrs, out_q));
done:
    return status;
}

static godwit_status attention(builder *b, const llama_layer *l, gw_value *const n[2],
                               gw_value **out) {
    godwit_status status = GODWIT_OK;
    const gw_hparams *h = &b->def->h;
    gw_value *q = NULL;
    sibling of[3] = {{.what = "attn_q", .rows = &l->q},
                     {.what = "attn_k", .rows = &l->k},
                     {.what = "attn_v", .rows = &l->v}};
    GW_TRY(siblings(b, n, of, 3));
    GW_TRY(rope_store(b, of, &q));
    gw_value *kc = b->io->k_cache[b->layer], *vc = b->io->v_cache[b->layer];
    gw_attention_attrs attrs = {.scale = gw_rsqrt((float)h->head_dim),
                                .window = h->window,
                                .head_dim = h->head_dim,
                                .n_pages = b->io->n_pages};
    gw_value *inputs[5] = {q, kc, vc, b->io->positions, b->io->pages};
    GW_TRY(add_node(b, &gw_op_attention, "attn", inputs, 5, &attrs, sizeof attrs, out));
    GW_TRY(linear(b, "attn_output", l->wo, l->bo, (gw_value *[2]){*out}, out));
done:
    return status;
}

static godwit_status feed_forward(builder *b, const llama_layer *l, gw_value *const n[2],
                                  gw_value **out) {
    godwit_status status = GODWIT_OK;
    sibling of[2] = {{.what = "ffn_gate", .rows = &l->gate}, {.what = "ffn_up", .rows = &l->up}};
    GW_TRY(siblings(b, n, of, 2));
    gw_value *gated[2] = {of[0].out, of[1].out};
    GW_TRY(add_node(b, &gw_op_silu_mul, "ffn_silu", gated, 2, NULL, 0, out));
    GW_TRY(linear(b, "ffn_down", l->down, l->bdown, (gw_value *[2]){*out}, out));
done:
    return status;
}

static godwit_status add_residual(builder *b, const char *what, gw_value **x, gw_value *y) {
    gw_value *inputs[2] = {y, *x};
    return add_node(b, &gw_op_add, what, inputs, 2, NULL, 0, x);
}

static godwit_status build(const gw_model_def *def, gw_graph *graph, gw_step_io *io,
                           godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const llama *m = def->family;
    builder b = {.def = def, .graph = graph, .io = io, .err = err};
    gw_value *x = NULL, *n[2], *y = NULL;
    gw_value *inputs[2] = {NULL, io->tokens};
    GW_TRY(gw_graph_weight(graph, m->token_embd, &inputs[0], err));
    GW_TRY(gw_graph_node(graph, &gw_op_get_rows, "token_embd", inputs, 2, NULL, 0, &x, err));
    for (b.layer = 0; b.layer < def->h.n_layer; b.layer++) {
        const llama_layer *l = &m->layers[b.layer];
        GW_TRY(norm(&b, "attn_norm", x, l->attn_norm, n));
        GW_TRY(attention(&b, l, n, &y));
        GW_TRY(add_residual(&b, "attn_residual", &x, y));
        GW_TRY(norm(&b, "ffn_norm", x, l->ffn_norm, n));
        GW_TRY(feed_forward(&b, l, n, &y));
        GW_TRY(add_residual(&b, "ffn_residual", &x, y));
    }
    uint32_t n_skip = io->n_tok - io->n_logits;
    if (n_skip) GW_TRY(gw_graph_view(graph, x, n_skip, io->n_logits, &x, err));
    GW_TRY(norm(&b, "output_norm", x, m->output_norm, n));
    GW_TRY(linear(&b, "output", m->output, NULL, n, &io->logits));
done:
    return status;
}

const gw_arch gw_arch_llama = {.name = "llama", .load = load, .build = build};
