// Methods of Jinja's values: what Python's strings, dicts, lists and loops answer to.
//
// Methods that change a list or dict are not here: the sandbox that chat templates are rendered in
// does not let them be called.
#include "text/jinja_impl.h"

#define METHOD(name)                                                                               \
    static gw_jvalue name(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args)

// A string argument; fails on anything else.
static gw_str wanted_text(gw_jrun *r, gw_jvalue v) {
    if (v.type == GW_J_STR) return v.s;
    gw_jinja_fail(r, "a string is wanted, not %s", gw_jinja_type_name(v));
    return GW_STR("");
}

static gw_jvalue tuple_of(gw_jrun *r, gw_str a, gw_str b, gw_str c) {
    gw_jlist *list = gw_jinja_list(r, GW_JLIST_TUPLE, 3);
    if (!list) return gw_jinja_none();
    gw_jinja_push(r, list, gw_jinja_str(a));
    gw_jinja_push(r, list, gw_jinja_str(b));
    gw_jinja_push(r, list, gw_jinja_str(c));
    return gw_jinja_of_list(list);
}

// --- strings: ends and places --------------------------------------------------------------------

static gw_jvalue stripped(gw_jrun *r, gw_jvalue self, gw_jvalue chars, bool left, bool right) {
    gw_str of = gw_jinja_is_given(chars) ? wanted_text(r, chars) : (gw_str){0};
    gw_jinja_step(r, self.s.n / 64);
    self.s = gw_jinja_strip(self.s, gw_jinja_is_given(chars) ? &of : NULL, left, right);
    return self;
}

METHOD(strip) {
    return (void)args, stripped(r, self, p[0], true, true);
}
METHOD(lstrip) {
    return (void)args, stripped(r, self, p[0], true, false);
}
METHOD(rstrip) {
    return (void)args, stripped(r, self, p[0], false, true);
}

static bool has_end(gw_str s, gw_str part, bool at_end) {
    if (part.n > s.n) return false;
    return part.n == 0 || memcmp(s.text + (at_end ? s.n - part.n : 0), part.text, part.n) == 0;
}

// The part of s that [start:end] is, and how many characters stand before it.
static gw_str window(gw_jrun *r, gw_str s, gw_jvalue start, gw_jvalue end, int64_t *out_before) {
    *out_before = 0;
    if (!gw_jinja_is_given(start) && !gw_jinja_is_given(end)) return s;
    int64_t n = (int64_t)gw_jinja_n_chars(s), from = gw_jinja_whole_or(r, start, 0),
            to = gw_jinja_whole_or(r, end, n);
    if (from < 0) from += n;
    if (to < 0) to += n;
    from = from < 0 ? 0 : from > n ? n : from;
    to = to < from ? from : to > n ? n : to;
    *out_before = from;
    size_t at[2] = {0, 0}, length = 0;
    int64_t counts[2] = {from, to - from};
    for (int k = 0; k < 2; k++) {
        if (k) at[1] = at[0];
        for (; counts[k] > 0; counts[k]--) {
            gw_jinja_char(s, at[k], &length);
            at[k] += length;
        }
    }
    return (gw_str){s.text + at[0], at[1] - at[0]};
}

static gw_jvalue has_ends(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, bool at_end) {
    int64_t before = 0;
    gw_str s = window(r, self.s, p[1], p[2], &before);
    if (p[0].type != GW_J_LIST || p[0].list->kind != GW_JLIST_TUPLE) {
        gw_str part = wanted_text(r, p[0]);
        return gw_jinja_bool(has_end(s, part, at_end));
    }
    for (size_t i = 0; i < p[0].list->n && gw_jinja_step(r, 1); i++) {
        gw_str part = wanted_text(r, p[0].list->items[i]);
        if (!r->status && has_end(s, part, at_end)) return gw_jinja_bool(true);
    }
    return gw_jinja_bool(false);
}

METHOD(startswith) {
    return (void)args, has_ends(r, self, p, false);
}
METHOD(endswith) {
    return (void)args, has_ends(r, self, p, true);
}

// The last place of part, s.n + 1: there is none.
static size_t find_last(gw_str s, gw_str part) {
    for (size_t i = part.n <= s.n ? s.n - part.n + 1 : 0; i > 0; i--) {
        if (part.n == 0 || memcmp(s.text + i - 1, part.text, part.n) == 0) return i - 1;
    }
    return s.n + 1;
}

