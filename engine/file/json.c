// JSON: see json.h.
#include "file/json.h"

#include "base/status.h"
#include "base/utf8.h"

typedef struct parser {
    gw_arena *arena;
    const uint8_t *bytes;
    uint64_t n_bytes, pos;
    uint32_t n_nodes;
    godwit_error *err;
} parser;

static godwit_status parse_value(parser *p, gw_json *out, int depth);

static godwit_status malformed(const parser *p, const char *what) {
    return gw_fail(p->err, GODWIT_MALFORMED, "JSON, byte %llu: %s", (unsigned long long)p->pos,
                   what);
}

static int peek(const parser *p) {
    return p->pos < p->n_bytes ? p->bytes[p->pos] : -1;
}

static void skip_space(parser *p) {
    for (int c = peek(p); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(p)) p->pos++;
}

static bool take_word(parser *p, const char *word, size_t n) {
    if (p->n_bytes - p->pos < n || memcmp(p->bytes + p->pos, word, n) != 0) return false;
    p->pos += n;
    return true;
}

// --- strings -------------------------------------------------------------------------------------

// Four hexadecimal digits, -1: there are none.
static int32_t take_hex(parser *p) {
    int32_t code = 0;
    if (p->n_bytes - p->pos < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int c = p->bytes[p->pos + (uint64_t)i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        code = code << 4 | digit;
    }
    p->pos += 4;
    return code;
}

// What stands behind a backslash; at most as long in UTF-8 as it is escaped.
static godwit_status take_escape(parser *p, char *out, size_t *out_n) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(p);
    const char *at = c > 0 ? memchr(from, c, sizeof from - 1) : NULL;
    *out_n = 1;
    p->pos++;
    if (at) {
        *out = to[at - from];
        return GODWIT_OK;
    }
    if (c != 'u') return malformed(p, "no escape that JSON has");
    int32_t code = take_hex(p);
    if (code >= 0xd800 && code < 0xdc00) {
        int32_t low = take_word(p, "\\u", 2) ? take_hex(p) : -1;
        if (low < 0xdc00 || low > 0xdfff) code = -1;
        code = code < 0 ? -1 : 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code < 0xe000) {
        code = -1;
    }
    if (code < 0) return malformed(p, "\\u without four digits, or half of a surrogate pair");
    *out_n = (size_t)gw_utf8_put((uint32_t)code, out);
    return GODWIT_OK;
}

// Past the closing quote; *out_escapes: whether there is an escape in it.
static godwit_status scan_string(parser *p, bool *out_escapes) {
    *out_escapes = false;
    for (;;) {
        int c = peek(p);
        if (c < 0) return malformed(p, "a string has no end");
        if (c == '"') {
            p->pos++;
            return GODWIT_OK;
        }
        if (c < 0x20) return malformed(p, "a control character in a string");
        const char *text = (const char *)p->bytes + p->pos;
        uint32_t code_point = 0;
        int length = gw_utf8_next(text, (size_t)(p->n_bytes - p->pos), &code_point);
        if (length <= 0) return malformed(p, "no UTF-8");
        p->pos += (uint64_t)length;
        if (c != '\\') continue;
        *out_escapes = true;
        if (peek(p) < 0) return malformed(p, "a string has no end");
        // Whatever is escaped, it is no end; what it is, take_escape says.
        if (peek(p) < 0x80) p->pos++;
    }
}

static godwit_status parse_string(parser *p, gw_str *out) {
    godwit_status status = GODWIT_OK;
    bool escapes = false;
    uint64_t start = ++p->pos;
    GW_TRY(scan_string(p, &escapes));
    uint64_t end = p->pos - 1;
    *out = (gw_str){(const char *)p->bytes + start, (size_t)(end - start)};
    if (!escapes) goto done;
    char *text = gw_arena_alloc(p->arena, out->n + 1, 1);
    GW_CHECK_ALLOC(text, p->err, "JSON string");
    size_t n = 0;
    for (p->pos = start; p->pos < end;) {
        size_t n_more = 1;
        char c = (char)p->bytes[p->pos++];
        text[n] = c;
        if (c == '\\') GW_TRY(take_escape(p, text + n, &n_more));
        n += n_more;
    }
    p->pos = end + 1;
    *out = (gw_str){text, n};
done:
    return status;
}

// --- the rest ------------------------------------------------------------------------------------

static bool take_digits(parser *p) {
    uint64_t start = p->pos;
    for (int c = peek(p); c >= '0' && c <= '9'; c = peek(p)) p->pos++;
    return p->pos > start;
}

static godwit_status parse_number(parser *p, gw_json *out) {
    uint64_t start = p->pos;
    bool good;
    if (peek(p) == '-') p->pos++;
    if (peek(p) == '0') {
        p->pos++;
        good = true;
    } else {
        good = take_digits(p);
    }
    if (good && peek(p) == '.') {
        p->pos++;
        good = take_digits(p);
    }
    if (good && (peek(p) == 'e' || peek(p) == 'E')) {
        p->pos++;
        if (peek(p) == '+' || peek(p) == '-') p->pos++;
        good = take_digits(p);
    }
    if (!good) return malformed(p, "no value that JSON has");
    out->type = GW_JSON_NUMBER;
    out->text = (gw_str){(const char *)p->bytes + start, (size_t)(p->pos - start)};
    return GODWIT_OK;
}

