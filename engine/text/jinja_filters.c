// Jinja's filters of text, numbers and single values.
#include "text/jinja_impl.h"

#include <math.h>
#include <stdio.h>

enum { JSON_BYTES_MAX = 1 << 20, JSON_BYTES_A_BYTE = 64 };

static gw_jvalue trim(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    gw_str chars = gw_jinja_is_given(p[0]) ? gw_jinja_text(r, p[0]) : (gw_str){0};
    gw_str s = gw_jinja_text(r, self);
    gw_jinja_step(r, s.n / 64);
    return gw_jinja_str(gw_jinja_strip(s, gw_jinja_is_given(p[0]) ? &chars : NULL, true, true));
}

static gw_jvalue with_case(gw_jrun *r, gw_jvalue self, gw_jcase to) {
    gw_str s = gw_jinja_text(r, self);
    size_t begin = gw_jinja_begin(r);
    gw_jinja_put_case_str(r, s, to);
    return gw_jinja_end(r, begin);
}

static gw_jvalue upper(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return with_case(r, self, GW_JCASE_UPPER);
}

static gw_jvalue lower(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return with_case(r, self, GW_JCASE_LOWER);
}

static gw_jvalue capitalize(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return with_case(r, self, GW_JCASE_TITLE);
}

static void put_word(gw_jrun *r, gw_str s) {
    size_t n = 0;
    if (s.n > 0) gw_jinja_char(s, 0, &n);
    gw_jinja_put_case_str(r, (gw_str){s.text, n}, GW_JCASE_UPPER);
    gw_jinja_put_case_str(r, (gw_str){s.text + n, s.n - n}, GW_JCASE_LOWER);
}

// Words begin behind white space, a hyphen or an opening bracket.
static gw_jvalue title(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    gw_str s = gw_jinja_text(r, self);
    size_t begin = gw_jinja_begin(r), from = 0;
    for (size_t i = 0, n = 0; i < s.n && !r->status; i += n) {
        uint32_t c = gw_jinja_char(s, i, &n);
        if (gw_jinja_is_space(c) || (c > 0 && c < 0x80 && strchr("-({[<", (int)c))) {
            put_word(r, (gw_str){s.text + from, i - from});
            gw_jinja_put(r, s.text + i, n);
            from = i + n;
        }
    }
    put_word(r, (gw_str){s.text + from, s.n - from});
    return gw_jinja_end(r, begin);
}

static gw_jvalue replace(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    gw_str s = gw_jinja_text(r, self), from = gw_jinja_text(r, p[0]), to = gw_jinja_text(r, p[1]);
    return gw_jinja_replace(r, s, from, to, gw_jinja_whole_or(r, p[2], -1));
}

static gw_jvalue indent(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    gw_str s = gw_jinja_text(r, self), line = {0};
    int64_t width = p[0].type == GW_J_STR ? 0 : gw_jinja_whole_or(r, p[0], 4);
    gw_jvalue blanks = p[0];
    if (p[0].type != GW_J_STR) {
        blanks = gw_jinja_binary(r, '*', gw_jinja_str(GW_STR(" ")), gw_jinja_int(width));
    }
    size_t begin = gw_jinja_begin(r);
    bool first = gw_jinja_truth(p[1]), blank = gw_jinja_truth(p[2]);
    bool ends = s.n == 0;
    for (size_t i = 0, n_lines = 0; (i < s.n || ends) && !r->status; n_lines++) {
        // A line end at the text's end is a last, empty line.
        bool last = ends;
        line = last ? (gw_str){0} : gw_jinja_next_line(s, &i, false);
        if (!last && i == s.n) {
            size_t n = 0;
            uint32_t c = gw_jinja_char_before(s, s.n, &n);
            ends = gw_jinja_is_line_end(c);
        }
        if (n_lines > 0) gw_jinja_put_str(r, GW_STR("\n"));
        if (n_lines == 0 ? first : (blank || line.n > 0)) gw_jinja_put_str(r, blanks.s);
        gw_jinja_put_str(r, line);
        if (last) break;
    }
    return gw_jinja_end(r, begin);
}

static gw_jvalue tojson(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    gw_jjson form = {.item = GW_STR(", "), .key = GW_STR(": ")};
    form.ascii = gw_jinja_truth(p[0]);
    if (gw_jinja_is_given(p[1])) {
        gw_jvalue blanks = p[1];
        if (blanks.type != GW_J_STR) {
            blanks = gw_jinja_binary(r, '*', gw_jinja_str(GW_STR(" ")), p[1]);
        }
        if (r->status) return gw_jinja_none();
        form.indent = blanks.s.n > 0 ? blanks.s : GW_STR("");
        form.item = GW_STR(",");
    }
    if (gw_jinja_is_given(p[2])) {
        const gw_jlist *two = gw_jinja_iterate(r, p[2]);
        if (!two || two->n != 2 || two->items[0].type != GW_J_STR ||
            two->items[1].type != GW_J_STR) {
            return gw_jinja_fail(r, "tojson: separators are two strings");
        }
        form.item = two->items[0].s;
        form.key = two->items[1].s;
    }
    form.sort = gw_jinja_truth(p[3]);
    size_t begin = gw_jinja_begin(r);
    gw_jinja_put_json(r, self, &form, 0);
    return gw_jinja_end(r, begin);
}