static gw_jvalue place_of(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, bool last, bool must) {
    int64_t before = 0;
    gw_str s = window(r, self.s, p[1], p[2], &before), part = wanted_text(r, p[0]);
    gw_jinja_step(r, s.n / 64);
    size_t at = last ? find_last(s, part) : gw_jinja_find(s, part, 0);
    if (at <= s.n) {
        return gw_jinja_int(before + (int64_t)gw_jinja_n_chars((gw_str){s.text, at}));
    }
    return must ? gw_jinja_fail(r, "substring not found") : gw_jinja_int(-1);
}

METHOD(find) {
    return (void)args, place_of(r, self, p, false, false);
}
METHOD(rfind) {
    return (void)args, place_of(r, self, p, true, false);
}
METHOD(str_index) {
    return (void)args, place_of(r, self, p, false, true);
}
METHOD(last_index) {
    return (void)args, place_of(r, self, p, true, true);
}

METHOD(str_count) {
    (void)args;
    int64_t before = 0, n = 0;
    gw_str s = window(r, self.s, p[1], p[2], &before), part = wanted_text(r, p[0]);
    if (part.n == 0) return gw_jinja_int((int64_t)gw_jinja_n_chars(s) + 1);
    for (size_t i = 0; gw_jinja_step(r, 1); i += part.n, n++) {
        i = gw_jinja_find(s, part, i);
        if (i > s.n) break;
    }
    return gw_jinja_int(n);
}

// --- strings: taken apart and put together -------------------------------------------------------

static void push_text(gw_jrun *r, gw_jlist *list, const char *from, size_t n) {
    if (gw_jinja_step(r, 1 + n / 64)) gw_jinja_push(r, list, gw_jinja_str((gw_str){from, n}));
}

// At white space, runs of which are one separator.
static void split_words(gw_jrun *r, gw_str s, int64_t n_most, gw_jlist *out) {
    for (int64_t n = 0;; n++) {
        s = gw_jinja_strip(s, NULL, true, false);
        if (s.n == 0 || r->status) return;
        size_t i = 0, m = 0;
        while (i < s.n && !gw_jinja_is_space(gw_jinja_char(s, i, &m))) i += m;
        if (n == n_most) i = s.n;
        push_text(r, out, s.text, i);
        s = (gw_str){s.text + i, s.n - i};
    }
}

static void rsplit_words(gw_jrun *r, gw_str s, int64_t n_most, gw_jlist *out) {
    for (int64_t n = 0;; n++) {
        s = gw_jinja_strip(s, NULL, false, true);
        if (s.n == 0 || r->status) return;
        size_t i = s.n, m = 0;
        while (i > 0 && !gw_jinja_is_space(gw_jinja_char_before(s, i, &m))) i -= m;
        if (n == n_most) i = 0;
        push_text(r, out, s.text + i, s.n - i);
        s.n = i;
    }
}

static void turn_around(gw_jlist *list) {
    for (size_t i = 0; i < list->n / 2; i++) {
        gw_jvalue item = list->items[i];
        list->items[i] = list->items[list->n - 1 - i];
        list->items[list->n - 1 - i] = item;
    }
}

static gw_jvalue parts_of(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, bool from_right) {
    int64_t n_most = gw_jinja_whole_or(r, p[1], -1);
    gw_jlist *out = gw_jinja_list(r, GW_JLIST_LIST, 0);
    gw_str s = self.s, with = gw_jinja_is_given(p[0]) ? wanted_text(r, p[0]) : (gw_str){0};
    if (!out || r->status) return gw_jinja_none();
    if (gw_jinja_is_given(p[0]) && with.n == 0)
        return gw_jinja_fail(r, "split: an empty separator");
    if (!gw_jinja_is_given(p[0])) {
        (from_right ? rsplit_words : split_words)(r, s, n_most, out);
    } else {
        for (int64_t n = 0; n != n_most && !r->status; n++) {
            size_t at = from_right ? find_last(s, with) : gw_jinja_find(s, with, 0),
                   end = at + with.n;
            if (at > s.n) break;
            if (from_right) {
                push_text(r, out, s.text + end, s.n - end);
                s.n = at;
            } else {
                push_text(r, out, s.text, at);
                s = (gw_str){s.text + end, s.n - end};
            }
        }
        push_text(r, out, s.text, s.n);
    }
    if (from_right) turn_around(out);
    return gw_jinja_of_list(out);
}

METHOD(split) {
    return (void)args, parts_of(r, self, p, false);
}
METHOD(rsplit) {
    return (void)args, parts_of(r, self, p, true);
}

METHOD(splitlines) {
    (void)args;
    gw_jlist *out = gw_jinja_list(r, GW_JLIST_LIST, 0);
    for (size_t i = 0; out && i < self.s.n && !r->status;) {
        gw_str line = gw_jinja_next_line(self.s, &i, gw_jinja_truth(p[0]));
        push_text(r, out, line.text, line.n);
    }
    return gw_jinja_of_list(out);
}

