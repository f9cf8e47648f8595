// Jinja's statements carried out, and a whole rendering.
//
// Names live in scopes that point outwards: a loop's turn, a macro's call, a block each open one.
// if and else do not. So what is set in a loop is gone behind it, as in Jinja2.
#include "text/jinja_impl.h"

typedef enum flow { NEXT, BREAK, CONTINUE } flow;

static flow exec(gw_jrun *r, const gw_jnode *body);

static void set_name(gw_jrun *r, gw_str name, gw_jvalue value) {
    for (gw_jvar *var = r->scope->vars; var && gw_jinja_step(r, 1); var = var->next) {
        if (!gw_str_eq(var->name, name)) continue;
        var->value = value;
        return;
    }
    gw_jvar *var = gw_jinja_alloc(r, 1, sizeof *var);
    if (!var) return;
    *var = (gw_jvar){name, value, r->scope->vars};
    r->scope->vars = var;
}

static void set_attribute(gw_jrun *r, const gw_jnode *target, gw_jvalue value) {
    gw_jvalue holder = gw_jinja_eval(r, target->a);
    if (holder.type != GW_J_NAMESPACE) {
        gw_jinja_fail(r, "cannot set attribute '%.*s': no namespace", GW_STR_ARG(target->name));
        return;
    }
    gw_jinja_dict_set(r, holder.dict, gw_jinja_str(target->name), value);
}

void gw_jinja_assign(gw_jrun *r, const gw_jnode *target, gw_jvalue value) {
    if (r->status) return;
    if (target->type == GW_JN_NAME) {
        set_name(r, target->name, value);
    } else if (target->type == GW_JN_ATTR) {
        set_attribute(r, target, value);
    } else {
        const gw_jlist *list = gw_jinja_iterate(r, value);
        size_t n = 0;
        for (const gw_jnode *item = target->a; list && item; item = item->next) {
            if (n++ >= list->n) break;
            gw_jinja_assign(r, item, list->items[n - 1]);
        }
        size_t n_targets = 0;
        for (const gw_jnode *item = target->a; item; item = item->next) n_targets++;
        if (list && list->n != n_targets) {
            gw_jinja_fail(r, "%zu values to unpack, %zu names for them", list->n, n_targets);
        }
    }
}

// Opens a scope inside `up`; NULL on failure. Gives what r->scope is set back to.
static gw_jscope *open_scope(gw_jrun *r, gw_jscope *up) {
    gw_jscope *before = r->scope, *scope = gw_jinja_alloc(r, 1, sizeof *scope);
    if (scope) {
        scope->up = up;
        r->scope = scope;
    }
    return before;
}

// What body prints, as a string, in a scope of its own.
static gw_jvalue capture(gw_jrun *r, const gw_jnode *body) {
    size_t begin = gw_jinja_begin(r);
    gw_jscope *before = open_scope(r, r->scope);
    exec(r, body);
    r->scope = before;
    return gw_jinja_end(r, begin);
}

// --- macros --------------------------------------------------------------------------------------

static void bind_parameters(gw_jrun *r, const gw_jmacro *macro, const gw_jargs *args) {
    size_t n = 0, n_taken = 0;
    for (const gw_jnode *p = macro->node->a; p && !r->status; p = p->next, n++) {
        gw_jvalue value = {.type = GW_J_ABSENT};
        if (n < args->n) value = args->items[n];
        for (size_t k = 0; k < args->n_keywords; k++) {
            if (!gw_str_eq(args->keywords[k].key.s, p->name)) continue;
            value = args->keywords[k].value;
            n_taken++;
        }
        if (value.type == GW_J_ABSENT) {
            value = p->b ? gw_jinja_eval(r, p->b) : gw_jinja_undefined(p->name);
        }
        set_name(r, p->name, value);
    }
    for (size_t k = 0; k < args->n_keywords && !r->status; k++) {
        if (!gw_str_eq(args->keywords[k].key.s, GW_STR("caller"))) continue;
        set_name(r, GW_STR("caller"), args->keywords[k].value);
        n_taken++;
    }
    if (args->n > n || n_taken < args->n_keywords) {
        gw_jinja_fail(r, "macro '%.*s': an argument that it does not take",
                      GW_STR_ARG(macro->node->name));
    }
}