static gw_jvalue from_json(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    const gw_json *root = NULL;
    gw_str s = gw_jinja_text(r, self);
    if (s.n > JSON_BYTES_MAX) return gw_jinja_limit(r, "from_json: the text is too long");
    r->n_bytes += s.n * JSON_BYTES_A_BYTE; // the tree, which lies in the same arena
    if (r->n_bytes > GW_JINJA_MAX_MEMORY || r->status) {
        return gw_jinja_limit(r, "it takes more memory than a template may");
    }
    godwit_error why = {0};
    if (gw_json_parse(&r->arena, (const uint8_t *)s.text, s.n, &root, &why)) {
        return gw_jinja_fail(r, "from_json: %s", why.message);
    }
    return gw_jinja_of_json(r, root);
}

static gw_jvalue string(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return self.type == GW_J_STR ? self : gw_jinja_str(gw_jinja_text(r, self));
}

static gw_jvalue safe(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    gw_jvalue s = gw_jinja_str(gw_jinja_text(r, self));
    s.safe = true;
    return s;
}

static gw_jvalue escape(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    gw_jvalue text = gw_jinja_str(gw_jinja_text(r, self));
    text.safe = self.type == GW_J_STR && self.safe;
    size_t begin = gw_jinja_begin(r);
    gw_jinja_put_escaped(r, text);
    gw_jvalue s = gw_jinja_end(r, begin);
    s.safe = true;
    return s;
}

static gw_jvalue forceescape(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    self = gw_jinja_str(gw_jinja_text(r, self));
    return escape(r, self, p, args);
}

static gw_jvalue format(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p;
    return gw_jinja_percent(r, gw_jinja_text(r, self), args);
}

static gw_jvalue truncate(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    gw_jvalue s = gw_jinja_str(gw_jinja_text(r, self));
    int64_t most = gw_jinja_whole_or(r, p[0], 255), leeway = gw_jinja_whole_or(r, p[3], 5);
    gw_str end = gw_jinja_is_given(p[2]) ? gw_jinja_text(r, p[2]) : GW_STR("...");
    int64_t n_end = (int64_t)gw_jinja_n_chars(end);
    if (r->status || most < n_end || leeway < 0 || leeway > INT32_MAX || most > INT32_MAX) {
        return gw_jinja_fail(r, "truncate: a length that cannot be");
    }
    if (gw_jinja_length(r, s) <= most + leeway) return s;
    gw_jvalue bounds[3] = {gw_jinja_none(), gw_jinja_int(most - n_end), gw_jinja_none()};
    gw_str cut = gw_jinja_slice(r, s, bounds).s;
    size_t space = cut.n;
    while (space > 0 && cut.text[space - 1] != ' ') space--;
    if (!gw_jinja_truth(p[1]) && space > 0) cut.n = space - 1;
    size_t begin = gw_jinja_begin(r);
    gw_jinja_put_str(r, cut);
    gw_jinja_put_str(r, end);
    return gw_jinja_end(r, begin);
}

static gw_jvalue wordcount(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    gw_str s = gw_jinja_text(r, self);
    int64_t n_words = 0;
    bool in_word = false;
    for (size_t i = 0, n = 0; i < s.n && gw_jinja_step(r, 1); i += n) {
        uint32_t c = gw_jinja_char(s, i, &n);
        bool word = c == '_' || (c >= '0' && c <= '9') || gw_jinja_is_alpha(c);
        n_words += word && !in_word;
        in_word = word;
    }
    return gw_jinja_int(n_words);
}

// --- numbers -------------------------------------------------------------------------------------

static bool parse_loosely(gw_jvalue v, double *out) {
    if (v.type == GW_J_STR) return gw_jinja_parse_float(gw_jinja_strip(v.s, NULL, true, true), out);
    return gw_jinja_number(v, out);
}