static gw_jvalue three_parts(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, bool from_right) {
    gw_str s = self.s, with = wanted_text(r, p[0]), none = GW_STR("");
    if (with.n == 0) return gw_jinja_fail(r, "partition: an empty separator");
    size_t at = from_right ? find_last(s, with) : gw_jinja_find(s, with, 0), end = at + with.n;
    if (at > s.n) return from_right ? tuple_of(r, none, none, s) : tuple_of(r, s, none, none);
    return tuple_of(r, (gw_str){s.text, at}, with, (gw_str){s.text + end, s.n - end});
}

METHOD(partition) {
    return (void)args, three_parts(r, self, p, false);
}
METHOD(rpartition) {
    return (void)args, three_parts(r, self, p, true);
}

METHOD(join) {
    (void)args;
    const gw_jlist *list = gw_jinja_iterate(r, p[0]);
    size_t begin = gw_jinja_begin(r);
    for (size_t i = 0; list && i < list->n && gw_jinja_step(r, 1); i++) {
        if (i > 0) gw_jinja_put_str(r, self.s);
        gw_jinja_put_str(r, wanted_text(r, list->items[i]));
    }
    return gw_jinja_end(r, begin);
}

METHOD(replace) {
    (void)args;
    gw_str from = wanted_text(r, p[0]), to = wanted_text(r, p[1]);
    return gw_jinja_replace(r, self.s, from, to, gw_jinja_whole_or(r, p[2], -1));
}

METHOD(removeprefix) {
    (void)args;
    gw_str part = wanted_text(r, p[0]), s = self.s;
    if (has_end(s, part, false)) s = (gw_str){s.text + part.n, s.n - part.n};
    return gw_jinja_str(s);
}

METHOD(removesuffix) {
    (void)args;
    gw_str part = wanted_text(r, p[0]), s = self.s;
    if (has_end(s, part, true)) s.n -= part.n;
    return gw_jinja_str(s);
}

METHOD(format) {
    return (void)p, gw_jinja_format(r, self.s, args);
}

// --- strings: cases, classes, widths -------------------------------------------------------------

static gw_jvalue with_case(gw_jrun *r, gw_jvalue self, gw_jcase to) {
    size_t begin = gw_jinja_begin(r);
    gw_jinja_put_case_str(r, self.s, to);
    return gw_jinja_end(r, begin);
}

METHOD(upper) {
    return (void)p, (void)args, with_case(r, self, GW_JCASE_UPPER);
}
METHOD(lower) {
    return (void)p, (void)args, with_case(r, self, GW_JCASE_LOWER);
}
METHOD(capitalize) {
    return (void)p, (void)args, with_case(r, self, GW_JCASE_TITLE);
}

// Python's: every letter behind another character begins a word.
METHOD(title) {
    (void)p, (void)args;
    size_t begin = gw_jinja_begin(r);
    bool in_word = false;
    for (size_t i = 0, n = 0; i < self.s.n && gw_jinja_step(r, 1); i += n) {
        uint32_t c = gw_jinja_char(self.s, i, &n);
        bool letter = gw_jinja_is_alpha(c);
        if (in_word && gw_jinja_ends_in_sigma(self.s, i, n)) {
            gw_jinja_put_str(r, GW_STR("\xCF\x82"));
        } else {
            gw_jinja_put_case(r, c, in_word ? GW_JCASE_LOWER : GW_JCASE_TITLE);
        }
        in_word = letter;
    }
    return gw_jinja_end(r, begin);
}

// Whether a character becomes another one.
static bool changes(gw_jrun *r, gw_str c, gw_jcase to) {
    size_t begin = gw_jinja_begin(r), n = 0;
    gw_jinja_put_case(r, gw_jinja_char(c, 0, &n), to);
    return !gw_str_eq(gw_jinja_end(r, begin).s, c);
}

METHOD(swapcase) {
    (void)p, (void)args;
    size_t begin = gw_jinja_begin(r);
    for (size_t i = 0, n = 0; i < self.s.n && gw_jinja_step(r, 1); i += n) {
        uint32_t c = gw_jinja_char(self.s, i, &n);
        bool capital = changes(r, (gw_str){self.s.text + i, n}, GW_JCASE_LOWER);
        gw_jinja_put_case(r, c, capital ? GW_JCASE_LOWER : GW_JCASE_UPPER);
    }
    return gw_jinja_end(r, begin);
}

