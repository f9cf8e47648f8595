// Values of Jinja: Python's, as far as templates see them. Memory, lists, dicts, looking into them.
#include "text/jinja_impl.h"

#include <stdarg.h>
#include <stdio.h>

enum { FEW_ENTRIES = 8, TEXT_BYTES_A_STEP = 64 };

// --- failing and bounds --------------------------------------------------------------------------

gw_jvalue gw_jinja_fail(gw_jrun *r, const char *format, ...) {
    if (r->status == GODWIT_OK) {
        char what[400];
        va_list args;
        va_start(args, format);
        vsnprintf(what, sizeof what, format, args);
        va_end(args);
        r->status = gw_fail(r->err, GODWIT_INVALID_ARGUMENT, "template line %u: %s", r->line, what);
    }
    return gw_jinja_undefined(GW_STR("failed"));
}

gw_jvalue gw_jinja_limit(gw_jrun *r, const char *what) {
    if (r->status == GODWIT_OK) {
        r->status = gw_fail(r->err, GODWIT_UNSUPPORTED, "template line %u: %s", r->line, what);
    }
    return gw_jinja_undefined(GW_STR("failed"));
}

void *gw_jinja_alloc(gw_jrun *r, size_t n_items, size_t item_bytes) {
    size_t bytes = 0;
    if (r->status) return NULL;
    if (__builtin_mul_overflow(n_items, item_bytes, &bytes) || bytes > GW_JINJA_MAX_MEMORY ||
        (r->n_bytes += bytes + 16) > GW_JINJA_MAX_MEMORY) {
        gw_jinja_limit(r, "it takes more memory than a template may");
        return NULL;
    }
    void *memory = gw_arena_alloc(&r->arena, n_items, item_bytes);
    if (!memory) {
        r->status = gw_fail(r->err, GODWIT_OUT_OF_MEMORY, "out of host memory: rendering");
    }
    return memory;
}

bool gw_jinja_step(gw_jrun *r, size_t n) {
    r->n_steps += n;
    if (r->n_steps > GW_JINJA_MAX_STEPS)
        gw_jinja_limit(r, "it takes more steps than a template may");
    return r->status == GODWIT_OK;
}

bool gw_jinja_deeper(gw_jrun *r) {
    r->depth++;
    if (r->depth > GW_JINJA_MAX_DEPTH) gw_jinja_limit(r, "nested deeper than a template may");
    return r->status == GODWIT_OK;
}

// --- lists and dicts -----------------------------------------------------------------------------

gw_jlist *gw_jinja_list(gw_jrun *r, gw_jlist_kind kind, size_t cap) {
    gw_jlist *list = gw_jinja_alloc(r, 1, sizeof *list);
    if (!list) return NULL;
    list->kind = kind;
    list->items = gw_jinja_alloc(r, cap > 0 ? cap : 1, sizeof *list->items);
    list->cap = cap > 0 ? cap : 1;
    return list->items ? list : NULL;
}

void gw_jinja_push(gw_jrun *r, gw_jlist *list, gw_jvalue item) {
    if (r->status) return;
    if (list->n == list->cap) {
        gw_jvalue *items = gw_jinja_alloc(r, list->cap * 2 + 2, sizeof *items);
        if (!items) return;
        memcpy(items, list->items, list->n * sizeof *items);
        list->items = items;
        list->cap = list->cap * 2 + 2;
    }
    list->items[list->n++] = item;
}

gw_jvalue gw_jinja_of_list(gw_jlist *list) {
    if (!list) return gw_jinja_none();
    return (gw_jvalue){.type = GW_J_LIST, .list = list};
}

gw_jvalue gw_jinja_pair(gw_jrun *r, gw_jvalue a, gw_jvalue b) {
    gw_jlist *list = gw_jinja_list(r, GW_JLIST_TUPLE, 2);
    if (!list) return gw_jinja_none();
    gw_jinja_push(r, list, a);
    gw_jinja_push(r, list, b);
    return gw_jinja_of_list(list);
}

gw_jdict *gw_jinja_dict(gw_jrun *r) {
    return gw_jinja_alloc(r, 1, sizeof(gw_jdict));
}

