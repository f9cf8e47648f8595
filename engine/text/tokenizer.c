// Tokenizer: create, destroy and encode; see tokenizer.h and, for the parts, tokenizer_impl.h.
//
// encode cuts a text at its special tokens and gives what lies between to the vocabulary's own
// algorithm. Ids are counted past the end of the caller's array, so that a second call can bring
// one that is large enough.
#include "base/utf8.h"
#include "file/recognize.h"
#include "text/tokenizer_impl.h"

#include <string.h>

godwit_status gw_tokenizer_create(const gw_host *host, const gw_gguf *gguf,
                                  gw_tokenizer **out_tokenizer, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    // Before a word of tokenizers: that it has none is the least of it.
    status = gw_gguf_check_model(gguf, err);
    if (status != GODWIT_OK) return gw_note(err, status, "%s", gw_gguf_name(gguf));
    gw_tokenizer *tokenizer = gw_alloc(host, 1, sizeof *tokenizer);
    GW_CHECK_ALLOC(tokenizer, err, "tokenizer");
    tokenizer->host = host;
    gw_arena_init(&tokenizer->arena, host);
    memset(tokenizer->byte_ids, 0xFF, sizeof tokenizer->byte_ids); // -1 each
    GW_TRY(gw_tokenizer_load(tokenizer, gguf, err));
    GW_TRY(gw_special_load(tokenizer, gguf, err));
    if (tokenizer->model == GW_TOKENIZER_BPE || tokenizer->model == GW_TOKENIZER_SPM_BPE ||
        tokenizer->model == GW_TOKENIZER_WORDS)
        GW_TRY(gw_bpe_load(tokenizer, gguf, err));
    if (tokenizer->model == GW_TOKENIZER_WORDPIECE) GW_TRY(gw_wordpiece_load(tokenizer, gguf, err));
    if (tokenizer->model == GW_TOKENIZER_UNIGRAM) GW_TRY(gw_unigram_load(tokenizer, gguf, err));
    // In older files of BERT's kin the key says that a text ends so at all.
    GW_TRY(gw_gguf_get_bool(gguf, "tokenizer.ggml.add_sep_token",
                            tokenizer->model != GW_TOKENIZER_WORDPIECE, &tokenizer->pair_ends_twice,
                            err));
    if (!gw_gguf_find(gguf, "tokenizer.ggml.add_eos_token"))
        tokenizer->pair_ends_twice &= tokenizer->model != GW_TOKENIZER_WORDPIECE;
    *out_tokenizer = tokenizer;
    tokenizer = NULL;
done:
    gw_tokenizer_destroy(&tokenizer);
    return gw_note(err, status, "%s: tokenizer", gw_gguf_name(gguf));
}

void gw_tokenizer_destroy(gw_tokenizer **tokenizer) {
    if (!tokenizer || !*tokenizer) return;
    gw_tokenizer *t = *tokenizer;
    const gw_host *host = t->host;
    gw_pre_destroy(host, &t->pre);
    gw_index_deinit(&t->index, host);
    gw_index_deinit(&t->merge_index, host);
    gw_vec_deinit(&t->trie, host);
    gw_vec_deinit(&t->texts, host);
    gw_free(host, t->kinds, t->n_tokens);
    gw_free(host, t->ends, t->n_tokens);
    gw_free(host, t->rstrip, t->n_tokens);
    gw_free(host, t->scores, t->n_tokens * sizeof *t->scores);
    gw_free(host, t->specials, t->specials_cap * sizeof *t->specials);
    gw_free(host, t->merges, t->n_merges * sizeof *t->merges);
    gw_arena_deinit(&t->arena);
    gw_free(host, t, sizeof *t);
    *tokenizer = NULL;
}

uint32_t gw_tokenizer_n_tokens(const gw_tokenizer *tokenizer) {
    return tokenizer->n_tokens;
}

int32_t gw_tokenizer_bos(const gw_tokenizer *tokenizer) {
    return tokenizer->bos;
}

int32_t gw_tokenizer_eos(const gw_tokenizer *tokenizer) {
    return tokenizer->eos;
}

bool gw_tokenizer_is_end(const gw_tokenizer *tokenizer, int32_t token) {
    return token >= 0 && (uint32_t)token < tokenizer->n_tokens && tokenizer->ends[token];
}

godwit_status gw_encoder_append(gw_encoder *encoder, const char *text, size_t n,
                                godwit_error *err) {
    const size_t need = encoder->n_escaped + n;
    // Positions are 32 bits; only a map that was made for it multiplies a text so.
    if (need > GW_TOKENIZER_MAX_REWRITTEN_BYTES) {
        return gw_fail(
            err, GODWIT_INVALID_ARGUMENT,
            "encode: the text's characters become more than %d bytes; encode it in parts",
            GW_TOKENIZER_MAX_REWRITTEN_BYTES);
    }
    if (need > encoder->escaped_bytes) {
        const size_t bytes = 2 * need;
        char *grown = gw_realloc(encoder->host, encoder->escaped, encoder->escaped_bytes, bytes);
        if (!grown) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: a text");
        encoder->escaped = grown;
        encoder->escaped_bytes = bytes;
    }
    memcpy(encoder->escaped + encoder->n_escaped, text, n);
    encoder->n_escaped = need;
    return GODWIT_OK;
}

