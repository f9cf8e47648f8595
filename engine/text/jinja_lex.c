// Jinja's lexer: text with {{ }}, {% %} and {# #} into tokens, white space control included.
//
// What is stripped: a minus in a tag's end strips all white space there; else the newline behind a
// block or comment goes (trim_blocks), and the blanks in front of one that begins a line
// (lstrip_blocks); a plus keeps them. The template's last newline goes, too.
#include "base/utf8.h"
#include "text/jinja_impl.h"

typedef struct lexer {
    gw_arena *arena;
    gw_str text;
    size_t pos;
    uint32_t line;
    bool line_begins; // the last tag took a newline with it
    gw_jtokens *out;
    godwit_error *err;
} lexer;

static godwit_status wrong(const lexer *l, const char *what) {
    return gw_fail(l->err, GODWIT_MALFORMED, "template line %u: %s", l->line, what);
}

static int byte_at(const lexer *l, size_t i) {
    return i < l->text.n ? (uint8_t)l->text.text[i] : -1;
}

static bool starts(const lexer *l, size_t i, const char *with) {
    size_t n = strlen(with);
    return i <= l->text.n && l->text.n - i >= n && memcmp(l->text.text + i, with, n) == 0;
}

static void go_to(lexer *l, size_t pos) {
    for (; l->pos < pos; l->pos++) l->line += l->text.text[l->pos] == '\n';
}

static size_t past_space(const lexer *l, size_t i) {
    size_t n = 0;
    while (i < l->text.n && gw_jinja_is_space(gw_jinja_char(l->text, i, &n))) i += n;
    return i;
}

static godwit_status emit(lexer *l, gw_jtoken_type type, gw_str text) {
    gw_jtoken *token = gw_vec_push(l->out, l->arena->host);
    if (!token) return gw_fail(l->err, GODWIT_OUT_OF_MEMORY, "out of host memory: template");
    *token = (gw_jtoken){type, l->line, text};
    return GODWIT_OK;
}

static gw_str span(const lexer *l, size_t from, size_t to) {
    return (gw_str){l->text.text + from, to - from};
}

// Text in front of a tag that begins at l->text[to], without what its sign strips.
static godwit_status emit_data(lexer *l, size_t from, size_t to, int sign, bool is_print) {
    gw_str data = span(l, from, to);
    if (sign == '-') {
        data = gw_jinja_strip(data, NULL, false, true);
    } else if (sign != '+' && !is_print) {
        size_t line = data.n;
        while (line > 0 && data.text[line - 1] != '\n') line--;
        gw_str rest = {data.text + line, data.n - line};
        if ((line > 0 || l->line_begins) && gw_jinja_strip(rest, NULL, true, false).n == 0) {
            data.n = line;
        }
    }
    return data.n > 0 ? emit(l, GW_JTOKEN_DATA, data) : GODWIT_OK;
}

// Behind a tag whose "%}" or "#}" begins at end: sign is the character in front of it.
static void finish_tag(lexer *l, size_t end, int sign, bool trims) {
    size_t pos = end + 2;
    if (sign == '-') {
        pos = past_space(l, pos);
    } else if (trims && sign != '+' && byte_at(l, pos) == '\n') {
        pos++;
    }
    go_to(l, pos);
    l->line_begins = l->text.text[pos - 1] == '\n';
}

static godwit_status skip_comment(lexer *l) {
    size_t begin = l->pos, end = begin;
    while (end < l->text.n && !starts(l, end, "#}")) end++;
    if (end >= l->text.n) return wrong(l, "a comment {# without its #}");
    finish_tag(l, end, end > begin ? byte_at(l, end - 1) : 0, true);
    return GODWIT_OK;
}

// Whether a tag `name` with nothing else in it stands at the position of a "{%"; gives its end.
static bool bare_tag(const lexer *l, size_t at, const char *name, size_t *out_end) {
    size_t i = at + 2;
    if (byte_at(l, i) == '-' || byte_at(l, i) == '+') i++;
    i = past_space(l, i);
    if (!starts(l, i, name)) return false;
    i = past_space(l, i + strlen(name));
    if (byte_at(l, i) == '-' || byte_at(l, i) == '+') i++;
    *out_end = i;
    return starts(l, i, "%}");
}