// Numbers that are equal have one hash: 1, 1.0 and true.
static uint64_t hash_of(gw_jrun *r, gw_jvalue key) {
    uint64_t hash = 0xcbf29ce484222325u ^ (uint64_t)key.type;
    double f = 0;
    if (key.type == GW_J_STR) {
        for (size_t i = 0; i < key.s.n; i++)
            hash = (hash ^ (uint8_t)key.s.text[i]) * 0x100000001b3u;
        gw_jinja_step(r, key.s.n / TEXT_BYTES_A_STEP);
    } else if (gw_jinja_number(key, &f)) {
        f += 0.0; // of -0 the hash of 0
        memcpy(&hash, &f, sizeof hash);
    } else if (key.type == GW_J_LIST && key.list->kind == GW_JLIST_TUPLE && gw_jinja_deeper(r)) {
        for (size_t i = 0; i < key.list->n; i++) {
            hash = hash * 31 + hash_of(r, key.list->items[i]);
        }
        r->depth--;
    } else if (key.type == GW_J_LIST || key.type == GW_J_DICT) {
        gw_jinja_fail(r, "unhashable type: '%s'", gw_jinja_type_name(key));
    }
    return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u >> 20;
}

// The number of the entry, dict->n: there is none. *out_slot: where it is or would be.
static size_t find_entry(gw_jrun *r, const gw_jdict *dict, gw_jvalue key, size_t *out_slot) {
    *out_slot = 0;
    if (!dict->slots) {
        size_t i = 0;
        if (key.type == GW_J_LIST || key.type == GW_J_DICT) hash_of(r, key);
        while (i < dict->n && !gw_jinja_equal(r, dict->items[i].key, key)) i++;
        return i;
    }
    size_t slot = (size_t)hash_of(r, key) & (dict->n_slots - 1);
    while (dict->slots[slot] != 0 && gw_jinja_step(r, 1)) {
        if (gw_jinja_equal(r, dict->items[dict->slots[slot] - 1].key, key)) {
            return dict->slots[slot] - 1;
        }
        slot = (slot + 1) & (dict->n_slots - 1);
    }
    *out_slot = slot;
    return dict->n;
}

static bool grow_dict(gw_jrun *r, gw_jdict *dict) {
    size_t cap = dict->cap ? dict->cap * 2 : FEW_ENTRIES, slot = 0;
    gw_jentry *items = gw_jinja_alloc(r, cap, sizeof *items);
    uint32_t *slots = cap > FEW_ENTRIES ? gw_jinja_alloc(r, cap * 2, sizeof *slots) : NULL;
    if (r->status) return false;
    if (dict->n > 0) memcpy(items, dict->items, dict->n * sizeof *items);
    size_t n = dict->n;
    *dict = (gw_jdict){.items = items, .n = n, .cap = cap, .slots = slots, .n_slots = cap * 2};
    for (size_t i = 0; slots && i < n; i++) {
        find_entry(r, dict, items[i].key, &slot);
        slots[slot] = (uint32_t)i + 1;
    }
    return r->status == GODWIT_OK;
}

void gw_jinja_dict_set(gw_jrun *r, gw_jdict *dict, gw_jvalue key, gw_jvalue value) {
    size_t slot = 0;
    if (r->status) return;
    size_t i = find_entry(r, dict, key, &slot);
    if (i == dict->n && dict->n == dict->cap) {
        if (!grow_dict(r, dict)) return;
        i = find_entry(r, dict, key, &slot);
    }
    if (r->status) return;
    if (i < dict->n) {
        dict->items[i].value = value;
        return;
    }
    dict->items[dict->n++] = (gw_jentry){key, value};
    if (dict->slots) dict->slots[slot] = (uint32_t)dict->n;
}

const gw_jvalue *gw_jinja_dict_get(gw_jrun *r, const gw_jdict *dict, gw_jvalue key) {
    size_t slot = 0, i = find_entry(r, dict, key, &slot);
    return i < dict->n && !r->status ? &dict->items[i].value : NULL;
}

static gw_jvalue number_of_json(gw_jrun *r, gw_str text) {
    int64_t i = 0;
    double f = 0;
    if (gw_jinja_parse_int(text, 10, &i)) return gw_jinja_int(i);
    if (gw_jinja_parse_float(text, &f)) return gw_jinja_float(f);
    return gw_jinja_limit(r, "a number of too many digits");
}