static gw_jvalue to_int(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    gw_jvalue otherwise = p[0].type == GW_J_ABSENT ? gw_jinja_int(0) : p[0];
    int64_t base = gw_jinja_whole_or(r, p[1], 10), i = 0;
    double f = 0;
    if (base != 0 && (base < 2 || base > 36)) return otherwise;
    if (self.type == GW_J_STR) {
        gw_str s = gw_jinja_strip(self.s, NULL, true, true);
        if (gw_jinja_parse_int(s, (int)base, &i)) return gw_jinja_int(i);
    } else if (gw_jinja_whole(self, &i)) {
        return gw_jinja_int(i);
    } else if (self.type == GW_J_UNDEFINED) {
        return gw_jinja_fail(r, "'%.*s' is undefined", GW_STR_ARG(self.s));
    }
    if (!parse_loosely(self, &f) || f - f != 0) return otherwise;
    f = f < 0 ? ceil(f) : floor(f);
    if (f >= 0x1p63 || f < -0x1p63) return gw_jinja_limit(r, "a whole number past 64 bits");
    return gw_jinja_int((int64_t)f);
}

static gw_jvalue to_float(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    double f = 0;
    if (self.type == GW_J_UNDEFINED) {
        return gw_jinja_fail(r, "'%.*s' is undefined", GW_STR_ARG(self.s));
    }
    if (parse_loosely(self, &f)) return gw_jinja_float(f);
    return p[0].type == GW_J_ABSENT ? gw_jinja_float(0) : p[0];
}

static gw_jvalue round_to(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    int64_t digits = gw_jinja_whole_or(r, p[0], 0), i = 0;
    gw_str method = gw_jinja_is_given(p[1]) ? gw_jinja_text(r, p[1]) : GW_STR("common");
    double f = 0, power = 1;
    if (!gw_jinja_number(self, &f) || f - f != 0 || digits < 0 || digits > 22) {
        return gw_jinja_fail(r, "round: a number and up to 22 digits are wanted");
    }
    if (gw_str_eq(method, GW_STR("common"))) {
        if (gw_jinja_whole(self, &i)) return gw_jinja_int(i);
        size_t begin = gw_jinja_begin(r);
        gw_jinja_put_fixed(r, f, (int)digits);
        gw_jinja_parse_float(gw_jinja_end(r, begin).s, &f);
        return gw_jinja_float(f);
    }
    for (int64_t k = 0; k < digits; k++) power *= 10;
    bool up = gw_str_eq(method, GW_STR("ceil"));
    if (!up && !gw_str_eq(method, GW_STR("floor"))) {
        return gw_jinja_fail(r, "round: method must be common, ceil or floor");
    }
    return gw_jinja_float((up ? ceil(f * power) : floor(f * power)) / power);
}

static gw_jvalue absolute(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    int64_t i = 0;
    if (self.type == GW_J_FLOAT) return gw_jinja_float(self.f < 0 ? -self.f : self.f);
    if (gw_jinja_whole(self, &i) && i > INT64_MIN) return gw_jinja_int(i < 0 ? -i : i);
    return gw_jinja_fail(r, "abs: a number is wanted, not %s", gw_jinja_type_name(self));
}

// --- any value -----------------------------------------------------------------------------------

static gw_jvalue length(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return gw_jinja_int(gw_jinja_length(r, self));
}

static gw_jvalue otherwise(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)r, (void)args;
    bool missing = self.type == GW_J_UNDEFINED;
    if (!missing && gw_jinja_truth(p[1])) missing = !gw_jinja_truth(self);
    if (!missing) return self;
    return p[0].type == GW_J_ABSENT ? gw_jinja_str(GW_STR("")) : p[0];
}

static gw_jvalue attribute(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    gw_str name = gw_jinja_text(r, p[0]);
    if (self.type == GW_J_DICT) return gw_jinja_undefined(name); // its items are no attributes
    return gw_jinja_attribute(r, self, name);
}

const gw_jfunction gw_jinja_text_filters[] = {
    {"trim", trim, "chars"},
    {"upper", upper, ""},
    {"lower", lower, ""},
    {"capitalize", capitalize, ""},
    {"title", title, ""},
    {"replace", replace, "!old,!new,count"},
    {"indent", indent, "width,first,blank"},
    {"tojson", tojson, "ensure_ascii,indent,separators,sort_keys"},
    {"from_json", from_json, ""},
    {"string", string, ""},
    {"safe", safe, ""},
    {"escape", escape, ""},
    {"e", escape, ""},
    {"forceescape", forceescape, ""},
    {"format", format, "*"},
    {"truncate", truncate, "length,killwords,end,leeway"},
    {"wordcount", wordcount, ""},
    {"int", to_int, "default,base"},
    {"float", to_float, "default"},
    {"round", round_to, "precision,method"},
    {"abs", absolute, ""},
    {"length", length, ""},
    {"count", length, ""},
    {"default", otherwise, "default_value,boolean"},
    {"d", otherwise, "default_value,boolean"},
    {"attr", attribute, "!name"},
    {0},
};