// The items between the brackets, of which the first is at the position.
static godwit_status parse_items(parser *p, gw_json *out, int depth) {
    godwit_status status = GODWIT_OK;
    int end = out->type == GW_JSON_ARRAY ? ']' : '}';
    const gw_json **link = &out->first;
    p->pos++;
    skip_space(p);
    if (peek(p) == end) {
        p->pos++;
        return GODWIT_OK;
    }
    for (;;) {
        gw_json *item = gw_arena_alloc(p->arena, 1, sizeof *item);
        GW_CHECK_ALLOC(item, p->err, "JSON");
        if (++p->n_nodes > GW_JSON_MAX_NODES) return malformed(p, "over 2^22 values");
        out->n++;
        *link = item;
        link = &item->next;
        skip_space(p);
        if (out->type == GW_JSON_OBJECT) {
            if (peek(p) != '"') return malformed(p, "no name of an item");
            GW_TRY(parse_string(p, &item->key));
            skip_space(p);
            if (peek(p) != ':') return malformed(p, "no colon behind a name");
            p->pos++;
        }
        GW_TRY(parse_value(p, item, depth + 1));
        skip_space(p);
        int c = peek(p);
        if (c != ',' && c != end) return malformed(p, "no comma and no end behind an item");
        p->pos++;
        if (c == end) return GODWIT_OK;
    }
done:
    return status;
}

static godwit_status parse_value(parser *p, gw_json *out, int depth) {
    if (depth > GW_JSON_MAX_DEPTH) return malformed(p, "nested too deeply");
    skip_space(p);
    switch (peek(p)) {
    case '{':
        out->type = GW_JSON_OBJECT;
        return parse_items(p, out, depth);
    case '[':
        out->type = GW_JSON_ARRAY;
        return parse_items(p, out, depth);
    case '"':
        out->type = GW_JSON_STRING;
        return parse_string(p, &out->text);
    case 't':
    case 'f':
        out->type = GW_JSON_BOOL;
        out->is_true = take_word(p, "true", 4);
        if (out->is_true || take_word(p, "false", 5)) return GODWIT_OK;
        break;
    case 'n':
        if (take_word(p, "null", 4)) return GODWIT_OK;
        break;
    default:
        return parse_number(p, out);
    }
    return malformed(p, "no value that JSON has");
}

godwit_status gw_json_parse(gw_arena *arena, const uint8_t *bytes, uint64_t n_bytes,
                            const gw_json **out_root, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    parser p = {.arena = arena, .bytes = bytes, .n_bytes = n_bytes, .err = err};
    gw_json *root = gw_arena_alloc(arena, 1, sizeof *root);
    *out_root = NULL;
    GW_CHECK_ALLOC(root, err, "JSON");
    GW_TRY(parse_value(&p, root, 0));
    skip_space(&p);
    if (p.pos < n_bytes) return malformed(&p, "something behind the end");
    *out_root = root;
done:
    return status;
}

// --- looking at it -------------------------------------------------------------------------------

const gw_json *gw_json_get(const gw_json *object, const char *key) {
    if (!object || object->type != GW_JSON_OBJECT) return NULL;
    gw_str name = gw_str_of(key);
    const gw_json *item = object->first;
    while (item && !gw_str_eq(item->key, name)) item = item->next;
    return item;
}

bool gw_json_is_null(const gw_json *node) {
    return !node || node->type == GW_JSON_NULL;
}

bool gw_json_u64(const gw_json *node, uint64_t *out) {
    if (!node || node->type != GW_JSON_NUMBER || node->text.n > 20) return false;
    uint64_t value = 0;
    for (size_t i = 0; i < node->text.n; i++) {
        char c = node->text.text[i];
        if (c < '0' || c > '9') return false;
        if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(c - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

// 10^n for n from 0 to 22 is exact in a double.
static double power_of_ten(int n) {
    double power = 1;
    while (n-- > 0) power *= 10;
    return power;
}

bool gw_json_f64(const gw_json *node, double *out) {
    if (!node || node->type != GW_JSON_NUMBER) return false;
    uint64_t digits = 0;
    int exponent = 0, given = 0;
    bool fraction = false, negative_exponent = false;
    size_t i = node->text.text[0] == '-', n = node->text.n;
    for (; i < n && node->text.text[i] != 'e' && node->text.text[i] != 'E'; i++) {
        char c = node->text.text[i];
        if (c == '.') {
            fraction = true;
        } else if (digits < UINT64_MAX / 10 - 1) {
            digits = digits * 10 + (uint64_t)(c - '0');
            exponent -= fraction;
        } else {
            exponent += !fraction && exponent < 10000; // past the precision of a double
        }
    }
    for (i++; i < n; i++) {
        char c = node->text.text[i];
        if (c == '-') negative_exponent = true;
        if (c >= '0' && c <= '9' && given < 10000) given = given * 10 + (c - '0');
    }
    exponent += negative_exponent ? -given : given;
    double value = (double)digits;
    for (; exponent > 0 && value > 0 && value - value == 0;
         exponent -= exponent > 22 ? 22 : exponent) {
        value *= power_of_ten(exponent > 22 ? 22 : exponent);
    }
    for (; exponent < 0 && value > 0; exponent += exponent < -22 ? 22 : -exponent) {
        value /= power_of_ten(exponent < -22 ? 22 : -exponent);
    }
    if (!(value - value == 0)) return false;
    *out = node->text.text[0] == '-' ? -value : value;
    return true;
}

bool gw_json_str(const gw_json *node, gw_str *out) {
    if (!node || node->type != GW_JSON_STRING) return false;
    *out = node->text;
    return true;
}

bool gw_json_bool(const gw_json *node, bool *out) {
    if (!node || node->type != GW_JSON_BOOL) return false;
    *out = node->is_true;
    return true;
}

bool gw_json_is(const gw_json *node, const char *text) {
    return node && node->type == GW_JSON_STRING && gw_str_eq(node->text, gw_str_of(text));
}
