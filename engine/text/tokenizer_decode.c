// Tokenizer decode: the text that an id adds, in whole UTF-8 characters.
//
// A piece's bytes go one by one through the decoder's pending bytes: a character leaves when its
// last byte comes, a part that can become none leaves as one U+FFFD. The decoder given is changed
// only when the call succeeds, so a call with a too small buffer can be made again.
#include "base/utf8.h"
#include "text/tokenizer_impl.h"

#include <string.h>

// A decoder under way and the text it gives; n counts also what had no room.
typedef struct output {
    godwit_decoder decoder;
    bool strip_space; // the next byte is the first of all: a space there is the encoder's own
    char *text;
    size_t n, n_max;
} output;

static void put(output *out, const char *text, size_t n) {
    if (out->n <= out->n_max && n <= out->n_max - out->n) memcpy(out->text + out->n, text, n);
    out->n += n;
}

static void feed(output *out, char byte) {
    godwit_decoder *decoder = &out->decoder;
    bool skip = out->strip_space && byte == ' ';
    out->strip_space = false;
    decoder->started = true;
    if (skip) return;
    decoder->pending[decoder->n_pending++] = byte; // at most 4: three can always go on or leave
    while (decoder->n_pending > 0) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(decoder->pending, decoder->n_pending, &code_point);
        if (length == 0) break;
        size_t n = (size_t)(length > 0 ? length : -length);
        if (length > 0) put(out, decoder->pending, n);
        if (length < 0) put(out, GW_UTF8_REPLACEMENT, 3);
        decoder->n_pending -= (uint32_t)n;
        memmove(decoder->pending, decoder->pending + n, decoder->n_pending);
    }
}

static void feed_text(output *out, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++) feed(out, text[i]);
}

static void feed_spm(output *out, gw_str piece) {
    for (size_t i = 0; i < piece.n;) {
        bool space = piece.n - i >= 3 && memcmp(piece.text + i, GW_TOKEN_SPACE, 3) == 0;
        feed(out, space ? ' ' : piece.text[i]);
        i += space ? 3 : 1;
    }
}

// Characters stand for bytes; one that stands for none is itself.
static void feed_bpe(output *out, gw_str piece) {
    for (size_t i = 0; i < piece.n;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(piece.text + i, piece.n - i, &code_point);
        int byte = length > 0 ? gw_bpe_char_byte(code_point) : -1;
        size_t n = length > 0 ? (size_t)length : 1;
        if (byte >= 0) feed(out, (char)byte);
        if (byte < 0) feed_text(out, piece.text + i, n);
        i += n;
    }
}

static void feed_token(output *out, const gw_tokenizer *tokenizer, int32_t token) {
    gw_str piece = tokenizer->texts.items[token];
    switch ((gw_token_kind)tokenizer->kinds[token]) {
    case GW_TOKEN_CONTROL:
    case GW_TOKEN_UNKNOWN:
        break;
    case GW_TOKEN_BYTE:
        feed(out, (char)gw_token_byte(piece));
        break;
    case GW_TOKEN_USER_DEFINED:
        feed_text(out, piece.text, piece.n);
        break;
    default:
        if (tokenizer->model == GW_TOKENIZER_BPE) feed_bpe(out, piece);
        if (tokenizer->model != GW_TOKENIZER_BPE) feed_spm(out, piece);
    }
}

godwit_status gw_tokenizer_decode(const gw_tokenizer *tokenizer, godwit_decoder *decoder,
                                  int32_t token, char *text, size_t text_bytes, size_t *out_bytes,
                                  godwit_error *err) {
    godwit_status status = GODWIT_OK;
    if (!decoder || !text || text_bytes == 0 || !out_bytes) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "decode: decoder, text or out_bytes is missing");
    }
    if (decoder->n_pending > 3) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT,
                "decode: decoder has %u bytes pending, at most 3 can be; was it zero-initialised?",
                decoder->n_pending);
    }
    if (token < -1 || token >= (int64_t)tokenizer->n_tokens) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT, "decode: token %d of a vocabulary of %u", token,
                tokenizer->n_tokens);
    }
    output out = {.decoder = *decoder, .text = text, .n_max = text_bytes - 1};
    out.strip_space = tokenizer->add_space_prefix && !decoder->started;
    if (token >= 0) {
        feed_token(&out, tokenizer, token);
    } else if (decoder->n_pending > 0) {
        put(&out, GW_UTF8_REPLACEMENT, 3);
        out.decoder.n_pending = 0;
    }
    if (out.n > out.n_max) {
        GW_FAIL(err, GODWIT_INVALID_ARGUMENT,
                "decode: token %d adds %zu bytes, the buffer has %zu with its end mark", token,
                out.n, text_bytes);
    }
    text[out.n] = 0;
    *out_bytes = out.n;
    *decoder = out.decoder;
done:
    return status;
}
