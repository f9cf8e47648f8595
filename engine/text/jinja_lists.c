// Jinja's filters of lists, and its tests.
#include "base/sort.h"
#include "text/jinja_impl.h"

// --- attributes by "a.b.0" -----------------------------------------------------------------------

static gw_jvalue path_of(gw_jrun *r, gw_jvalue item, gw_jvalue path, gw_jvalue otherwise) {
    if (path.type != GW_J_STR) {
        item = gw_jinja_item(r, item, path);
        return item.type == GW_J_UNDEFINED && gw_jinja_is_given(otherwise) ? otherwise : item;
    }
    for (size_t i = 0; i <= path.s.n && !r->status;) {
        size_t end = i;
        int64_t index = 0;
        while (end < path.s.n && path.s.text[end] != '.') end++;
        gw_str part = {path.s.text + i, end - i};
        gw_jvalue key = gw_jinja_str(part);
        if (part.n > 0 && part.text[0] >= '0' && part.text[0] <= '9' &&
            gw_jinja_parse_int(part, 10, &index)) {
            key = gw_jinja_int(index);
        }
        item = gw_jinja_item(r, item, key);
        if (item.type == GW_J_UNDEFINED && gw_jinja_is_given(otherwise)) item = otherwise;
        i = end + 1;
    }
    return item;
}

static gw_jvalue attribute_of(gw_jrun *r, gw_jvalue item, gw_jvalue path) {
    return gw_jinja_is_given(path) ? path_of(r, item, path, gw_jinja_none()) : item;
}

// What an item is ordered by: case does not count, unless it is said to.
static gw_jvalue order_key(gw_jrun *r, gw_jvalue item, gw_jvalue path, gw_jvalue case_sensitive) {
    gw_jvalue key = attribute_of(r, item, path);
    if (key.type != GW_J_STR || gw_jinja_truth(case_sensitive)) return key;
    size_t begin = gw_jinja_begin(r);
    gw_jinja_put_case_str(r, key.s, GW_JCASE_LOWER);
    return gw_jinja_end(r, begin);
}

// --- order ---------------------------------------------------------------------------------------

typedef struct sorted {
    gw_jrun *r;
    bool reverse;
    size_t i;
    gw_jvalue key, item;
} sorted;

static int compare_sorted(const void *a, const void *b, const void *user) {
    const sorted *x = a, *y = b;
    (void)user;
    int order = gw_jinja_compare(x->r, x->key, y->key);
    if (order == 0) return (x->i > y->i) - (x->i < y->i);
    return x->reverse ? -order : order;
}

static gw_jvalue sort_items(gw_jrun *r, const gw_jlist *list, gw_jvalue path,
                            gw_jvalue case_sensitive, bool reverse) {
    sorted *items = list ? gw_jinja_alloc(r, list->n + 1, sizeof *items) : NULL;
    gw_jlist *out = items ? gw_jinja_list(r, GW_JLIST_LIST, list->n) : NULL;
    if (!out) return gw_jinja_none();
    for (size_t i = 0; i < list->n && !r->status; i++) {
        gw_jvalue key = order_key(r, list->items[i], path, case_sensitive);
        items[i] = (sorted){r, reverse, i, key, list->items[i]};
    }
    if (!r->status) gw_sort(items, list->n, sizeof *items, compare_sorted, NULL);
    for (size_t i = 0; i < list->n && !r->status; i++) gw_jinja_push(r, out, items[i].item);
    return gw_jinja_of_list(out);
}

static gw_jvalue sort(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return sort_items(r, gw_jinja_iterate(r, self), p[2], p[1], gw_jinja_truth(p[0]));
}

static gw_jlist *pairs_of(gw_jrun *r, gw_jvalue v, gw_jlist_kind kind) {
    if (v.type != GW_J_DICT) {
        gw_jinja_fail(r, "a mapping is wanted, not %s", gw_jinja_type_name(v));
        return NULL;
    }
    gw_jlist *pairs = gw_jinja_list(r, kind, v.dict->n);
    for (size_t i = 0; pairs && i < v.dict->n && !r->status; i++) {
        gw_jinja_push(r, pairs, gw_jinja_pair(r, v.dict->items[i].key, v.dict->items[i].value));
    }
    return pairs;
}

static gw_jvalue dictsort(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    bool by_value = p[1].type == GW_J_STR && gw_str_eq(p[1].s, GW_STR("value"));
    return sort_items(r, pairs_of(r, self, GW_JLIST_LIST), gw_jinja_int(by_value), p[0],
                      gw_jinja_truth(p[2]));
}

static gw_jvalue items(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    if (self.type == GW_J_UNDEFINED) {
        return gw_jinja_of_list(gw_jinja_list(r, GW_JLIST_GENERATOR, 0));
    }
    return gw_jinja_of_list(pairs_of(r, self, GW_JLIST_GENERATOR));
}