gw_jvalue gw_jinja_of_json(gw_jrun *r, const gw_json *json) {
    gw_jvalue value = {.type = GW_J_NONE};
    if (!gw_jinja_step(r, 1) || !json) return value;
    switch (json->type) {
    case GW_JSON_NULL:
        break;
    case GW_JSON_BOOL:
        return gw_jinja_bool(json->is_true);
    case GW_JSON_NUMBER:
        return number_of_json(r, json->text);
    case GW_JSON_STRING:
        return gw_jinja_str(json->text);
    case GW_JSON_ARRAY:
        value = gw_jinja_of_list(gw_jinja_list(r, GW_JLIST_LIST, json->n));
        for (const gw_json *item = json->first; item && !r->status; item = item->next) {
            gw_jinja_push(r, value.list, gw_jinja_of_json(r, item));
        }
        break;
    case GW_JSON_OBJECT:
        value = (gw_jvalue){.type = GW_J_DICT, .dict = gw_jinja_dict(r)};
        for (const gw_json *item = json->first; item && !r->status; item = item->next) {
            gw_jinja_dict_set(r, value.dict, gw_jinja_str(item->key), gw_jinja_of_json(r, item));
        }
        break;
    }
    return value;
}

// --- comparing -----------------------------------------------------------------------------------

const char *gw_jinja_type_name(gw_jvalue v) {
    static const char *const lists[] = {"list", "tuple", "range", "dict view", "generator"};
    static const char *const names[] = {
        [GW_J_ABSENT] = "nothing",    [GW_J_UNDEFINED] = "Undefined",
        [GW_J_NONE] = "NoneType",     [GW_J_BOOL] = "bool",
        [GW_J_INT] = "int",           [GW_J_FLOAT] = "float",
        [GW_J_STR] = "str",           [GW_J_LIST] = "list",
        [GW_J_DICT] = "dict",         [GW_J_NAMESPACE] = "Namespace",
        [GW_J_LOOP] = "LoopContext",  [GW_J_MACRO] = "Macro",
        [GW_J_FUNCTION] = "function", [GW_J_METHOD] = "method",
    };
    return v.type == GW_J_LIST ? lists[v.list->kind] : names[v.type];
}

bool gw_jinja_truth(gw_jvalue v) {
    switch (v.type) {
    case GW_J_ABSENT:
    case GW_J_UNDEFINED:
    case GW_J_NONE:
        return false;
    case GW_J_BOOL:
        return v.b;
    case GW_J_INT:
        return v.i != 0;
    case GW_J_FLOAT:
        return v.f != 0;
    case GW_J_STR:
        return v.s.n > 0;
    case GW_J_LIST:
        return v.list->kind == GW_JLIST_GENERATOR || v.list->n > 0;
    case GW_J_DICT:
        return v.dict->n > 0;
    default:
        return true;
    }
}

static bool equal_lists(gw_jrun *r, const gw_jlist *a, const gw_jlist *b) {
    if (a == b) return true;
    if (a->kind != b->kind || a->kind >= GW_JLIST_VIEW || a->n != b->n) return false;
    bool equal = gw_jinja_deeper(r);
    for (size_t i = 0; equal && i < a->n; i++) equal = gw_jinja_equal(r, a->items[i], b->items[i]);
    r->depth--;
    return equal;
}

static bool equal_dicts(gw_jrun *r, const gw_jdict *a, const gw_jdict *b) {
    if (a == b) return true;
    if (a->n != b->n) return false;
    bool equal = gw_jinja_deeper(r);
    for (size_t i = 0; equal && i < a->n; i++) {
        const gw_jvalue *other = gw_jinja_dict_get(r, b, a->items[i].key);
        equal = other && gw_jinja_equal(r, a->items[i].value, *other);
    }
    r->depth--;
    return equal;
}

bool gw_jinja_equal(gw_jrun *r, gw_jvalue a, gw_jvalue b) {
    int64_t i = 0, j = 0;
    double f = 0, g = 0;
    if (!gw_jinja_step(r, 1)) return false;
    if (gw_jinja_whole(a, &i) && gw_jinja_whole(b, &j)) return i == j;
    if (gw_jinja_number(a, &f) && gw_jinja_number(b, &g)) return f == g;
    if (a.type != b.type) return false;
    switch (a.type) {
    case GW_J_STR:
        return gw_jinja_step(r, a.s.n / TEXT_BYTES_A_STEP) && gw_str_eq(a.s, b.s);
    case GW_J_LIST:
        return equal_lists(r, a.list, b.list);
    case GW_J_DICT:
        return equal_dicts(r, a.dict, b.dict);
    case GW_J_NAMESPACE:
        return a.dict == b.dict;
    case GW_J_LOOP:
        return a.loop == b.loop;
    case GW_J_MACRO:
        return a.macro == b.macro;
    case GW_J_FUNCTION:
        return a.function == b.function;
    case GW_J_METHOD:
        return a.method == b.method;
    default:
        return true; // none, undefined
    }
}

