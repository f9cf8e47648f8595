// Jinja's expressions evaluated: a walk over the tree.
#include "text/jinja_impl.h"

// --- calling -------------------------------------------------------------------------------------

const gw_jfunction *gw_jinja_find_function(const gw_jfunction *table, gw_str name) {
    for (; table->name; table++) {
        if (gw_str_eq(name, gw_str_of(table->name))) return table;
    }
    return NULL;
}

// The next of "width,!first": its name in *out, without the mark.
static bool next_parameter(const char **io, gw_str *out, bool *out_required) {
    if (!**io) return false;
    *out_required = **io == '!';
    *io += *out_required;
    size_t n = strcspn(*io, ",");
    *out = (gw_str){*io, n};
    *io += n + ((*io)[n] == ',');
    return true;
}

gw_jvalue gw_jinja_apply(gw_jrun *r, const gw_jfunction *function, gw_jvalue self,
                         const gw_jargs *args) {
    gw_jvalue p[GW_J_MAX_PARAMS] = {{.type = GW_J_ABSENT}};
    const char *spec = function->params;
    size_t n = 0, n_taken = 0;
    gw_str name = {0};
    bool required = false;
    if (r->status) return gw_jinja_none();
    if (*spec == '*') return function->fn(r, self, p, args);
    for (; n < GW_J_MAX_PARAMS && next_parameter(&spec, &name, &required); n++) {
        if (n < args->n) p[n] = args->items[n];
        for (size_t k = 0; k < args->n_keywords; k++) {
            if (!gw_str_eq(args->keywords[k].key.s, name)) continue;
            p[n] = args->keywords[k].value;
            n_taken++;
        }
        if (required && p[n].type == GW_J_ABSENT) {
            return gw_jinja_fail(r, "%s: its argument %.*s is missing", function->name,
                                 GW_STR_ARG(name));
        }
    }
    if (args->n > n || n_taken < args->n_keywords) {
        return gw_jinja_fail(r, "%s: an argument that it does not take", function->name);
    }
    return function->fn(r, self, p, args);
}

gw_jvalue gw_jinja_filter(gw_jrun *r, gw_str name, gw_jvalue self, const gw_jargs *args) {
    const gw_jfunction *function = gw_jinja_find_function(gw_jinja_text_filters, name);
    if (!function) function = gw_jinja_find_function(gw_jinja_list_filters, name);
    if (!function) return gw_jinja_fail(r, "no filter named '%.*s'", GW_STR_ARG(name));
    return gw_jinja_apply(r, function, self, args);
}

bool gw_jinja_test(gw_jrun *r, gw_str name, gw_jvalue self, const gw_jargs *args) {
    const gw_jfunction *function = gw_jinja_find_function(gw_jinja_tests, name);
    if (!function) {
        gw_jinja_fail(r, "no test named '%.*s'", GW_STR_ARG(name));
        return false;
    }
    return gw_jinja_truth(gw_jinja_apply(r, function, self, args));
}

gw_jvalue gw_jinja_call(gw_jrun *r, gw_jvalue callee, const gw_jargs *args) {
    switch (callee.type) {
    case GW_J_FUNCTION:
        return gw_jinja_apply(r, callee.function, callee, args);
    case GW_J_METHOD:
        return gw_jinja_apply(r, callee.method->function, callee.method->self, args);
    case GW_J_MACRO:
        return gw_jinja_call_macro(r, callee.macro, args);
    case GW_J_UNDEFINED:
        return gw_jinja_fail(r, "'%.*s' is undefined, or may not be called here",
                             GW_STR_ARG(callee.s));
    default:
        return gw_jinja_fail(r, "'%s' object is not callable", gw_jinja_type_name(callee));
    }
}

// --- arguments -----------------------------------------------------------------------------------

typedef struct arguments {
    gw_jlist *items;
    gw_jdict *keywords;
} arguments;

static void add_keyword(gw_jrun *r, arguments *all, gw_str name, gw_jvalue value) {
    if (!all->keywords) all->keywords = gw_jinja_dict(r);
    if (all->keywords) gw_jinja_dict_set(r, all->keywords, gw_jinja_str(name), value);
}