static gw_jvalue unique(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    const gw_jlist *list = gw_jinja_iterate(r, self);
    gw_jlist *out = gw_jinja_list(r, GW_JLIST_GENERATOR, 0);
    gw_jdict *seen = gw_jinja_dict(r);
    for (size_t i = 0; list && out && seen && i < list->n && !r->status; i++) {
        gw_jvalue key = order_key(r, list->items[i], p[1], p[0]);
        if (gw_jinja_dict_get(r, seen, key)) continue;
        gw_jinja_dict_set(r, seen, key, gw_jinja_none());
        gw_jinja_push(r, out, list->items[i]);
    }
    return gw_jinja_of_list(out);
}

// The least or greatest, the first of several.
static gw_jvalue extreme(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, int sign) {
    const gw_jlist *list = gw_jinja_iterate(r, self);
    gw_jvalue best = gw_jinja_undefined(GW_STR("item")), best_key = best;
    for (size_t i = 0; list && i < list->n && !r->status; i++) {
        gw_jvalue key = order_key(r, list->items[i], p[1], p[0]);
        if (i > 0 && sign * gw_jinja_compare(r, key, best_key) <= 0) continue;
        best = list->items[i];
        best_key = key;
    }
    return best;
}

static gw_jvalue least(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return extreme(r, self, p, -1);
}

static gw_jvalue greatest(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return extreme(r, self, p, 1);
}

static gw_jvalue reverse(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    gw_jvalue bounds[3] = {gw_jinja_none(), gw_jinja_none(), gw_jinja_int(-1)};
    if (self.type == GW_J_STR) return gw_jinja_slice(r, self, bounds);
    gw_jlist *list = gw_jinja_iterate(r, self);
    if (!list) return gw_jinja_none();
    gw_jlist *out = gw_jinja_list(r, GW_JLIST_GENERATOR, list->n);
    for (size_t i = list->n; out && i > 0; i--) gw_jinja_push(r, out, list->items[i - 1]);
    return gw_jinja_of_list(out);
}

// --- items ---------------------------------------------------------------------------------------

static gw_jvalue list_of(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    const gw_jlist *list = gw_jinja_iterate(r, self);
    gw_jlist *out = list ? gw_jinja_list(r, GW_JLIST_LIST, list->n) : NULL;
    for (size_t i = 0; out && i < list->n && gw_jinja_step(r, 1); i++) {
        gw_jinja_push(r, out, list->items[i]);
    }
    return gw_jinja_of_list(out);
}

static gw_jvalue first(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    const gw_jlist *list = gw_jinja_iterate(r, self);
    return list && list->n > 0 ? list->items[0] : gw_jinja_undefined(GW_STR("first item"));
}

static gw_jvalue last(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    if (self.type == GW_J_LIST && self.list->kind == GW_JLIST_GENERATOR) {
        return gw_jinja_fail(r, "last: a generator has no end to begin at");
    }
    const gw_jlist *list = gw_jinja_iterate(r, self);
    return list && list->n > 0 ? list->items[list->n - 1] : gw_jinja_undefined(GW_STR("last item"));
}

static gw_jvalue join(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    gw_str with = gw_jinja_is_given(p[0]) ? gw_jinja_text(r, p[0]) : GW_STR("");
    const gw_jlist *list = gw_jinja_iterate(r, self);
    size_t begin = gw_jinja_begin(r);
    for (size_t i = 0; list && i < list->n && gw_jinja_step(r, 1); i++) {
        gw_jvalue item = attribute_of(r, list->items[i], p[1]);
        if (i > 0) gw_jinja_put_str(r, with);
        gw_jinja_print(r, item);
    }
    return gw_jinja_end(r, begin);
}

static gw_jvalue sum(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    const gw_jlist *list = gw_jinja_iterate(r, self);
    gw_jvalue total = p[1].type == GW_J_ABSENT ? gw_jinja_int(0) : p[1];
    for (size_t i = 0; list && i < list->n && gw_jinja_step(r, 1); i++) {
        total = gw_jinja_binary(r, '+', total, attribute_of(r, list->items[i], p[0]));
    }
    return total;
}