int gw_jinja_compare(gw_jrun *r, gw_jvalue a, gw_jvalue b) {
    int64_t i = 0, j = 0;
    double f = 0, g = 0;
    if (!gw_jinja_step(r, 1)) return 0;
    if (gw_jinja_whole(a, &i) && gw_jinja_whole(b, &j)) return (i > j) - (i < j);
    if (gw_jinja_number(a, &f) && gw_jinja_number(b, &g)) return (f > g) - (f < g);
    if (a.type == GW_J_STR && b.type == GW_J_STR) {
        size_t n = a.s.n < b.s.n ? a.s.n : b.s.n;
        gw_jinja_step(r, n / TEXT_BYTES_A_STEP);
        int order = n > 0 ? memcmp(a.s.text, b.s.text, n) : 0;
        return order ? order : (a.s.n > b.s.n) - (a.s.n < b.s.n);
    }
    if (a.type == GW_J_LIST && b.type == GW_J_LIST && a.list->kind == b.list->kind &&
        a.list->kind <= GW_JLIST_TUPLE) {
        int order = 0;
        size_t n = a.list->n < b.list->n ? a.list->n : b.list->n;
        if (!gw_jinja_deeper(r)) n = 0;
        for (size_t k = 0; k < n && order == 0; k++) {
            if (gw_jinja_equal(r, a.list->items[k], b.list->items[k])) continue;
            order = gw_jinja_compare(r, a.list->items[k], b.list->items[k]);
        }
        r->depth--;
        return order ? order : (a.list->n > b.list->n) - (a.list->n < b.list->n);
    }
    if (a.type == GW_J_UNDEFINED || b.type == GW_J_UNDEFINED) {
        gw_jvalue which = a.type == GW_J_UNDEFINED ? a : b;
        gw_jinja_fail(r, "'%.*s' is undefined", GW_STR_ARG(which.s));
    } else {
        gw_jinja_fail(r, "no order between '%s' and '%s'", gw_jinja_type_name(a),
                      gw_jinja_type_name(b));
    }
    return 0;
}

bool gw_jinja_is_given(gw_jvalue v) {
    return v.type != GW_J_ABSENT && v.type != GW_J_NONE;
}

int64_t gw_jinja_whole_or(gw_jrun *r, gw_jvalue v, int64_t otherwise) {
    int64_t i = otherwise;
    if (gw_jinja_is_given(v) && !gw_jinja_whole(v, &i)) {
        gw_jinja_fail(r, "a whole number is wanted, not %s", gw_jinja_type_name(v));
    }
    return i;
}

// --- looking into values -------------------------------------------------------------------------

int64_t gw_jinja_length(gw_jrun *r, gw_jvalue v) {
    if (v.type == GW_J_STR && gw_jinja_step(r, v.s.n / TEXT_BYTES_A_STEP)) {
        return (int64_t)gw_jinja_n_chars(v.s);
    }
    if (v.type == GW_J_LIST && v.list->kind != GW_JLIST_GENERATOR) return (int64_t)v.list->n;
    if (v.type == GW_J_DICT) return (int64_t)v.dict->n;
    if (v.type == GW_J_UNDEFINED) return 0;
    gw_jinja_fail(r, "object of type '%s' has no len()", gw_jinja_type_name(v));
    return 0;
}

bool gw_jinja_contains(gw_jrun *r, gw_jvalue container, gw_jvalue item) {
    if (container.type == GW_J_STR) {
        if (item.type != GW_J_STR) {
            gw_jinja_fail(r, "'in <string>' requires string as left operand, not %s",
                          gw_jinja_type_name(item));
            return false;
        }
        gw_jinja_step(r, container.s.n / TEXT_BYTES_A_STEP);
        return gw_jinja_find(container.s, item.s, 0) <= container.s.n;
    }
    if (container.type == GW_J_DICT) return gw_jinja_dict_get(r, container.dict, item) != NULL;
    if (container.type != GW_J_LIST && container.type != GW_J_UNDEFINED) {
        gw_jinja_fail(r, "argument of type '%s' is not iterable", gw_jinja_type_name(container));
        return false;
    }
    const gw_jlist *list = gw_jinja_iterate(r, container);
    for (size_t i = 0; list && i < list->n && !r->status; i++) {
        if (gw_jinja_equal(r, list->items[i], item)) return true;
    }
    return false;
}

