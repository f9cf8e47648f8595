// Strings of Jinja: built, printed as str() and repr() do, and as JSON.
//
// A string is built at the end of the rendering's own output, which is cut back when the string is
// done: so one bound holds for both, and nested strings need no buffers of their own.
#include "base/sort.h"
#include "text/jinja_impl.h"

// --- building ------------------------------------------------------------------------------------

void gw_jinja_put(gw_jrun *r, const char *text, size_t n) {
    gw_jinja_output *out = &r->out;
    if (!gw_jinja_step(r, n / 64) || n == 0) return;
    if (n > GW_JINJA_MAX_OUTPUT - out->n) {
        gw_jinja_limit(r, "it makes more text than a template may");
        return;
    }
    if (n > out->cap - out->n) {
        size_t cap = out->cap ? out->cap * 2 : 4096;
        while (cap - out->n < n) cap *= 2;
        char *grown = gw_realloc(r->host, out->text, out->cap, cap);
        if (!grown) {
            r->status = gw_fail(r->err, GODWIT_OUT_OF_MEMORY, "out of host memory: rendering");
            return;
        }
        out->text = grown;
        out->cap = cap;
    }
    memcpy(out->text + out->n, text, n);
    out->n += n;
}

void gw_jinja_put_str(gw_jrun *r, gw_str s) {
    gw_jinja_put(r, s.text, s.n);
}

size_t gw_jinja_begin(const gw_jrun *r) {
    return r->out.n;
}

gw_jvalue gw_jinja_end(gw_jrun *r, size_t begin) {
    size_t n = r->status ? 0 : r->out.n - begin;
    char *text = n > 0 ? gw_jinja_alloc(r, n, 1) : NULL;
    if (text) memcpy(text, r->out.text + begin, n);
    if (r->out.n > begin) r->out.n = begin;
    return gw_jinja_str(text ? (gw_str){text, n} : GW_STR(""));
}

gw_str gw_jinja_text(gw_jrun *r, gw_jvalue v) {
    if (v.type == GW_J_STR) return v.s;
    size_t begin = gw_jinja_begin(r);
    gw_jinja_print(r, v);
    return gw_jinja_end(r, begin).s;
}

static void put_char(gw_jrun *r, char c) {
    gw_jinja_put(r, &c, 1);
}

static void put_hex(gw_jrun *r, const char *prefix, uint32_t code, int n_digits) {
    gw_jinja_put_str(r, gw_str_of(prefix));
    for (int i = n_digits - 1; i >= 0; i--) put_char(r, "0123456789abcdef"[code >> (4 * i) & 15]);
}

