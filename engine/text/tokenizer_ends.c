// Tokenizer ends: which tokens end a generation.
//
// Owns the keys that name some and the texts (tokenizer_ends.def) that do so by themselves. Files
// made from fine-tunes often give such a text the type of an ordinary one; it then becomes a
// control token, which no text forges and no decoder prints, and a warning says so.
#include "text/tokenizer_impl.h"

#include <stdio.h>

static const struct {
    const char *text;
    bool is_control;
} END_TEXTS[] = {
#define X_END(text) {text, true},
#define X_GAP(text) {text, false},
#define X_NO_END(text, a, b)
#include "text/tokenizer_ends.def"
#undef X_END
#undef X_GAP
#undef X_NO_END
};
enum { N_END_TEXTS = sizeof END_TEXTS / sizeof *END_TEXTS };

static const struct {
    const char *text, *a, *b;
} NO_ENDS[] = {
#define X_END(text)
#define X_GAP(text)
#define X_NO_END(text, a, b) {text, a, b},
#include "text/tokenizer_ends.def"
#undef X_END
#undef X_GAP
#undef X_NO_END
};

bool gw_is_turn_end(gw_str text) {
    int k = gw_end_text(text);
    return k >= 0 && END_TEXTS[k].is_control;
}

int gw_end_text(gw_str text) {
    if (text.n == 0 || !(text.text[0] == '<' || text.text[0] == '[' || text.text[0] == '_')) {
        return -1;
    }
    for (int k = 0; k < N_END_TEXTS; k++) {
        if (gw_str_eq(text, gw_str_of(END_TEXTS[k].text))) return k;
    }
    return -1;
}

// Where the vocabulary says that the text ends something less.
static void drop_parts(bool *there) {
    bool all[N_END_TEXTS];
    for (int k = 0; k < N_END_TEXTS; k++) all[k] = there[k];
    for (size_t i = 0; i < sizeof NO_ENDS / sizeof *NO_ENDS; i++) {
        if (!all[gw_end_text(gw_str_of(NO_ENDS[i].a))]) continue;
        if (!all[gw_end_text(gw_str_of(NO_ENDS[i].b))]) continue;
        there[gw_end_text(gw_str_of(NO_ENDS[i].text))] = false;
    }
}

static void load_texts(gw_tokenizer *tokenizer, const gw_gguf *gguf) {
    bool there[N_END_TEXTS] = {false};
    uint32_t n_changed = 0;
    uint32_t first = 0;
    uint8_t was = 0;
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        int k = gw_end_text(tokenizer->texts.items[i]);
        if (k >= 0) there[k] = true;
    }
    drop_parts(there);
    for (uint32_t i = 0; i < tokenizer->n_tokens; i++) {
        int k = gw_end_text(tokenizer->texts.items[i]);
        if (k < 0 || !there[k]) continue;
        uint8_t kind = tokenizer->kinds[i];
        tokenizer->ends[i] = 1;
        if (!END_TEXTS[k].is_control) continue;
        if (kind == GW_TOKEN_CONTROL || kind == GW_TOKEN_UNKNOWN) continue;
        if (n_changed++ == 0) {
            first = i;
            was = kind;
        }
        tokenizer->kinds[i] = GW_TOKEN_CONTROL;
    }
    if (n_changed == 0) return;
    gw_str text = tokenizer->texts.items[first];
    char more[48] = "";
    if (n_changed > 1) snprintf(more, sizeof more, " (and %u more like it)", n_changed - 1);
    gw_log(tokenizer->host, GODWIT_LOG_WARN,
           "%s: token %u %.*s%s ends a turn, but tokenizer.ggml.token_type calls it %s: read as a "
           "control token",
           gw_gguf_name(gguf), first, GW_STR_ARG(text), more,
           was == GW_TOKEN_USER_DEFINED ? "user-defined" : "an ordinary text");
}

godwit_status gw_ends_load(gw_tokenizer *tokenizer, const gw_gguf *gguf, godwit_error *err) {
    static const char *const keys[] = {
        "tokenizer.ggml.eot_token_id",     "tokenizer.ggml.eom_token_id",
        "tokenizer.ggml.fim_pad_token_id", "tokenizer.ggml.fim_rep_token_id",
        "tokenizer.ggml.fim_sep_token_id",
    };
    godwit_status status = GODWIT_OK;
    load_texts(tokenizer, gguf);
    if (tokenizer->eos >= 0) tokenizer->ends[tokenizer->eos] = 1;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        int32_t id = -1;
        GW_TRY(gw_tokenizer_load_id(tokenizer, gguf, keys[i], -1, &id, err));
        if (id >= 0) tokenizer->ends[id] = 1;
    }
done:
    return status;
}
