// Hf tiktoken: a list of byte strings, each with its rank, as byte-level BPE.
//
// tiktoken has no merges: any two neighbours whose bytes together are in the list may be one, the lowest
// rank first. The merge that makes a token is what is left of its bytes when all merges of lower rank are
// made: two parts, else nothing makes it.
#include "convert/hf_tokens.h"

#include "base/status.h"
#include "base/utf8.h"
#include "text/tokenizer_impl.h"

#include <stdio.h>

enum { MAX_TOKEN_BYTES = 256 };

// As characters that stand for bytes.
static godwit_status spell(gw_arena *arena, gw_str bytes, gw_str *out, godwit_error *err) {
    char *text = gw_arena_alloc(arena, 2 * bytes.n + 1, 1);
    size_t n = 0;
    if (!text) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: tokens");
    for (size_t i = 0; i < bytes.n; i++) {
        char one[4];
        const int length = gw_utf8_put(gw_bpe_byte_char((uint8_t)bytes.text[i]), one);
        memcpy(text + n, one, (size_t)length);
        n += (size_t)length;
    }
    *out = (gw_str){text, n};
    return GODWIT_OK;
}

// Lines of base64, a space, a number.
static godwit_status read_lines(gw_hf_tokens *t, gw_str *bytes, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_str in = t->hf->tiktoken;
    for (uint32_t line = 1; in.n > 0; line++) {
        const char *end = memchr(in.text, '\n', in.n);
        const size_t n = end ? (size_t)(end - in.text) : in.n;
        const char *space = memchr(in.text, ' ', n);
        char number[16];
        unsigned long long id = 0;
        const size_t n_number = space ? n - (size_t)(space - in.text) - 1 : 0;
        gw_str text = {0};
        if (n > 0) {
            if (!space || n_number == 0 || n_number >= sizeof number) {
                GW_FAIL(err, GODWIT_MALFORMED, "line %u: not base64 and a rank", line);
            }
            memcpy(number, space + 1, n_number);
            number[n_number] = 0;
            GW_TRY(gw_hf_base64(&t->hf->arena, (gw_str){in.text, (size_t)(space - in.text)}, &text,
                                err));
            if (sscanf(number, "%llu", &id) != 1 || id >= t->n || text.n == 0 ||
                text.n > MAX_TOKEN_BYTES) {
                GW_FAIL(err, GODWIT_MALFORMED,
                        "line %u: not base64 of up to %d bytes and a rank below %u", line,
                        MAX_TOKEN_BYTES, t->n);
            }
            bytes[id] = text;
            GW_TRY(spell(&t->hf->arena, text, &text, err));
            GW_TRY(gw_hf_put_token(t, text, id, GW_TOKEN_NORMAL, err));
        }
        in.text += n + (end != NULL);
        in.n -= n + (end != NULL);
    }
done:
    return status;
}

// The two parts that a token of that rank is made of: where the second begins, 0: there are not two.
static size_t cut_of(const gw_name_index *index, gw_str bytes, uint32_t rank) {
    size_t begins[MAX_TOKEN_BYTES + 1], n = bytes.n;
    for (size_t i = 0; i <= n; i++) begins[i] = i;
    while (n > 2) {
        uint32_t best = rank;
        size_t at = 0;
        for (size_t i = 0; i + 2 <= n; i++) {
            const gw_str pair = {bytes.text + begins[i], begins[i + 2] - begins[i]};
            const uint32_t found = gw_name_index_find(index, pair);
            if (found >= best) continue;
            best = found;
            at = i + 1;
        }
        if (at == 0) return 0;
        memmove(begins + at, begins + at + 1, (n - at) * sizeof *begins);
        n--;
    }
    return n == 2 ? begins[1] : 0;
}

