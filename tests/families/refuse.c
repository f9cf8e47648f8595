// What is said of files of each family where something is missing or absurd, before any upload: a
// sentence that names the tensor or the key. Copies of the golden models, each with one thing changed.
#include "arch/arch.h"
#include "base/exact.h"
#include "families/golden.h"
#include "file/gguf_write.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

static godwit_error err;
#define OK(call) cr_assert_eq((call), GODWIT_OK, "%s", err.message)

typedef struct change {
    const char *drop, *rename; // a tensor
    const char *drop_key;
    const char *key; // set to this number; in a file that has it
    gw_gguf_type type;
    double number;
} change;

typedef struct source {
    gw_host host;
    uint8_t *bytes;
    size_t n_bytes;
    gw_gguf *gguf;
    char path[64];
} source;

static void source_open(source *s, const char *name) {
    *s = (source){.path = "/tmp/godwit-refuse-XXXXXX"};
    gw_host_init(&s->host, NULL, NULL, NULL);
    s->bytes = golden_unpack(name, &s->n_bytes);
    OK(gw_gguf_parse(&s->host, s->bytes, s->n_bytes, name, &s->gguf, &err));
    const int file = mkstemp(s->path);
    cr_assert(file >= 0);
    close(file);
}

static void source_close(source *s) {
    gw_gguf_destroy(&s->gguf);
    free(s->bytes);
    unlink(s->path);
}

static void set_number(gw_gguf_writer *writer, const change *c) {
    const float f = (float)c->number;
    if (c->type == GW_GGUF_F32)
        OK(gw_gguf_writer_set_number(writer, c->key, c->type, &f, &err));
    else
        OK(gw_gguf_writer_set_u32(writer, c->key, (uint32_t)c->number, &err));
}

// Whether the changed copy would be opened; err says why not.
static godwit_status try(const source *s, const change *c) {
    gw_gguf_writer *writer = NULL;
    gw_gguf *copy = NULL;
    gw_model_def *def = NULL;
    uint8_t *bytes = NULL;
    uint64_t n_bytes = 0;
    gw_host host = s->host;
    OK(gw_gguf_writer_create(&host, &writer, &err));
    for (uint64_t i = 0; i < gw_gguf_n_values(s->gguf); i++) {
        const gw_gguf_value *value = gw_gguf_value_at(s->gguf, i);
        if (c->drop_key && gw_str_eq(value->key, gw_str_of(c->drop_key))) continue;
        OK(gw_gguf_writer_copy(writer, value, &err));
    }
    if (c->key) set_number(writer, c);
    for (uint64_t i = 0; i < gw_gguf_n_tensors(s->gguf); i++) {
        const gw_gguf_tensor *t = gw_gguf_tensor_at(s->gguf, i);
        if (c->drop && !strcmp(c->drop, t->name)) continue;
        const bool renamed = c->rename && !strcmp(c->rename, t->name);
        OK(gw_gguf_writer_add_bytes(writer, renamed ? "blk.0.attn_other.weight" : t->name, t->type,
                                    t->n_dims, t->dims, t->source.bytes, &err));
    }
    OK(gw_gguf_writer_save(writer, s->path, &err));
    OK(gw_file_load(&host, s->path, UINT64_MAX, &bytes, &n_bytes, &err));
    OK(gw_gguf_parse(&host, bytes, n_bytes, s->path, &copy, &err));
    err = (godwit_error){0};
    const godwit_status status = gw_model_def_create(&host, copy, &def, &err);
    cr_expect(status == GODWIT_OK || err.message[0]);
    gw_model_def_destroy(&def);
    gw_gguf_destroy(&copy);
    gw_free(&host, bytes, (size_t)n_bytes);
    gw_gguf_writer_destroy(&writer);
    return status;
}

static bool ends_with(const char *text, const char *end) {
    const size_t n = strlen(text), m = strlen(end);
    return n >= m && !strcmp(text + n - m, end);
}

// A bias may be missing, but that of a scan's steps; and the output, which is the embedding then; and
// Gemma 4's values, which are the keys then; and the norm in Falcon-H1's Mamba 2.
static bool is_optional(const char *family, const char *name) {
    if (!strncmp(family, "gemma4", 6) && ends_with(name, "attn_v.weight")) return true;
    if (!strncmp(family, "falcon-h1", 9) && ends_with(name, "ssm_norm.weight")) return true;
    if (ends_with(name, "cross_attn_rel_b.weight")) return true; // which nothing reads
    return (ends_with(name, ".bias") && !ends_with(name, "ssm_dt.bias")) ||
           !strcmp(name, "output.weight");
}