static gw_jvalue loop_attribute(const gw_jloop *loop, gw_str name) {
    static const char *const names[] = {"index",    "index0", "revindex", "revindex0",
                                        "first",    "last",   "length",   "previtem",
                                        "nextitem", "depth",  "depth0"};
    int64_t i = (int64_t)loop->i, n = (int64_t)loop->list->n;
    size_t which = 0, n_names = sizeof names / sizeof *names;
    while (which < n_names && !gw_str_eq(name, gw_str_of(names[which]))) which++;
    switch (which) {
    case 0:
        return gw_jinja_int(i + 1);
    case 1:
        return gw_jinja_int(i);
    case 2:
        return gw_jinja_int(n - i);
    case 3:
        return gw_jinja_int(n - i - 1);
    case 4:
        return gw_jinja_bool(i == 0);
    case 5:
        return gw_jinja_bool(i == n - 1);
    case 6:
        return gw_jinja_int(n);
    case 7:
        return i > 0 ? loop->list->items[i - 1] : gw_jinja_undefined(name);
    case 8:
        return i < n - 1 ? loop->list->items[i + 1] : gw_jinja_undefined(name);
    case 9:
        return gw_jinja_int(1); // no loop is recursive
    case 10:
        return gw_jinja_int(0);
    default:
        break;
    }
    return gw_jinja_undefined(name);
}

static gw_jvalue bound_method(gw_jrun *r, gw_jvalue v, gw_str name) {
    const gw_jfunction *function = gw_jinja_method(v, name);
    if (!function) return gw_jinja_undefined(name);
    gw_jmethod *method = gw_jinja_alloc(r, 1, sizeof *method);
    if (!method) return gw_jinja_none();
    *method = (gw_jmethod){v, function};
    return (gw_jvalue){.type = GW_J_METHOD, .method = method};
}

gw_jvalue gw_jinja_attribute(gw_jrun *r, gw_jvalue v, gw_str name) {
    const gw_jvalue *found = NULL;
    if (v.type == GW_J_UNDEFINED) return gw_jinja_fail(r, "'%.*s' is undefined", GW_STR_ARG(v.s));
    gw_jvalue method = bound_method(r, v, name);
    if (method.type != GW_J_UNDEFINED) return method;
    if (v.type == GW_J_DICT || v.type == GW_J_NAMESPACE) {
        found = gw_jinja_dict_get(r, v.dict, gw_jinja_str(name));
    } else if (v.type == GW_J_LOOP) {
        return loop_attribute(v.loop, name);
    } else if (v.type == GW_J_MACRO && gw_str_eq(name, GW_STR("name"))) {
        return gw_jinja_str(v.macro->node->name);
    }
    return found ? *found : method;
}

static gw_jvalue char_at(gw_jrun *r, gw_str s, int64_t index) {
    size_t i = 0, n = 0;
    gw_jinja_step(r, s.n / TEXT_BYTES_A_STEP);
    while (i < s.n) {
        gw_jinja_char(s, i, &n);
        if (index-- == 0) return gw_jinja_str((gw_str){s.text + i, n});
        i += n;
    }
    return gw_jinja_undefined(GW_STR("character"));
}

gw_jvalue gw_jinja_item(gw_jrun *r, gw_jvalue v, gw_jvalue key) {
    int64_t i = 0;
    const gw_jvalue *found = NULL;
    if (v.type == GW_J_UNDEFINED) return gw_jinja_fail(r, "'%.*s' is undefined", GW_STR_ARG(v.s));
    if (v.type == GW_J_DICT) {
        bool hashable = key.type != GW_J_DICT && key.type != GW_J_LIST;
        found = hashable || (key.type == GW_J_LIST && key.list->kind == GW_JLIST_TUPLE)
                    ? gw_jinja_dict_get(r, v.dict, key)
                    : NULL;
        if (found) return *found;
    } else if (gw_jinja_whole(key, &i) &&
               (v.type == GW_J_STR || (v.type == GW_J_LIST && v.list->kind < GW_JLIST_VIEW))) {
        int64_t n = gw_jinja_length(r, v);
        if (i < 0) i += n;
        if (i < 0 || i >= n) return gw_jinja_undefined(GW_STR("item"));
        return v.type == GW_J_STR ? char_at(r, v.s, i) : v.list->items[i];
    }
    if (key.type == GW_J_STR) {
        return v.type == GW_J_DICT ? bound_method(r, v, key.s) : gw_jinja_attribute(r, v, key.s);
    }
    return gw_jinja_undefined(GW_STR("item"));
}