void gw_jinja_put_escaped(gw_jrun *r, gw_jvalue v) {
    static const char from[] = "&<>'\"";
    static const char *const to[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
    gw_str s = gw_jinja_text(r, v);
    for (size_t i = 0; i < s.n && !r->status; i++) {
        const char *at = v.safe || !s.text[i] ? NULL : strchr(from, s.text[i]);
        if (at) {
            gw_jinja_put_str(r, gw_str_of(to[at - from]));
        } else {
            put_char(r, s.text[i]);
        }
    }
}

// --- str() and repr() ----------------------------------------------------------------------------

// Whether Python prints it in a repr as it is; of unassigned characters it does not, we do.
static bool is_printable(uint32_t c) {
    if (c < 0x20 || (c >= 0x7f && c <= 0xa0) || c == 0xad) return false;
    if (gw_jinja_is_space(c)) return c == ' ';
    return !((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
             (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xe000 && c <= 0xf8ff) ||
             (c >= 0xfff0 && c <= 0xfffb) || c >= 0xe0000);
}

static void repr_str(gw_jrun *r, gw_str s) {
    static const char from[] = "\\\n\r\t", to[] = "\\nrt";
    bool single = s.n > 0 && memchr(s.text, '\'', s.n),
         doubled = s.n > 0 && memchr(s.text, '"', s.n);
    char quote = single && !doubled ? '"' : '\'';
    put_char(r, quote);
    for (size_t i = 0, n = 0; i < s.n && !r->status; i += n) {
        uint32_t c = gw_jinja_char(s, i, &n);
        const char *at = c > 0 && c < 0x80 ? strchr(from, (int)c) : NULL;
        if (at || c == (uint32_t)quote) {
            put_char(r, '\\');
            put_char(r, at ? to[at - from] : quote);
        } else if (is_printable(c)) {
            gw_jinja_put(r, s.text + i, n);
        } else {
            put_hex(r,
                    c < 0x100     ? "\\x"
                    : c < 0x10000 ? "\\u"
                                  : "\\U",
                    c,
                    c < 0x100     ? 2
                    : c < 0x10000 ? 4
                                  : 8);
        }
    }
    put_char(r, quote);
}

static void repr_list(gw_jrun *r, const gw_jlist *list) {
    if (list->kind >= GW_JLIST_VIEW) {
        gw_jinja_put_str(r, list->kind == GW_JLIST_VIEW ? GW_STR("dict_view(")
                                                        : GW_STR("<generator object>"));
        if (list->kind == GW_JLIST_GENERATOR) return;
    }
    bool tuple = list->kind == GW_JLIST_TUPLE;
    put_char(r, tuple ? '(' : '[');
    for (size_t i = 0; i < list->n && !r->status; i++) {
        if (i > 0) gw_jinja_put_str(r, GW_STR(", "));
        gw_jinja_repr(r, list->items[i]);
    }
    if (tuple && list->n == 1) put_char(r, ',');
    put_char(r, tuple ? ')' : ']');
    if (list->kind == GW_JLIST_VIEW) put_char(r, ')');
}

static void repr_range(gw_jrun *r, const gw_jlist *list) {
    int64_t first = list->n > 0 ? list->items[0].i : 0;
    int64_t step = list->n > 1 ? list->items[1].i - first : 1;
    int64_t stop = list->n > 0 ? list->items[list->n - 1].i + (step > 0 ? 1 : -1) : 0;
    gw_jinja_put_str(r, GW_STR("range("));
    gw_jinja_put_int(r, first, 0);
    gw_jinja_put_str(r, GW_STR(", "));
    gw_jinja_put_int(r, stop, 0);
    if (step != 1) {
        gw_jinja_put_str(r, GW_STR(", "));
        gw_jinja_put_int(r, step, 0);
    }
    put_char(r, ')');
}

static void repr_dict(gw_jrun *r, const gw_jdict *dict) {
    put_char(r, '{');
    for (size_t i = 0; i < dict->n && !r->status; i++) {
        if (i > 0) gw_jinja_put_str(r, GW_STR(", "));
        gw_jinja_repr(r, dict->items[i].key);
        gw_jinja_put_str(r, GW_STR(": "));
        gw_jinja_repr(r, dict->items[i].value);
    }
    put_char(r, '}');
}

void gw_jinja_repr(gw_jrun *r, gw_jvalue v) {
    if (gw_jinja_deeper(r)) {
        switch (v.type) {
        case GW_J_ABSENT:
            break;
        case GW_J_UNDEFINED:
            gw_jinja_put_str(r, GW_STR("Undefined"));
            break;
        case GW_J_NONE:
            gw_jinja_put_str(r, GW_STR("None"));
            break;
        case GW_J_BOOL:
            gw_jinja_put_str(r, v.b ? GW_STR("True") : GW_STR("False"));
            break;
        case GW_J_INT:
            gw_jinja_put_int(r, v.i, 0);
            break;
        case GW_J_FLOAT:
            gw_jinja_put_float(r, v.f);
            break;
        case GW_J_STR:
            if (v.safe) gw_jinja_put_str(r, GW_STR("Markup("));
            repr_str(r, v.s);
            if (v.safe) put_char(r, ')');
            break;
        case GW_J_LIST:
            if (v.list->kind == GW_JLIST_RANGE) {
                repr_range(r, v.list);
            } else {
                repr_list(r, v.list);
            }
            break;
        case GW_J_DICT:
            repr_dict(r, v.dict);
            break;
        default:
            put_char(r, '<');
            gw_jinja_put_str(r, gw_str_of(gw_jinja_type_name(v)));
            put_char(r, '>');
        }
    }
    r->depth--;
}

void gw_jinja_print(gw_jrun *r, gw_jvalue v) {
    if (v.type == GW_J_STR) {
        gw_jinja_put_str(r, v.s);
    } else if (v.type != GW_J_UNDEFINED) {
        gw_jinja_repr(r, v);
    }
}

// --- JSON, as Python's json.dumps ----------------------------------------------------------------

static void json_str(gw_jrun *r, gw_str s, bool ascii) {
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    put_char(r, '"');
    for (size_t i = 0, n = 0; i < s.n && !r->status; i += n) {
        uint32_t c = gw_jinja_char(s, i, &n);
        const char *at = c > 0 && c < 0x80 ? strchr(from, (int)c) : NULL;
        if (at) {
            put_char(r, '\\');
            put_char(r, to[at - from]);
        } else if (c < 0x20 || (ascii && c > 0x7e && c < 0x10000)) {
            put_hex(r, "\\u", c, 4);
        } else if (ascii && c >= 0x10000) {
            put_hex(r, "\\u", 0xd800 + ((c - 0x10000) >> 10), 4);
            put_hex(r, "\\u", 0xdc00 + ((c - 0x10000) & 0x3ff), 4);
        } else {
            gw_jinja_put(r, s.text + i, n);
        }
    }
    put_char(r, '"');
}

static void json_line(gw_jrun *r, const gw_jjson *form, int level) {
    if (!form->indent.text) return;
    put_char(r, '\n');
    for (int i = 0; i < level; i++) gw_jinja_put_str(r, form->indent);
}

static void json_key(gw_jrun *r, gw_jvalue key, const gw_jjson *form) {
    if (key.type == GW_J_STR) {
        json_str(r, key.s, form->ascii);
    } else if (key.type == GW_J_LIST || key.type > GW_J_STR || key.type < GW_J_NONE) {
        gw_jinja_fail(r, "keys must be str, int, float, bool or None, not %s",
                      gw_jinja_type_name(key));
    } else {
        put_char(r, '"');
        gw_jinja_put_json(r, key, form, 0);
        put_char(r, '"');
    }
}

static int compare_entries(const void *a, const void *b, const void *user);

static void json_dict(gw_jrun *r, const gw_jdict *dict, const gw_jjson *form, int level) {
    gw_jentry *items = dict->items;
    if (form->sort && dict->n > 0) {
        items = gw_jinja_alloc(r, dict->n, sizeof *items);
        if (!items) return;
        memcpy(items, dict->items, dict->n * sizeof *items);
        gw_sort(items, dict->n, sizeof *items, compare_entries, &r);
    }
    put_char(r, '{');
    for (size_t i = 0; i < dict->n && !r->status; i++) {
        if (i > 0) gw_jinja_put_str(r, form->item);
        json_line(r, form, level + 1);
        json_key(r, items[i].key, form);
        gw_jinja_put_str(r, form->key);
        gw_jinja_put_json(r, items[i].value, form, level + 1);
    }
    if (dict->n > 0) json_line(r, form, level);
    put_char(r, '}');
}

// user: the gw_jrun's address.
static int compare_entries(const void *a, const void *b, const void *user) {
    const gw_jentry *x = a, *y = b;
    gw_jrun *const *r = user;
    return gw_jinja_compare(*r, x->key, y->key);
}

static void json_list(gw_jrun *r, const gw_jlist *list, const gw_jjson *form, int level) {
    put_char(r, '[');
    for (size_t i = 0; i < list->n && !r->status; i++) {
        if (i > 0) gw_jinja_put_str(r, form->item);
        json_line(r, form, level + 1);
        gw_jinja_put_json(r, list->items[i], form, level + 1);
    }
    if (list->n > 0) json_line(r, form, level);
    put_char(r, ']');
}

static void json_float(gw_jrun *r, double f) {
    if (f - f == 0) {
        gw_jinja_put_float(r, f);
    } else {
        gw_jinja_put_str(r, f != f  ? GW_STR("NaN")
                            : f > 0 ? GW_STR("Infinity")
                                    : GW_STR("-Infinity"));
    }
}

void gw_jinja_put_json(gw_jrun *r, gw_jvalue v, const gw_jjson *form, int level) {
    bool known = v.type >= GW_J_NONE && v.type <= GW_J_DICT &&
                 !(v.type == GW_J_LIST && v.list->kind > GW_JLIST_TUPLE);
    if (!known) {
        gw_jinja_fail(r, "tojson: an object of type %s has no JSON", gw_jinja_type_name(v));
        return;
    }
    if (gw_jinja_deeper(r)) {
        switch (v.type) {
        case GW_J_NONE:
            gw_jinja_put_str(r, GW_STR("null"));
            break;
        case GW_J_BOOL:
            gw_jinja_put_str(r, v.b ? GW_STR("true") : GW_STR("false"));
            break;
        case GW_J_INT:
            gw_jinja_put_int(r, v.i, 0);
            break;
        case GW_J_FLOAT:
            json_float(r, v.f);
            break;
        case GW_J_STR:
            json_str(r, v.s, form->ascii);
            break;
        case GW_J_LIST:
            json_list(r, v.list, form, level);
            break;
        default:
            json_dict(r, v.dict, form, level);
        }
    }
    r->depth--;
}

gw_jvalue gw_jinja_replace(gw_jrun *r, gw_str s, gw_str from, gw_str to, int64_t n_most) {
    size_t begin = gw_jinja_begin(r), i = 0;
    gw_jinja_step(r, s.n / 64);
    for (int64_t n = 0; n != n_most && !r->status; n++) {
        size_t at = gw_jinja_find(s, from, i + (from.n == 0 && n > 0));
        if (at > s.n || !gw_jinja_step(r, 1)) break;
        if (from.n == 0) { // between all characters
            while (at < s.n && ((uint8_t)s.text[at] & 0xc0) == 0x80) at++;
        }
        gw_jinja_put(r, s.text + i, at - i);
        gw_jinja_put_str(r, to);
        i = at + from.n;
    }
    gw_jinja_put(r, s.text + i, s.n - i);
    return gw_jinja_end(r, begin);
}