Test(families, say_which_tensor_is_missing_or_not_known) {
    for (int f = 0; f < N_GOLDENS; f++) {
        source s;
        if (!golden_is_wanted(golden_names[f])) continue;
        source_open(&s, golden_names[f]);
        cr_expect_eq(try(&s, &(change){0}), GODWIT_OK, "%s", err.message);
        for (uint64_t i = 0; i < gw_gguf_n_tensors(s.gguf); i++) {
            const char *name = gw_gguf_tensor_at(s.gguf, i)->name;
            if (strstr(name, "blk.") == name && strncmp(name, "blk.0.", 6)) continue; // are alike
            const godwit_status status = try(&s, &(change){.drop = name});
            const bool optional = is_optional(golden_names[f], name);
            if (optional)
                cr_expect_eq(status, GODWIT_OK, "%s", err.message);
            else
                cr_expect(status == GODWIT_MALFORMED && strstr(err.message, name), "%s: %s: %s",
                          golden_names[f], name, err.message);
            cr_expect_neq(try(&s, &(change){.rename = name}), GODWIT_OK);
            cr_expect(strstr(err.message, optional ? "attn_other" : name), "%s: %s: %s",
                      golden_names[f], name, err.message);
        }
        source_close(&s);
    }
}

// Each number of the architecture as something absurd: it is refused by a sentence that names a key or a
// tensor, or taken where it says nothing of this family.
Test(families, say_which_key_is_absurd) {
    static const double integers[] = {0.0, 7.0, 65537.0, 4294967295.0};
    static const double floats[] = {-1.0, 0.0, 1e30, (double)NAN};
    for (int f = 0; f < N_GOLDENS; f++) {
        source s;
        if (!golden_is_wanted(golden_names[f])) continue;
        source_open(&s, golden_names[f]);
        int n_refused = 0;
        for (uint64_t i = 0; i < gw_gguf_n_values(s.gguf); i++) {
            const gw_gguf_value *value = gw_gguf_value_at(s.gguf, i);
            char key[96], prefix[32] = ""; // "qwen2."
            if (!memchr(value->key.text, '.', value->key.n) ||
                !strncmp(value->key.text, "general.", 8) ||
                !strncmp(value->key.text, "tokenizer.", 10))
                continue;
            if (value->type != GW_GGUF_U32 && value->type != GW_GGUF_F32) continue;
            snprintf(key, sizeof key, "%.*s", GW_STR_ARG(value->key));
            memcpy(prefix, key, (size_t)(strchr(key, '.') + 1 - key) % sizeof prefix);
            for (int k = 0; k < 4; k++) {
                const bool real = value->type == GW_GGUF_F32;
                const change c = {
                    .key = key, .type = value->type, .number = real ? floats[k] : integers[k]};
                if (try(&s, &c) == GODWIT_OK) continue;
                n_refused++;
                cr_expect(strstr(err.message, prefix) || strstr(err.message, "tensor ") ||
                              strstr(err.message, "rope."),
                          "%s = %g: %s", key, c.number, err.message);
            }
        }
        cr_expect_geq(n_refused, 12, "%s: %d", golden_names[f], n_refused);
        source_close(&s);
    }
}

// Layers for tokens further ahead are left out, with all of their tensors and no others.
Test(families, leave_out_layers_for_tokens_ahead) {
    source s;
    if (!golden_is_wanted("glm4moe")) return;
    source_open(&s, "glm4moe");
    change c = {.key = "glm4moe.nextn_predict_layers", .type = GW_GGUF_U32, .number = 1};
    cr_expect_eq(try(&s, &c), GODWIT_OK, "%s", err.message);
    c.drop = "blk.2.attn_q.weight";
    cr_expect_eq(try(&s, &c), GODWIT_OK, "%s", err.message);
    c.drop = "blk.1.attn_q.weight";
    cr_expect_eq(try(&s, &c), GODWIT_MALFORMED);
    c = (change){.key = c.key, .type = c.type, .number = 3}; // of three
    cr_expect_neq(try(&s, &c), GODWIT_OK);
    cr_expect(strstr(err.message, "nextn_predict_layers"), "%s", err.message);
    source_close(&s);
}

// One expert of llama4 reads what is weighed; of two each would read another.
Test(families, name_a_second_expert_of_llama4) {
    source s;
    if (!golden_is_wanted("llama4")) return;
    source_open(&s, "llama4");
    const change c = {.key = "llama4.expert_used_count", .type = GW_GGUF_U32, .number = 2};
    cr_expect_eq(try(&s, &c), GODWIT_UNSUPPORTED);
    cr_expect(strstr(err.message, "llama4.expert_used_count: 2"), "%s", err.message);
    source_close(&s);
}

// Files of latent attention from before keys and values had tensors of their own.
Test(families, name_an_older_form_of_latent_attention) {
    source s;
    if (!golden_is_wanted("deepseek2")) return;
    source_open(&s, "deepseek2");
    cr_expect_eq(try(&s, &(change){.drop_key = "deepseek2.attention.key_length_mla"}),
                 GODWIT_UNSUPPORTED);
    cr_expect(strstr(err.message, "key_length_mla") && strstr(err.message, "attn_kv_b"), "%s",
              err.message);
    const change heads = {
        .key = "deepseek2.attention.head_count_kv", .type = GW_GGUF_U32, .number = 3};
    cr_expect_eq(try(&s, &heads), GODWIT_UNSUPPORTED);
    cr_expect(strstr(err.message, "3 key heads"), "%s", err.message);
    source_close(&s);
}
