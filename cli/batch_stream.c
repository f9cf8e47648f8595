// batch_stream.c: see batch_stream.h.
#include "batch_stream.h"

#include <stdlib.h>
#include <string.h>

#include "sampling.h"

void batch_stream_init(batch_stream *s, batch_request *request, uint32_t n_max) {
    *s = (batch_stream){.request = request, .n_max = n_max};
    if (request->sampling.n_logprobs) s->logprobs = json_array();
    if (n_max == 0) s->reason = "length";
    cli_text_add(&s->text, "", 0);
}

void batch_stream_free(batch_stream *s) {
    godwit_session_destroy(&s->session);
    cli_text_free(&s->text);
    free(s->ids);
    json_decref(s->logprobs);
    *s = (batch_stream){0};
}

godwit_status batch_stream_begin(batch_stream *s, const batch_text *text, godwit_error *error) {
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 0; status == GODWIT_OK && i < s->request->n_prompt; i++) {
        size_t n_bytes = 0;
        status = godwit_tokenizer_decode(text->tokenizer, &s->decoder, s->request->ids[i],
                                         text->piece, BATCH_PIECE_BYTES, &n_bytes, error);
    }
    return status;
}

// The first place of a word in text[from..), which is before limit; limit: there is none.
static size_t find(const cli_text *text, size_t from, const char *word, size_t n, size_t limit) {
    for (size_t at = from; at < limit && n <= text->n_bytes - at; at++) {
        if (memcmp(text->data + at, word, n) == 0) return at;
    }
    return limit;
}

// Where the first stop string begins that ends behind byte n_before of the text; SIZE_MAX: none does.
static size_t find_stop(const batch_stream *s, size_t n_before) {
    size_t first = SIZE_MAX, i;
    json_t *stop;
    json_array_foreach(s->request->stops, i, stop) {
        const size_t n = json_string_length(stop), from = n_before < n ? 0 : n_before - n + 1;
        first = find(&s->text, from, json_string_value(stop), n, first);
    }
    return first;
}

static void cut(batch_stream *s, size_t n_bytes) {
    s->text.n_bytes = n_bytes;
    s->text.data[n_bytes] = 0;
}

// Token -1 adds what is left of a character.
static godwit_status add_text(batch_stream *s, const batch_text *text, int32_t token,
                              godwit_error *error) {
    size_t n_bytes = 0;
    godwit_status status = godwit_tokenizer_decode(text->tokenizer, &s->decoder, token, text->piece,
                                                   BATCH_PIECE_BYTES, &n_bytes, error);
    if (status == GODWIT_OK) cli_text_add(&s->text, text->piece, n_bytes);
    return status;
}

static void add_id(batch_stream *s, int32_t token) {
    // Room for twice as many each time: n_max may be far more than ever come.
    if ((s->n_ids & (s->n_ids - 1)) == 0) {
        s->ids = cli_realloc(s->ids, (s->n_ids ? 2 * (size_t)s->n_ids : 1) * sizeof(*s->ids));
    }
    s->ids[s->n_ids++] = token;
}

godwit_status batch_stream_take(batch_stream *s, const batch_text *text, int32_t token,
                                godwit_error *error) {
    if (token < 0) {
        batch_request_fail(s->request, "not_finite",
                           "the logits after %u tokens are not finite: the model's weights "
                           "overflow",
                           s->request->n_prompt + s->n_ids);
        s->reason = "error";
        return GODWIT_OK;
    }
    if (!text->ignore_eos && godwit_tokenizer_is_end(text->tokenizer, token)) {
        s->reason = "stop";
        return add_text(s, text, -1, error);
    }
    const size_t n_before = s->text.n_bytes;
    add_id(s, token);
    if (s->logprobs)
        (void)json_array_append_new(s->logprobs, cli_json_logprobs(s->session, text->tokenizer));
    godwit_status status = add_text(s, text, token, error);
    const size_t stop = status == GODWIT_OK ? find_stop(s, n_before) : SIZE_MAX;
    if (stop != SIZE_MAX) {
        cut(s, stop);
        s->reason = "stop";
    } else if (status == GODWIT_OK && s->n_ids == s->n_max) {
        s->reason = "length";
        status = add_text(s, text, -1, error);
    }
    return status;
}

json_t *batch_stream_json(const batch_stream *s) {
    if (s->request->code) return batch_json_of_error(s->request);
    json_t *all = json_object(), *ids = json_array(), *usage = json_object();
    for (uint32_t i = 0; i < s->n_ids; i++) {
        (void)json_array_append_new(ids, json_integer(s->ids[i]));
    }
    cli_json_set(usage, "prompt_tokens", json_integer(s->request->n_prompt));
    cli_json_set(usage, "completion_tokens", json_integer(s->n_ids));
    cli_json_set(usage, "shared_tokens", json_integer((json_int_t)s->n_shared));
    cli_json_set(all, "custom_id", cli_json_word(s->request->id));
    cli_json_set(all, "text", cli_json_text(s->text.data, s->text.n_bytes));
    cli_json_set(all, "token_ids", ids);
    if (s->logprobs) cli_json_set(all, "logprobs", json_incref(s->logprobs));
    cli_json_set(all, "finish_reason", cli_json_word(s->reason));
    cli_json_set(all, "usage", usage);
    return all;
}