static bool is_digit(uint32_t c) {
    return (c >= '0' && c <= '9') || c == 0xb2 || c == 0xb3 || c == 0xb9 ||
           (c >= 0x660 && c <= 0x669) || (c >= 0x966 && c <= 0x96f) || (c >= 0xff10 && c <= 0xff19);
}

static bool is_alnum(uint32_t c) {
    return is_digit(c) || gw_jinja_is_alpha(c);
}

static gw_jvalue all_case(gw_jrun *r, gw_jvalue self, gw_jcase wanted, gw_jcase other) {
    bool any = false;
    for (size_t i = 0, n = 0; i < self.s.n && gw_jinja_step(r, 1); i += n) {
        gw_jinja_char(self.s, i, &n);
        gw_str c = {self.s.text + i, n};
        if (changes(r, c, wanted)) return gw_jinja_bool(false);
        any |= changes(r, c, other);
    }
    return gw_jinja_bool(any);
}

METHOD(all_lower) {
    return (void)p, (void)args, all_case(r, self, GW_JCASE_LOWER, GW_JCASE_UPPER);
}
METHOD(all_upper) {
    return (void)p, (void)args, all_case(r, self, GW_JCASE_UPPER, GW_JCASE_LOWER);
}

static gw_jvalue all_are(gw_jrun *r, gw_str s, bool (*is)(uint32_t)) {
    for (size_t i = 0, n = 0; i < s.n && gw_jinja_step(r, 1); i += n) {
        if (!is(gw_jinja_char(s, i, &n))) return gw_jinja_bool(false);
    }
    return gw_jinja_bool(s.n > 0);
}

METHOD(all_digit) {
    return (void)p, (void)args, all_are(r, self.s, is_digit);
}
METHOD(all_alpha) {
    return (void)p, (void)args, all_are(r, self.s, gw_jinja_is_alpha);
}
METHOD(all_alnum) {
    return (void)p, (void)args, all_are(r, self.s, is_alnum);
}
METHOD(all_space) {
    return (void)p, (void)args, all_are(r, self.s, gw_jinja_is_space);
}

static gw_jvalue padded(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, int side) {
    int64_t width = gw_jinja_whole_or(r, p[0], 80), n = (int64_t)gw_jinja_n_chars(self.s);
    gw_str fill = gw_jinja_is_given(p[1]) ? wanted_text(r, p[1]) : GW_STR(" ");
    if (gw_jinja_n_chars(fill) != 1) return gw_jinja_fail(r, "the fill is one character");
    int64_t more = width > n ? width - n : 0;
    // Python's str.center puts the odd one left where the width is odd.
    int64_t left = side < 0 ? 0 : side > 0 ? more : more / 2 + (more & width & 1);
    size_t begin = gw_jinja_begin(r);
    for (int64_t i = 0; i < left && gw_jinja_step(r, 1); i++) gw_jinja_put_str(r, fill);
    gw_jinja_put_str(r, self.s);
    for (int64_t i = left; i < more && gw_jinja_step(r, 1); i++) gw_jinja_put_str(r, fill);
    return gw_jinja_end(r, begin);
}

METHOD(ljust) {
    return (void)args, padded(r, self, p, -1);
}
METHOD(rjust) {
    return (void)args, padded(r, self, p, 1);
}
METHOD(center) {
    return (void)args, padded(r, self, p, 0);
}

METHOD(zfill) {
    (void)args;
    gw_str s = self.s;
    int64_t more = gw_jinja_whole_or(r, p[0], 0) - (int64_t)gw_jinja_n_chars(s);
    size_t begin = gw_jinja_begin(r), n_sign = s.n > 0 && (s.text[0] == '-' || s.text[0] == '+');
    gw_jinja_put(r, s.text, n_sign);
    for (; more > 0 && gw_jinja_step(r, 1); more--) gw_jinja_put_str(r, GW_STR("0"));
    gw_jinja_put(r, s.text + n_sign, s.n - n_sign);
    return gw_jinja_end(r, begin);
}