gw_jlist *gw_jinja_iterate(gw_jrun *r, gw_jvalue v) {
    gw_jlist *list = NULL;
    if (r->status) return NULL;
    switch (v.type) {
    case GW_J_UNDEFINED:
        return gw_jinja_list(r, GW_JLIST_LIST, 0);
    case GW_J_LIST:
        if (v.list->kind != GW_JLIST_GENERATOR) return v.list;
        if (v.list->is_read) return gw_jinja_list(r, GW_JLIST_LIST, 0);
        v.list->is_read = true;
        return v.list;
    case GW_J_DICT:
        list = gw_jinja_list(r, GW_JLIST_LIST, v.dict->n);
        for (size_t i = 0; list && i < v.dict->n; i++) {
            gw_jinja_push(r, list, v.dict->items[i].key);
        }
        return list;
    case GW_J_STR:
        list = gw_jinja_list(r, GW_JLIST_LIST, v.s.n);
        for (size_t i = 0, n = 0; list && i < v.s.n && gw_jinja_step(r, 1); i += n) {
            gw_jinja_char(v.s, i, &n);
            gw_jinja_push(r, list, gw_jinja_str((gw_str){v.s.text + i, n}));
        }
        return list;
    default:
        gw_jinja_fail(r, "'%s' object is not iterable", gw_jinja_type_name(v));
        return NULL;
    }
}

// Python's slice(start, stop, step).indices(n): *out_n items from *out_start on.
static bool slice_range(gw_jrun *r, const gw_jvalue bounds[3], int64_t n, int64_t *out_start,
                        int64_t *out_step, int64_t *out_n) {
    int64_t at[3] = {0, 0, 1};
    bool given[3];
    for (int i = 0; i < 3; i++) {
        given[i] = bounds[i].type != GW_J_NONE && bounds[i].type != GW_J_ABSENT;
        if (given[i] && !gw_jinja_whole(bounds[i], &at[i])) {
            gw_jinja_fail(r, "slice indices must be whole numbers or none, not %s",
                          gw_jinja_type_name(bounds[i]));
            return false;
        }
    }
    int64_t step = at[2];
    if (step == 0 || step < -INT64_MAX) {
        gw_jinja_fail(r, "slice step cannot be zero");
        return false;
    }
    for (int i = 0; i < 2; i++) {
        int64_t low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
        if (!given[i]) {
            at[i] = (i == 0) == (step > 0) ? low : high;
        } else {
            if (at[i] < 0) at[i] += n;
            at[i] = at[i] < low ? low : at[i] > high ? high : at[i];
        }
    }
    *out_start = at[0];
    *out_step = step;
    *out_n = step > 0 ? (at[1] > at[0] ? (at[1] - at[0] - 1) / step + 1 : 0)
                      : (at[1] < at[0] ? (at[0] - at[1] - 1) / -step + 1 : 0);
    return true;
}

gw_jvalue gw_jinja_slice(gw_jrun *r, gw_jvalue v, const gw_jvalue bounds[3]) {
    int64_t start = 0, step = 1, n = 0;
    if (v.type == GW_J_UNDEFINED) return gw_jinja_fail(r, "'%.*s' is undefined", GW_STR_ARG(v.s));
    bool text = v.type == GW_J_STR;
    if (!text && (v.type != GW_J_LIST || v.list->kind >= GW_JLIST_VIEW)) {
        return gw_jinja_undefined(GW_STR("slice"));
    }
    const gw_jlist *list = gw_jinja_iterate(r, v);
    if (!list || !slice_range(r, bounds, (int64_t)list->n, &start, &step, &n)) {
        return gw_jinja_none();
    }
    size_t begin = gw_jinja_begin(r);
    gw_jlist *out = text ? NULL : gw_jinja_list(r, v.list->kind, (size_t)n);
    for (int64_t i = 0; i < n && gw_jinja_step(r, 1); i++) {
        gw_jvalue item = list->items[start + i * step];
        if (text) {
            gw_jinja_put_str(r, item.s);
        } else {
            gw_jinja_push(r, out, item);
        }
    }
    return text ? gw_jinja_end(r, begin) : gw_jinja_of_list(out);
}