static void add_argument(gw_jrun *r, arguments *all, const gw_jnode *node) {
    bool keyword = node->type == GW_JN_KEYWORD;
    gw_jvalue value = gw_jinja_eval(r, keyword ? node->a : node);
    if (keyword && node->op == '=') {
        add_keyword(r, all, node->name, value);
    } else if (keyword && node->op == '*') {
        const gw_jlist *list = gw_jinja_iterate(r, value);
        for (size_t i = 0; list && i < list->n; i++) gw_jinja_push(r, all->items, list->items[i]);
    } else if (keyword) {
        if (value.type != GW_J_DICT) {
            gw_jinja_fail(r, "argument after ** must be a mapping, not %s",
                          gw_jinja_type_name(value));
            return;
        }
        for (size_t i = 0; i < value.dict->n && !r->status; i++) {
            gw_jvalue key = value.dict->items[i].key;
            if (key.type != GW_J_STR) {
                gw_jinja_fail(r, "keywords must be strings");
                return;
            }
            add_keyword(r, all, key.s, value.dict->items[i].value);
        }
    } else {
        gw_jinja_push(r, all->items, value);
    }
}

static gw_jargs eval_arguments(gw_jrun *r, const gw_jnode *first) {
    arguments all = {0};
    gw_jargs args = {0};
    if (!first) return args;
    all.items = gw_jinja_list(r, GW_JLIST_LIST, 4);
    if (!all.items) return args;
    for (const gw_jnode *node = first; node && !r->status; node = node->next) {
        add_argument(r, &all, node);
    }
    args.items = all.items->items;
    args.n = all.items->n;
    if (all.keywords) {
        args.keywords = all.keywords->items;
        args.n_keywords = all.keywords->n;
    }
    return args;
}

// --- expressions ---------------------------------------------------------------------------------

static gw_jvalue eval_name(gw_jrun *r, gw_str name) {
    for (const gw_jscope *scope = r->scope; scope; scope = scope->up) {
        for (const gw_jvar *var = scope->vars; var && gw_jinja_step(r, 1); var = var->next) {
            if (gw_str_eq(var->name, name)) return var->value;
        }
    }
    const gw_jfunction *function = gw_jinja_find_function(gw_jinja_globals, name);
    if (function) return (gw_jvalue){.type = GW_J_FUNCTION, .function = function};
    return gw_jinja_undefined(name);
}

static gw_jvalue eval_list(gw_jrun *r, const gw_jnode *node) {
    gw_jlist *list =
        gw_jinja_list(r, node->type == GW_JN_TUPLE ? GW_JLIST_TUPLE : GW_JLIST_LIST, 4);
    for (const gw_jnode *item = node->a; list && item && !r->status; item = item->next) {
        gw_jinja_push(r, list, gw_jinja_eval(r, item));
    }
    return gw_jinja_of_list(list);
}

static gw_jvalue eval_dict(gw_jrun *r, const gw_jnode *node) {
    gw_jdict *dict = gw_jinja_dict(r);
    if (!dict) return gw_jinja_none();
    for (const gw_jnode *pair = node->a; pair && !r->status; pair = pair->next) {
        gw_jvalue key = gw_jinja_eval(r, pair->a);
        gw_jinja_dict_set(r, dict, key, gw_jinja_eval(r, pair->b));
    }
    return (gw_jvalue){.type = GW_J_DICT, .dict = dict};
}

static gw_jvalue eval_slice(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue v = gw_jinja_eval(r, node->a);
    const gw_jnode *at[3] = {node->b, node->c, node->d};
    gw_jvalue bounds[3];
    for (int i = 0; i < 3; i++) bounds[i] = at[i] ? gw_jinja_eval(r, at[i]) : gw_jinja_none();
    return r->status ? gw_jinja_none() : gw_jinja_slice(r, v, bounds);
}

static gw_jvalue eval_concat(gw_jrun *r, const gw_jnode *node) {
    size_t begin = gw_jinja_begin(r);
    for (const gw_jnode *part = node->a; part && !r->status; part = part->next) {
        gw_jinja_print(r, gw_jinja_eval(r, part));
    }
    return gw_jinja_end(r, begin);
}

static bool holds(gw_jrun *r, char op, gw_jvalue a, gw_jvalue b) {
    switch (op) {
    case '=':
        return gw_jinja_equal(r, a, b);
    case GW_JOP_NE:
        return !gw_jinja_equal(r, a, b);
    case GW_JOP_IN:
        return gw_jinja_contains(r, b, a);
    case GW_JOP_NOT_IN:
        return !gw_jinja_contains(r, b, a);
    default:
        break;
    }
    double f = 0, g = 0;
    if (gw_jinja_number(a, &f) && gw_jinja_number(b, &g) && (f != f || g != g)) return false;
    int order = gw_jinja_compare(r, a, b);
    return op == '<'         ? order < 0
           : op == '>'       ? order > 0
           : op == GW_JOP_LE ? order <= 0
                             : order >= 0;
}