static const gw_jfunction str_methods[] = {
    {"strip", strip, "chars"},
    {"lstrip", lstrip, "chars"},
    {"rstrip", rstrip, "chars"},
    {"startswith", startswith, "!prefix,start,end"},
    {"endswith", endswith, "!suffix,start,end"},
    {"find", find, "!sub,start,end"},
    {"rfind", rfind, "!sub,start,end"},
    {"index", str_index, "!sub,start,end"},
    {"rindex", last_index, "!sub,start,end"},
    {"count", str_count, "!sub,start,end"},
    {"split", split, "sep,maxsplit"},
    {"rsplit", rsplit, "sep,maxsplit"},
    {"splitlines", splitlines, "keepends"},
    {"partition", partition, "!sep"},
    {"rpartition", rpartition, "!sep"},
    {"join", join, "!iterable"},
    {"replace", replace, "!old,!new,count"},
    {"removeprefix", removeprefix, "!prefix"},
    {"removesuffix", removesuffix, "!suffix"},
    {"format", format, "*"},
    {"upper", upper, ""},
    {"lower", lower, ""},
    {"casefold", lower, ""},
    {"swapcase", swapcase, ""},
    {"capitalize", capitalize, ""},
    {"title", title, ""},
    {"islower", all_lower, ""},
    {"isupper", all_upper, ""},
    {"isdigit", all_digit, ""},
    {"isdecimal", all_digit, ""},
    {"isnumeric", all_digit, ""},
    {"isalpha", all_alpha, ""},
    {"isalnum", all_alnum, ""},
    {"isspace", all_space, ""},
    {"ljust", ljust, "!width,fillchar"},
    {"rjust", rjust, "!width,fillchar"},
    {"center", center, "!width,fillchar"},
    {"zfill", zfill, "!width"},
    {0},
};

// --- dicts, lists, loops -------------------------------------------------------------------------

METHOD(get) {
    (void)args;
    const gw_jvalue *found = gw_jinja_dict_get(r, self.dict, p[0]);
    if (found) return *found;
    return p[1].type == GW_J_ABSENT ? gw_jinja_none() : p[1];
}

static gw_jvalue view_of(gw_jrun *r, gw_jvalue self, bool keys, bool values) {
    gw_jlist *view = gw_jinja_list(r, GW_JLIST_VIEW, self.dict->n);
    for (size_t i = 0; view && i < self.dict->n && gw_jinja_step(r, 1); i++) {
        gw_jentry entry = self.dict->items[i];
        gw_jinja_push(r, view,
                      keys && values ? gw_jinja_pair(r, entry.key, entry.value)
                      : keys         ? entry.key
                                     : entry.value);
    }
    return gw_jinja_of_list(view);
}

METHOD(items) {
    return (void)p, (void)args, view_of(r, self, true, true);
}
METHOD(keys) {
    return (void)p, (void)args, view_of(r, self, true, false);
}
METHOD(values) {
    return (void)p, (void)args, view_of(r, self, false, true);
}
METHOD(copy) {
    return (void)r, (void)p, (void)args, self;
} // nothing can change it

METHOD(list_index) {
    (void)args;
    for (size_t i = 0; i < self.list->n && !r->status; i++) {
        if (gw_jinja_equal(r, self.list->items[i], p[0])) return gw_jinja_int((int64_t)i);
    }
    return gw_jinja_fail(r, "index: the item is not in the list");
}

METHOD(list_count) {
    (void)args;
    int64_t n = 0;
    for (size_t i = 0; i < self.list->n && !r->status; i++) {
        n += gw_jinja_equal(r, self.list->items[i], p[0]);
    }
    return gw_jinja_int(n);
}

METHOD(cycle) {
    (void)p;
    if (args->n == 0) return gw_jinja_fail(r, "cycle: no items");
    return args->items[self.loop->i % args->n];
}

METHOD(changed) {
    (void)p;
    gw_jlist *now = gw_jinja_list(r, GW_JLIST_TUPLE, args->n);
    for (size_t i = 0; now && i < args->n; i++) gw_jinja_push(r, now, args->items[i]);
    gw_jvalue before = self.loop->changed;
    self.loop->changed = gw_jinja_of_list(now);
    return gw_jinja_bool(before.type == GW_J_ABSENT ||
                         !gw_jinja_equal(r, before, self.loop->changed));
}

static const gw_jfunction dict_methods[] = {
    {"get", get, "!key,default"}, {"items", items, ""}, {"keys", keys, ""},
    {"values", values, ""},       {"copy", copy, ""},   {0},
};

static const gw_jfunction list_methods[] = {
    {"index", list_index, "!value"},
    {"count", list_count, "!value"},
    {"copy", copy, ""},
    {0},
};

static const gw_jfunction loop_methods[] = {
    {"cycle", cycle, "*"},
    {"changed", changed, "*"},
    {0},
};

const gw_jfunction *gw_jinja_method(gw_jvalue self, gw_str name) {
    const gw_jfunction *table = NULL;
    if (self.type == GW_J_STR) table = str_methods;
    if (self.type == GW_J_DICT) table = dict_methods;
    if (self.type == GW_J_LIST && self.list->kind <= GW_JLIST_RANGE) table = list_methods;
    if (self.type == GW_J_LOOP) table = loop_methods;
    return table ? gw_jinja_find_function(table, name) : NULL;
}