static godwit_status write_merges(gw_hf_tokens *t, const gw_str *bytes, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_name_index index;
    gw_str *merges = gw_arena_alloc(&t->hf->arena, t->n, sizeof *merges);
    uint32_t n = 0;
    GW_CHECK_ALLOC(merges, err, "merges");
    GW_TRY(gw_name_index_init(&index, &t->hf->arena, t->n, err));
    for (uint32_t i = 0; i < t->n; i++) {
        if (bytes[i].n && gw_name_index_find(&index, bytes[i]) == GW_NAME_NONE)
            GW_TRY(gw_name_index_add(&index, bytes[i], i, err));
    }
    for (uint32_t i = 0; i < t->n; i++) {
        gw_str left = {0}, right = {0};
        const size_t cut = bytes[i].n > 1 ? cut_of(&index, bytes[i], i) : 0;
        if (cut == 0) continue;
        GW_TRY(spell(&t->hf->arena, (gw_str){bytes[i].text, cut}, &left, err));
        GW_TRY(spell(&t->hf->arena, (gw_str){bytes[i].text + cut, bytes[i].n - cut}, &right, err));
        char *text = gw_arena_alloc(&t->hf->arena, left.n + right.n + 1, 1);
        GW_CHECK_ALLOC(text, err, "merges");
        memcpy(text, left.text, left.n);
        text[left.n] = ' ';
        memcpy(text + left.n + 1, right.text, right.n);
        merges[n++] = (gw_str){text, left.n + right.n + 1};
    }
    GW_TRY(gw_gguf_writer_set_strs(t->hf->writer, "tokenizer.ggml.merges", merges, n, err));
done:
    return status;
}

// The list says nothing of how texts are cut: that is in code beside it, which its name, or that of its
// class, stands for.
static godwit_status find_pre(const gw_hf_tokens *t, const char **out, godwit_error *err) {
    static const struct {
        const char *class, *file, *pre;
    } rows[] = {{"TikTokenTokenizer", "tiktoken.model", "kimi-k2"},
                {"QWenTokenizer", "qwen.tiktoken", "qwen2"},
                {"", "o200k_base.tiktoken", "gpt-4o"},
                {"", "cl100k_base.tiktoken", "smaug-bpe"}};
    const gw_json *class = gw_json_get(t->hf->tokenizer_config, "tokenizer_class");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(t->hf->tiktoken_name, rows[i].file) != 0) continue;
        if (rows[i].class[0] && !gw_json_is_null(class) && !gw_json_is(class, rows[i].class))
            continue;
        *out = rows[i].pre;
        return GODWIT_OK;
    }
    return gw_fail(err, GODWIT_UNSUPPORTED,
                   "how texts are cut is not known of this list (known are tiktoken.model of Kimi, "
                   "qwen, o200k_base "
                   "and cl100k_base); a tokenizer.json says it");
}

static godwit_status read_special(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const gw_json *list = gw_json_get(t->hf->tokenizer_config, "added_tokens_decoder");
    GW_TRY(gw_name_index_init(&t->index, &t->hf->arena, list ? list->n : 0, err));
    for (const gw_json *item = list ? list->first : NULL; item; item = item->next) {
        char number[16];
        gw_str text;
        unsigned long long id = 0;
        bool special = true;
        if (item->key.n >= sizeof number || !gw_json_str(gw_json_get(item, "content"), &text))
            continue;
        memcpy(number, item->key.text, item->key.n);
        number[item->key.n] = 0;
        if (sscanf(number, "%llu", &id) != 1) continue;
        gw_json_bool(gw_json_get(item, "special"), &special);
        special |= gw_is_turn_end(text);
        GW_TRY(
            gw_hf_put_token(t, text, id, special ? GW_TOKEN_CONTROL : GW_TOKEN_USER_DEFINED, err));
        GW_TRY(gw_name_index_add(&t->index, text, (uint32_t)id, err));
    }
done:
    return status;
}

godwit_status gw_hf_tiktoken(gw_hf_tokens *t, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    const char *pre = NULL;
    gw_str *bytes = gw_arena_alloc(&t->hf->arena, t->n, sizeof *bytes);
    GW_CHECK_ALLOC(bytes, err, "tokens");
    GW_TRY(find_pre(t, &pre, err));
    GW_TRY(read_lines(t, bytes, err));
    GW_TRY(write_merges(t, bytes, err));
    GW_TRY(read_special(t, err));
    GW_TRY(gw_gguf_writer_set_str(t->hf->writer, "tokenizer.ggml.model", GW_STR("gpt2"), err));
    GW_TRY(gw_gguf_writer_set_str(t->hf->writer, "tokenizer.ggml.pre", gw_str_of(pre), err));
done:
    return status;
}