static godwit_status lex_raw(lexer *l, size_t begin_end) {
    godwit_status status = GODWIT_OK;
    finish_tag(l, begin_end, byte_at(l, begin_end - 1), false);
    size_t from = l->pos, at = from, end = 0;
    for (; at < l->text.n; at++) {
        if (starts(l, at, "{%") && bare_tag(l, at, "endraw", &end)) break;
    }
    if (at >= l->text.n) return wrong(l, "{% raw %} without its {% endraw %}");
    GW_TRY(emit_data(l, from, at, byte_at(l, at + 2), false));
    finish_tag(l, end, byte_at(l, end - 1), true);
done:
    return status;
}

// --- inside a tag --------------------------------------------------------------------------------

static bool name_begins(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

// n hexadecimal digits at i, -1: there are not so many.
static int64_t hex_at(const lexer *l, size_t i, size_t n) {
    int64_t code = 0;
    for (size_t k = i; k < i + n; k++) {
        int c = byte_at(l, k), lower = c | 0x20;
        int digit = is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
        if (c < 0 || digit < 0) return -1;
        code = code << 4 | digit;
    }
    return code;
}

// What stands behind the backslash at i - 1; *io passes it. Python's escapes; others stay.
static godwit_status put_escape(lexer *l, size_t *io, char *out, size_t *io_n) {
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    int c = byte_at(l, *io);
    const char *at = c > 0 ? memchr(from, c, sizeof from - 1) : NULL;
    size_t n_hex = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (at) {
        out[(*io_n)++] = to[at - from];
    } else if (c == '\n') {
        // a line that goes on
    } else if (n_hex > 0) {
        int64_t code = hex_at(l, *io + 1, n_hex);
        if (code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
            return wrong(l, "a string's escape is no character");
        }
        *io_n += (size_t)gw_utf8_put((uint32_t)code, out + *io_n);
        *io += n_hex;
    } else if (c >= '0' && c <= '7') {
        uint32_t code = 0;
        size_t i = *io;
        for (; i < *io + 3 && byte_at(l, i) >= '0' && byte_at(l, i) <= '7'; i++) {
            code = code * 8 + (uint32_t)(byte_at(l, i) - '0');
        }
        *io_n += (size_t)gw_utf8_put(code, out + *io_n);
        *io = i - 1;
    } else {
        out[(*io_n)++] = '\\';
        return GODWIT_OK; // the character itself comes next
    }
    ++*io;
    return GODWIT_OK;
}

static godwit_status lex_string(lexer *l) {
    godwit_status status = GODWIT_OK;
    int quote = byte_at(l, l->pos);
    size_t end = l->pos + 1, n = 0;
    bool escapes = false;
    for (; end < l->text.n && byte_at(l, end) != quote; end++) {
        escapes |= byte_at(l, end) == '\\';
        end += byte_at(l, end) == '\\';
    }
    if (end >= l->text.n) return wrong(l, "a string without its end");
    gw_str text = span(l, l->pos + 1, end);
    if (escapes) {
        // An escape of one octal digit becomes one byte, of three two; others shrink.
        char *copy = gw_arena_alloc(l->arena, text.n + 1, 2);
        GW_CHECK_ALLOC(copy, l->err, "template");
        for (size_t i = l->pos + 1; i < end;) {
            if (byte_at(l, i++) != '\\') {
                copy[n++] = l->text.text[i - 1];
            } else {
                GW_TRY(put_escape(l, &i, copy, &n));
            }
        }
        text = (gw_str){copy, n};
    }
    GW_TRY(emit(l, GW_JTOKEN_STRING, text));
    go_to(l, end + 1);
done:
    return status;
}

static size_t past_digits(const lexer *l, size_t i) {
    while (is_digit(byte_at(l, i)) || (byte_at(l, i) == '_' && is_digit(byte_at(l, i + 1)))) i++;
    return i;
}

static godwit_status lex_number(lexer *l) {
    size_t end = l->pos;
    gw_jtoken_type type = GW_JTOKEN_INT;
    int second = byte_at(l, end + 1) | 0x20;
    bool behind_dot = end > 0 && byte_at(l, end - 1) == '.';
    if (byte_at(l, end) == '0' && (second == 'x' || second == 'o' || second == 'b')) {
        end += 2;
        while (byte_at(l, end) == '_' || hex_at(l, end, 1) >= 0) end++;
    } else {
        end = past_digits(l, end);
        if (!behind_dot && byte_at(l, end) == '.' && is_digit(byte_at(l, end + 1))) {
            end = past_digits(l, end + 1);
            type = GW_JTOKEN_FLOAT;
        }
        size_t sign = end + 1 + (byte_at(l, end + 1) == '+' || byte_at(l, end + 1) == '-');
        if (!behind_dot && (byte_at(l, end) | 0x20) == 'e' && is_digit(byte_at(l, sign))) {
            end = past_digits(l, sign);
            type = GW_JTOKEN_FLOAT;
        }
    }
    godwit_status status = emit(l, type, span(l, l->pos, end));
    go_to(l, end);
    return status;
}

static godwit_status lex_operator(lexer *l, char *brackets, size_t *io_n) {
    static const char doubles[][3] = {"//", "**", "==", "!=", ">=", "<="};
    static const char open[] = "([{", close[] = ")]}";
    size_t n = 0;
    int c = byte_at(l, l->pos);
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) {
        if (starts(l, l->pos, doubles[i])) n = 2;
    }
    if (n == 0 && c > 0 && strchr("+-/*%~[](){}<>=.:|,;", c)) n = 1;
    if (n == 0) return wrong(l, "a character that no expression has");
    const char *at = n == 1 ? strchr(open, c) : NULL;
    if (at) {
        if (*io_n == GW_JINJA_MAX_NESTING) return wrong(l, "brackets are nested too deeply");
        brackets[(*io_n)++] = close[at - open];
    } else if (n == 1 && strchr(close, c)) {
        if (*io_n == 0 || brackets[*io_n - 1] != c) return wrong(l, "a bracket closes none");
        --*io_n;
    }
    godwit_status status = emit(l, GW_JTOKEN_OP, span(l, l->pos, l->pos + n));
    go_to(l, l->pos + n);
    return status;
}

