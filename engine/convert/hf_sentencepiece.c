// Hf SentencePiece: tokenizer.model, a protobuf message: pieces with scores and types, and what is done to
// a text before. Source: sentencepiece_model.proto of SentencePiece. Every length is compared with what is
// left before it is used.
#include "convert/hf_tokens.h"

#include "base/status.h"

#include <stdio.h>

enum { MODEL_UNIGRAM = 1, MODEL_BPE = 2 };

// One field of a message: a number, or bytes.
typedef struct field {
    uint64_t number;
    uint64_t value; // varint, or 32 bits
    gw_str bytes;   // wire type 2
} field;

static bool read_varint(gw_str *in, uint64_t *out) {
    *out = 0;
    for (int shift = 0; shift < 64 && in->n > 0; shift += 7) {
        const uint8_t byte = (uint8_t)*in->text;
        in->text++;
        in->n--;
        *out |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128)) return true;
    }
    return false;
}

// False: what is left is no field.
static bool read_field(gw_str *in, field *out) {
    uint64_t key = 0, n = 0;
    if (!read_varint(in, &key)) return false;
    *out = (field){.number = key >> 3};
    switch (key & 7) {
    case 0:
        return read_varint(in, &out->value);
    case 1:
    case 5:
        n = (key & 7) == 1 ? 8 : 4;
        if (in->n < n) return false;
        for (uint64_t i = 0; i < n; i++) out->value |= (uint64_t)(uint8_t)in->text[i] << 8 * i;
        break;
    case 2:
        if (!read_varint(in, &n) || n > in->n) return false;
        out->bytes = (gw_str){in->text, (size_t)n};
        break;
    default:
        return false;
    }
    in->text += n;
    in->n -= (size_t)n;
    return true;
}

typedef struct model {
    uint64_t kind;
    bool prefix, merges_spaces;
    gw_str map;
    uint32_t n;
} model;

static godwit_status malformed(godwit_error *err) {
    return gw_fail(err, GODWIT_MALFORMED, "tokenizer.model: no model of SentencePiece");
}

static godwit_status read_spec(gw_str in, uint64_t which, model *m, godwit_error *err) {
    field f;
    while (in.n > 0) {
        if (!read_field(&in, &f)) return malformed(err);
        if (which == 2 && f.number == 3) m->kind = f.value;
        if (which == 3 && f.number == 2) m->map = f.bytes;
        if (which == 3 && f.number == 3) m->prefix = f.value != 0;
        if (which == 3 && f.number == 4) m->merges_spaces = f.value != 0;
    }
    return GODWIT_OK;
}

// A piece: its text, score and type, which are GGUF's numbers.
static godwit_status read_piece(gw_str in, gw_str *text, float *score, uint64_t *type,
                                godwit_error *err) {
    field f;
    *type = GW_TOKEN_NORMAL;
    *score = 0.0f;
    *text = (gw_str){0};
    while (in.n > 0) {
        if (!read_field(&in, &f)) return malformed(err);
        const uint32_t bits = (uint32_t)f.value;
        if (f.number == 1) *text = f.bytes;
        if (f.number == 2) memcpy(score, &bits, sizeof *score);
        if (f.number == 3) *type = f.value;
    }
    if (!text->text || *type < GW_TOKEN_NORMAL || *type >= GW_TOKEN_N_KINDS ||
        !(*score - *score == 0.0f)) {
        return malformed(err);
    }
    return GODWIT_OK;
}

// alone: texts and kinds are taken, too; else those of tokenizer.json stand.
static godwit_status read_model(gw_hf_tokens *t, bool alone, model *m, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str in = t->hf->sentencepiece;
    *m = (model){.kind = MODEL_UNIGRAM, .prefix = true, .merges_spaces = true};
    t->scores = gw_arena_alloc(&t->hf->arena, t->n, sizeof *t->scores);
    GW_CHECK_ALLOC(t->scores, err, "token scores");
    while (in.n > 0) {
        field f;
        gw_str text;
        float score = 0.0f;
        uint64_t type = 0;
        if (!read_field(&in, &f)) return malformed(err);
        if (f.number == 2 || f.number == 3) GW_TRY(read_spec(f.bytes, f.number, m, err));
        if (f.number != 1) continue;
        GW_TRY(read_piece(f.bytes, &text, &score, &type, err));
        if (alone) GW_TRY(gw_hf_put_token(t, text, m->n, (uint8_t)type, err));
        if (m->n < t->n) t->scores[m->n] = score;
        m->n++;
    }
    if (m->n == 0) return malformed(err);
done:
    return status;
}

// So that special tokens are found by their texts.
static godwit_status index_texts(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = gw_name_index_init(&t->index, &t->hf->arena, t->n, err);
    for (uint32_t i = 0; i < t->n && status == GODWIT_OK; i++) {
        if (t->kinds[i] && gw_name_index_find(&t->index, t->texts[i]) == GW_NAME_NONE) {
            status = gw_name_index_add(&t->index, t->texts[i], i, err);
        }
    }
    return status;
}

godwit_status gw_hf_sentencepiece_scores(gw_hf_tokens *t, godwit_error *err) {
    model m;
    return read_model(t, false, &m, err);
}

godwit_status gw_hf_sentencepiece(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_gguf_writer *writer = t->hf->writer;
    model m;
    GW_TRY(read_model(t, true, &m, err));
    GW_TRY(gw_hf_read_later(t, true, err));
    GW_TRY(index_texts(t, err));
    if (m.kind != MODEL_UNIGRAM && m.kind != MODEL_BPE) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "model type %llu; unigram and bpe can be converted",
                (unsigned long long)m.kind);
    }
    const bool unigram = m.kind == MODEL_UNIGRAM;
    t->kind = unigram ? GW_HF_UNIGRAM : GW_HF_SPM;
    if (!unigram && m.map.n) {
        gw_log(t->hf->host, GODWIT_LOG_WARN,
               "%s/tokenizer.model: rewrites characters, which GGUF's 'llama' tokenizer cannot say",
               t->hf->folder);
    }
    GW_TRY(gw_gguf_writer_set_str(writer, "tokenizer.ggml.model",
                                  unigram ? GW_STR("t5") : GW_STR("llama"), err));
    GW_TRY(gw_gguf_writer_set_str(writer, "tokenizer.ggml.pre", GW_STR("default"), err));
    GW_TRY(gw_hf_set_bool(t->hf, "tokenizer.ggml.add_space_prefix", m.prefix, err));
    if (!unigram) return GODWIT_OK;
    GW_TRY(gw_hf_set_bool(t->hf, "tokenizer.ggml.remove_extra_whitespaces", m.merges_spaces, err));
    if (m.map.n) {
        GW_TRY(gw_gguf_writer_set_array(writer, "tokenizer.ggml.precompiled_charsmap", GW_GGUF_U8,
                                        m.map.text, m.map.n, err));
    }
done:
    return status;
}