static gw_jvalue eval_compare(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue a = gw_jinja_eval(r, node->a);
    bool all = true;
    for (const gw_jnode *operand = node->b; all && operand && !r->status; operand = operand->next) {
        gw_jvalue b = gw_jinja_eval(r, operand->a);
        if (r->status) break;
        all = holds(r, operand->op, a, b);
        a = b;
    }
    return gw_jinja_bool(all);
}

static gw_jvalue eval_negate(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue v = gw_jinja_eval(r, node->a);
    int64_t i = 0;
    if (v.type == GW_J_FLOAT) return gw_jinja_float(node->type == GW_JN_PLUS ? v.f : -v.f);
    if (gw_jinja_whole(v, &i) && i > INT64_MIN) {
        return gw_jinja_int(node->type == GW_JN_PLUS ? i : -i);
    }
    if (v.type == GW_J_UNDEFINED) return gw_jinja_fail(r, "'%.*s' is undefined", GW_STR_ARG(v.s));
    return gw_jinja_fail(r, "bad operand type for a sign: '%s'", gw_jinja_type_name(v));
}

// What calls something: a call, a filter, a test.
static gw_jvalue eval_call(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue self = gw_jinja_eval(r, node->a);
    gw_jargs args = eval_arguments(r, node->b);
    if (r->status) return gw_jinja_none();
    r->line = node->line;
    if (node->type == GW_JN_CALL) return gw_jinja_call(r, self, &args);
    if (node->type == GW_JN_FILTER) return gw_jinja_filter(r, node->name, self, &args);
    return gw_jinja_bool(gw_jinja_test(r, node->name, self, &args));
}

static gw_jvalue eval_binary(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue a = gw_jinja_eval(r, node->a);
    gw_jvalue b = gw_jinja_eval(r, node->b);
    return gw_jinja_binary(r, node->op, a, b);
}

static gw_jvalue eval_item(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue v = gw_jinja_eval(r, node->a);
    if (node->type == GW_JN_ATTR) return gw_jinja_attribute(r, v, node->name);
    gw_jvalue key = gw_jinja_eval(r, node->b);
    return r->status ? gw_jinja_none() : gw_jinja_item(r, v, key);
}

static gw_jvalue eval_node(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue v;
    switch (node->type) {
    case GW_JN_CONST:
        return node->value;
    case GW_JN_NAME:
        return eval_name(r, node->name);
    case GW_JN_LIST:
    case GW_JN_TUPLE:
        return eval_list(r, node);
    case GW_JN_DICT:
        return eval_dict(r, node);
    case GW_JN_ATTR:
    case GW_JN_ITEM:
        return eval_item(r, node);
    case GW_JN_SLICE:
        return eval_slice(r, node);
    case GW_JN_CALL:
    case GW_JN_FILTER:
    case GW_JN_TEST:
        return eval_call(r, node);
    case GW_JN_NOT:
        return gw_jinja_bool(!gw_jinja_truth(gw_jinja_eval(r, node->a)));
    case GW_JN_NEGATE:
    case GW_JN_PLUS:
        return eval_negate(r, node);
    case GW_JN_BINARY:
        return eval_binary(r, node);
    case GW_JN_AND:
    case GW_JN_OR:
        v = gw_jinja_eval(r, node->a);
        return gw_jinja_truth(v) == (node->type == GW_JN_OR) ? v : gw_jinja_eval(r, node->b);
    case GW_JN_CONCAT:
        return eval_concat(r, node);
    case GW_JN_COMPARE:
        return eval_compare(r, node);
    case GW_JN_IF_ELSE:
        if (gw_jinja_truth(gw_jinja_eval(r, node->a))) return gw_jinja_eval(r, node->b);
        return node->c ? gw_jinja_eval(r, node->c) : gw_jinja_undefined(GW_STR("if without else"));
    default:
        break;
    }
    r->status = GW_BUG(r->err, "template: a node of type %d is no expression", (int)node->type);
    return gw_jinja_none();
}

gw_jvalue gw_jinja_eval(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue value = gw_jinja_none();
    if (!gw_jinja_step(r, 1)) return value;
    r->line = node->line;
    if (gw_jinja_deeper(r)) value = eval_node(r, node);
    r->depth--;
    return value;
}