// From behind "{{" or "{%" to behind its end.
static godwit_status lex_tag(lexer *l, bool is_print) {
    godwit_status status = GODWIT_OK;
    char brackets[GW_JINJA_MAX_NESTING];
    size_t n_brackets = 0;
    const char *end = is_print ? "}}" : "%}";
    for (;;) {
        go_to(l, past_space(l, l->pos));
        int c = byte_at(l, l->pos);
        if (c < 0) return wrong(l, is_print ? "{{ without its }}" : "{% without its %}");
        size_t at = l->pos + (c == '-' || (c == '+' && !is_print));
        if (n_brackets == 0 && starts(l, at, end)) {
            GW_TRY(emit(l, is_print ? GW_JTOKEN_PRINT_END : GW_JTOKEN_BLOCK_END, (gw_str){0}));
            finish_tag(l, at, at > l->pos ? c : 0, !is_print);
            return GODWIT_OK;
        }
        if (c == '"' || c == '\'') {
            GW_TRY(lex_string(l));
        } else if (is_digit(c)) {
            GW_TRY(lex_number(l));
        } else if (name_begins(c)) {
            size_t i = l->pos;
            while (name_begins(byte_at(l, i)) || is_digit(byte_at(l, i))) i++;
            GW_TRY(emit(l, GW_JTOKEN_NAME, span(l, l->pos, i)));
            go_to(l, i);
        } else {
            GW_TRY(lex_operator(l, brackets, &n_brackets));
        }
    }
done:
    return status;
}

godwit_status gw_jinja_lex(gw_arena *arena, gw_str text, gw_jtokens *out, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    lexer l = {.arena = arena, .text = text, .line = 1, .line_begins = true, .out = out};
    l.err = err;
    while (l.pos < text.n) {
        size_t at = l.pos, raw_end = 0;
        while (at < text.n && !starts(&l, at, "{{") && !starts(&l, at, "{%") &&
               !starts(&l, at, "{#")) {
            at++;
        }
        int kind = byte_at(&l, at + 1), sign = byte_at(&l, at + 2);
        if (at >= text.n) kind = sign = 0;
        GW_TRY(emit_data(&l, l.pos, at, at < text.n ? sign : '+', kind == '{'));
        go_to(&l, at);
        if (at >= text.n) break;
        if (kind == '%' && bare_tag(&l, at, "raw", &raw_end)) {
            GW_TRY(lex_raw(&l, raw_end));
            continue;
        }
        go_to(&l, at + 2 + (sign == '-' || sign == '+'));
        if (kind == '#') {
            GW_TRY(skip_comment(&l));
            continue;
        }
        GW_TRY(emit(&l, kind == '{' ? GW_JTOKEN_PRINT_BEGIN : GW_JTOKEN_BLOCK_BEGIN, (gw_str){0}));
        GW_TRY(lex_tag(&l, kind == '{'));
    }
    GW_TRY(emit(&l, GW_JTOKEN_END, (gw_str){0}));
done:
    return status;
}