gw_jvalue gw_jinja_call_macro(gw_jrun *r, const gw_jmacro *macro, const gw_jargs *args) {
    gw_jvalue value = gw_jinja_str(GW_STR(""));
    size_t begin = gw_jinja_begin(r);
    gw_jscope *before = open_scope(r, macro->scope);
    if (gw_jinja_deeper(r)) {
        bind_parameters(r, macro, args);
        exec(r, macro->node->c);
        value = gw_jinja_end(r, begin);
    }
    r->depth--;
    r->scope = before;
    return value;
}

static gw_jvalue make_macro(gw_jrun *r, const gw_jnode *node) {
    gw_jmacro *macro = gw_jinja_alloc(r, 1, sizeof *macro);
    if (!macro) return gw_jinja_none();
    *macro = (gw_jmacro){node, r->scope};
    return (gw_jvalue){.type = GW_J_MACRO, .macro = macro};
}

// A call with a keyword more: its body, as a macro. The node is a copy, with the argument behind it.
static void exec_call_block(gw_jrun *r, const gw_jnode *node) {
    gw_jnode caller = {.type = GW_JN_CONST, .line = node->line, .value = make_macro(r, node)};
    gw_jnode keyword = {.type = GW_JN_KEYWORD, .op = '=', .line = node->line, .a = &caller};
    gw_jnode call = *node->b, *copies = NULL, **link = &copies;
    keyword.name = GW_STR("caller");
    for (const gw_jnode *arg = call.b; arg && !r->status; arg = arg->next) {
        gw_jnode *copy = gw_jinja_alloc(r, 1, sizeof *copy);
        if (!copy) return;
        *copy = *arg;
        *link = copy;
        link = &copy->next;
    }
    *link = &keyword;
    call.b = copies;
    gw_jinja_print(r, gw_jinja_eval(r, &call));
}

// --- loops ---------------------------------------------------------------------------------------

// The items for which the loop's condition holds.
static gw_jlist *choose(gw_jrun *r, const gw_jnode *node, const gw_jlist *all) {
    gw_jlist *chosen = gw_jinja_list(r, GW_JLIST_LIST, all->n);
    gw_jscope *before = open_scope(r, r->scope);
    for (size_t i = 0; chosen && i < all->n && gw_jinja_step(r, 1); i++) {
        gw_jinja_assign(r, node->a, all->items[i]);
        if (!r->status && gw_jinja_truth(gw_jinja_eval(r, node->e))) {
            gw_jinja_push(r, chosen, all->items[i]);
        }
    }
    r->scope = before;
    return r->status ? NULL : chosen;
}

static flow exec_for(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue over = gw_jinja_eval(r, node->b);
    const gw_jlist *list = gw_jinja_iterate(r, over);
    if (list && node->e) list = choose(r, node, list);
    if (!list || r->status) return NEXT;
    if (list->n == 0) return exec(r, node->d);
    gw_jloop *loop = gw_jinja_alloc(r, 1, sizeof *loop);
    if (!loop) return NEXT;
    loop->list = list;
    for (size_t i = 0; i < list->n && gw_jinja_step(r, 1); i++) {
        gw_jscope *before = open_scope(r, r->scope);
        if (r->status) break;
        loop->i = i;
        set_name(r, GW_STR("loop"), (gw_jvalue){.type = GW_J_LOOP, .loop = loop});
        gw_jinja_assign(r, node->a, list->items[i]);
        flow went = exec(r, node->c);
        r->scope = before;
        if (went == BREAK) break;
    }
    return NEXT;
}

// --- the others ----------------------------------------------------------------------------------

static flow exec_if(gw_jrun *r, const gw_jnode *node) {
    for (;;) {
        bool holds = gw_jinja_truth(gw_jinja_eval(r, node->a));
        if (r->status) return NEXT;
        if (holds) return exec(r, node->b);
        // An elif is an IF alone in the place of the else.
        const gw_jnode *other = node->c;
        if (!other || other->type != GW_JN_IF || other->next) return exec(r, other);
        node = other;
    }
}