void gw_encoder_emit(gw_encoder *encoder, int32_t id) {
    if (encoder->n < encoder->n_max) encoder->out_ids[encoder->n] = id;
    encoder->n++;
}

godwit_status gw_encoder_emit_unknown(gw_encoder *encoder, gw_str text, godwit_error *err) {
    if (encoder->tokenizer->unknown >= 0) {
        gw_encoder_emit(encoder, encoder->tokenizer->unknown);
        return GODWIT_OK;
    }
    uint32_t code_point = 0;
    if (text.n > 1 && gw_utf8_next(text.text, text.n, &code_point) > 0) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "encode: U+%04X: the vocabulary has no token for it, none for its bytes and "
                       "no unknown token",
                       code_point);
    }
    return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                   "encode: byte 0x%02X: the vocabulary has no token for it and no unknown token",
                   (uint8_t)*text.text);
}

static godwit_status encode_plain(gw_encoder *encoder, gw_str text, godwit_error *err) {
    static godwit_status (*const encoders[])(gw_encoder *, gw_str, godwit_error *) = {
        [GW_TOKENIZER_SPM] = gw_spm_encode,
        [GW_TOKENIZER_BPE] = gw_bpe_encode,
        [GW_TOKENIZER_WORDPIECE] = gw_wordpiece_encode,
        [GW_TOKENIZER_UNIGRAM] = gw_unigram_encode,
        [GW_TOKENIZER_SPM_BPE] = gw_spm_encode,
        [GW_TOKENIZER_WORDS] = gw_words_encode,
    };
    if (text.n == 0) return GODWIT_OK;
    return encoders[encoder->tokenizer->model](encoder, text, err);
}

static bool is_space(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static godwit_status encode_text(gw_encoder *encoder, gw_str text, bool parse_special,
                                 godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_tokenizer *tokenizer = encoder->tokenizer;
    size_t start = 0;
    for (size_t at = 0; at < text.n;) {
        gw_str rest = {text.text + at, text.n - at};
        int32_t id = gw_special_match(tokenizer, rest, parse_special);
        if (id < 0) {
            at++;
            continue;
        }
        gw_str plain = {text.text + start, at - start};
        GW_TRY(encode_plain(encoder, plain, err));
        gw_encoder_emit(encoder, id);
        at += tokenizer->texts.items[id].n;
        while (tokenizer->rstrip[id] && at < text.n && is_space(text.text[at])) at++;
        start = at;
    }
    gw_str plain = {text.text + start, text.n - start};
    GW_TRY(encode_plain(encoder, plain, err));
done:
    return status;
}

static godwit_status check_arguments(const char *text, size_t n_bytes, const int32_t *out_ids,
                                     size_t n_max, const size_t *out_n, godwit_error *err) {
    if ((!text && n_bytes > 0) || (!out_ids && n_max > 0) || !out_n) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT, "encode: text, out_ids or out_n is missing");
    }
    if (n_bytes > GW_TOKENIZER_MAX_TEXT_BYTES) {
        return gw_fail(err, GODWIT_INVALID_ARGUMENT,
                       "encode: a text of %zu bytes passes the limit of %d; encode it in parts",
                       n_bytes, GW_TOKENIZER_MAX_TEXT_BYTES);
    }
    return GODWIT_OK;
}

godwit_status gw_tokenizer_encode(const gw_tokenizer *tokenizer, const char *text, size_t n_bytes,
                                  const godwit_encode_params *params, int32_t *out_ids,
                                  size_t n_max, size_t *out_n, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    godwit_encode_params options = params ? *params : GODWIT_INIT(godwit_encode_params);
    gw_encoder encoder = {
        .tokenizer = tokenizer, .host = tokenizer->host, .out_ids = out_ids, .n_max = n_max};
    GW_TRY(check_arguments(text, n_bytes, out_ids, n_max, out_n, err));
    if (tokenizer->add_bos && !options.no_special) gw_encoder_emit(&encoder, tokenizer->bos);
    GW_TRY(encode_text(&encoder, (gw_str){text, n_bytes}, options.parse_special, err));
    bool ends = tokenizer->add_eos && !options.no_special && !options.no_eos;
    if (ends) gw_encoder_emit(&encoder, tokenizer->eos);
    if (options.pair) {
        if (ends && tokenizer->pair_ends_twice) gw_encoder_emit(&encoder, tokenizer->eos);
        GW_TRY(encode_text(&encoder, (gw_str){options.pair, options.pair_bytes},
                           options.parse_special, err));
        if (ends) gw_encoder_emit(&encoder, tokenizer->eos);
    }
    *out_n = encoder.n;
done:
    gw_pre_release(&encoder);
    gw_vec_deinit(&encoder.symbols, encoder.host);
    gw_vec_deinit(&encoder.heap, encoder.host);
    gw_vec_deinit(&encoder.endings, encoder.host);
    gw_free(encoder.host, encoder.escaped, encoder.escaped_bytes);
    return status;
}