static gw_jvalue batch(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    const gw_jlist *list = gw_jinja_iterate(r, self);
    gw_jlist *out = gw_jinja_list(r, GW_JLIST_GENERATOR, 0), *part = NULL;
    int64_t n = 0;
    if (!gw_jinja_whole(p[0], &n) || n < 1 || n > GW_JINJA_MAX_RANGE) {
        return gw_jinja_fail(r, "batch: a number of items is wanted");
    }
    for (size_t i = 0; list && out && i < list->n && gw_jinja_step(r, 1); i++) {
        if (i % (size_t)n == 0) {
            part = gw_jinja_list(r, GW_JLIST_LIST, 0);
            if (part) gw_jinja_push(r, out, gw_jinja_of_list(part));
        }
        if (part) gw_jinja_push(r, part, list->items[i]);
    }
    while (part && gw_jinja_is_given(p[1]) && part->n < (size_t)n && gw_jinja_step(r, 1)) {
        gw_jinja_push(r, part, p[1]);
    }
    return gw_jinja_of_list(out);
}

// --- choosing ------------------------------------------------------------------------------------

static gw_jvalue map(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p;
    gw_jvalue path = {.type = GW_J_ABSENT}, otherwise = {.type = GW_J_ABSENT};
    if (args->n == 0) {
        for (size_t i = 0; i < args->n_keywords; i++) {
            gw_jentry k = args->keywords[i];
            if (gw_str_eq(k.key.s, GW_STR("attribute"))) path = k.value;
            if (gw_str_eq(k.key.s, GW_STR("default"))) otherwise = k.value;
        }
    }
    if (args->n == 0 ? path.type == GW_J_ABSENT : args->items[0].type != GW_J_STR) {
        return gw_jinja_fail(r, "map: a filter's name or attribute= is wanted");
    }
    const gw_jlist *list = gw_jinja_iterate(r, self);
    gw_jlist *out = list ? gw_jinja_list(r, GW_JLIST_GENERATOR, list->n) : NULL;
    gw_jargs rest = *args;
    if (rest.n > 0) {
        rest.items++;
        rest.n--;
    }
    for (size_t i = 0; out && i < list->n && gw_jinja_step(r, 1); i++) {
        gw_jvalue item = list->items[i];
        item = args->n == 0 ? path_of(r, item, path, otherwise)
                            : gw_jinja_filter(r, args->items[0].s, item, &rest);
        gw_jinja_push(r, out, item);
    }
    return gw_jinja_of_list(out);
}

// Items for which a test holds, or does not; by_attribute: of the attribute named first.
static gw_jvalue choose(gw_jrun *r, gw_jvalue self, gw_jargs args, bool wanted, bool by_attribute) {
    gw_jvalue path = {.type = GW_J_ABSENT}, name = {.type = GW_J_ABSENT};
    if (by_attribute && args.n > 0) {
        path = *args.items++;
        args.n--;
    }
    if (args.n > 0) {
        name = *args.items++;
        args.n--;
    }
    if ((by_attribute && path.type == GW_J_ABSENT) ||
        (name.type != GW_J_ABSENT && name.type != GW_J_STR)) {
        return gw_jinja_fail(r, "select: a test's name, for attributes behind theirs, is wanted");
    }
    const gw_jlist *list = gw_jinja_iterate(r, self);
    gw_jlist *out = list ? gw_jinja_list(r, GW_JLIST_GENERATOR, 0) : NULL;
    for (size_t i = 0; out && i < list->n && gw_jinja_step(r, 1); i++) {
        gw_jvalue item = attribute_of(r, list->items[i], path);
        if (r->status) break;
        bool holds =
            name.type == GW_J_STR ? gw_jinja_test(r, name.s, item, &args) : gw_jinja_truth(item);
        if (holds == wanted) gw_jinja_push(r, out, list->items[i]);
    }
    return gw_jinja_of_list(out);
}

static gw_jvalue select_items(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,
                              const gw_jargs *args) {
    (void)p;
    return choose(r, self, *args, true, false);
}

static gw_jvalue reject_items(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,
                              const gw_jargs *args) {
    (void)p;
    return choose(r, self, *args, false, false);
}

static gw_jvalue selectattr(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p;
    return choose(r, self, *args, true, true);
}

static gw_jvalue rejectattr(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p;
    return choose(r, self, *args, false, true);
}

const gw_jfunction gw_jinja_list_filters[] = {
    {"list", list_of, ""},
    {"first", first, ""},
    {"last", last, ""},
    {"join", join, "d,attribute"},
    {"items", items, ""},
    {"dictsort", dictsort, "case_sensitive,by,reverse"},
    {"sort", sort, "reverse,case_sensitive,attribute"},
    {"unique", unique, "case_sensitive,attribute"},
    {"reverse", reverse, ""},
    {"min", least, "case_sensitive,attribute"},
    {"max", greatest, "case_sensitive,attribute"},
    {"sum", sum, "attribute,start"},
    {"batch", batch, "!linecount,fill_with"},
    {"map", map, "*"},
    {"select", select_items, "*"},
    {"reject", reject_items, "*"},
    {"selectattr", selectattr, "*"},
    {"rejectattr", rejectattr, "*"},
    {0},
};