// The filters of a block, of which the innermost has no value before it.
static gw_jvalue filtered(gw_jrun *r, const gw_jnode *filters, gw_jvalue value) {
    if (!filters || r->status) return value;
    gw_jnode inner = {.type = GW_JN_CONST, .line = filters->line}, outer = *filters;
    inner.value = gw_jinja_deeper(r) ? filtered(r, filters->a, value) : gw_jinja_none();
    r->depth--;
    outer.a = &inner;
    return gw_jinja_eval(r, &outer);
}

static flow exec_with(gw_jrun *r, const gw_jnode *node) {
    gw_jscope *outer = r->scope, *before = open_scope(r, r->scope), *inner = r->scope;
    for (const gw_jnode *set = node->a; set && !r->status; set = set->next) {
        r->scope = outer; // the values know nothing of each other
        gw_jvalue value = gw_jinja_eval(r, set->b);
        r->scope = inner;
        gw_jinja_assign(r, set->a, value);
    }
    flow went = exec(r, node->c);
    r->scope = before;
    return went;
}

static flow exec_node(gw_jrun *r, const gw_jnode *node) {
    gw_jvalue value;
    switch (node->type) {
    case GW_JN_TEXT:
        gw_jinja_put_str(r, node->name);
        break;
    case GW_JN_PRINT:
        value = gw_jinja_eval(r, node->a);
        if (!r->status) gw_jinja_print(r, value);
        break;
    case GW_JN_IF:
        return exec_if(r, node);
    case GW_JN_FOR:
        return exec_for(r, node);
    case GW_JN_SET:
        gw_jinja_assign(r, node->a, gw_jinja_eval(r, node->b));
        break;
    case GW_JN_SET_BLOCK:
        value = capture(r, node->c);
        gw_jinja_assign(r, node->a, filtered(r, node->b, value));
        break;
    case GW_JN_FILTER_BLOCK:
        value = filtered(r, node->b, capture(r, node->c));
        if (!r->status) gw_jinja_print(r, value);
        break;
    case GW_JN_MACRO:
        set_name(r, node->name, make_macro(r, node));
        break;
    case GW_JN_CALL_BLOCK:
        exec_call_block(r, node);
        break;
    case GW_JN_WITH:
        return exec_with(r, node);
    case GW_JN_BODY:
        gw_jinja_put_str(r, capture(r, node->c).s);
        break;
    case GW_JN_BREAK:
        return BREAK;
    case GW_JN_CONTINUE:
        return CONTINUE;
    default:
        r->status = GW_BUG(r->err, "template: a node of type %d is no statement", (int)node->type);
    }
    return NEXT;
}

static flow exec(gw_jrun *r, const gw_jnode *body) {
    flow went = NEXT;
    if (gw_jinja_deeper(r)) {
        for (const gw_jnode *node = body; node && gw_jinja_step(r, 1); node = node->next) {
            r->line = node->line;
            went = exec_node(r, node);
            if (went != NEXT) break;
        }
    }
    r->depth--;
    return went;
}

godwit_status gw_jinja_render(const gw_jinja *jinja, const gw_jinja_variable *variables,
                              size_t n_variables, int64_t now_s, gw_jinja_output *out,
                              godwit_error *err) {
    gw_jscope top = {0}, constants = {0};
    gw_jrun r = {.host = jinja->arena.host, .scope = &constants, .now_s = now_s, .err = err};
    *out = (gw_jinja_output){0};
    gw_arena_init(&r.arena, r.host);
    for (size_t i = 0; i < n_variables && !r.status; i++) {
        if (!variables[i].value) continue;
        set_name(&r, gw_str_of(variables[i].name), gw_jinja_of_json(&r, variables[i].value));
    }
    top.up = &constants;
    r.scope = &top;
    exec(&r, jinja->body);
    gw_arena_deinit(&r.arena);
    if (r.status) {
        gw_free(r.host, r.out.text, r.out.cap);
        return r.status;
    }
    *out = r.out;
    return GODWIT_OK;
}
