// Jinja's parser: tokens into a tree; expressions here, statements in jinja_statements.c.
//
// Recursive descent with the precedence of Jinja2's own parser, which is not Python's in places: a
// filter and a test bind tighter than any operator, ~ tighter than + and looser than *.
#include "text/jinja_impl.h"

#include <stdarg.h>
#include <stdio.h>

godwit_status gw_jinja_syntax(const gw_jparser *p, const char *format, ...) {
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    gw_str at = p->token->text;
    if (at.n > 40) at.n = 40;
    return gw_fail(p->err, GODWIT_MALFORMED, "template line %u: %s%s%.*s%s", p->token->line, what,
                   at.n > 0 ? ", at \"" : ", at the tag's or template's end", GW_STR_ARG(at),
                   at.n > 0 ? "\"" : "");
}

bool gw_jinja_at(const gw_jparser *p, gw_jtoken_type type, const char *text) {
    return p->token->type == type && (!text || gw_str_eq(p->token->text, gw_str_of(text)));
}

bool gw_jinja_skip(gw_jparser *p, gw_jtoken_type type, const char *text) {
    if (!gw_jinja_at(p, type, text)) return false;
    p->token++;
    return true;
}

static bool at_op(const gw_jparser *p, const char *op) {
    return gw_jinja_at(p, GW_JTOKEN_OP, op);
}

static bool skip_op(gw_jparser *p, const char *op) {
    return gw_jinja_skip(p, GW_JTOKEN_OP, op);
}

static bool skip_name(gw_jparser *p, const char *name) {
    return gw_jinja_skip(p, GW_JTOKEN_NAME, name);
}

godwit_status gw_jinja_expect(gw_jparser *p, gw_jtoken_type type, const char *text) {
    static const char *const words[] = {
        [GW_JTOKEN_NAME] = "a name",
        [GW_JTOKEN_BLOCK_END] = "%}",
        [GW_JTOKEN_PRINT_END] = "}}",
    };
    if (gw_jinja_skip(p, type, text)) return GODWIT_OK;
    return gw_jinja_syntax(p, "%s is missing", text ? text : words[type]);
}

godwit_status gw_jinja_node(gw_jparser *p, gw_jnode_type type, gw_jnode **out) {
    *out = gw_arena_alloc(p->arena, 1, sizeof **out);
    if (!*out) return gw_fail(p->err, GODWIT_OUT_OF_MEMORY, "out of host memory: template");
    (*out)->type = type;
    (*out)->line = p->token->line;
    return GODWIT_OK;
}

godwit_status gw_jinja_enter(gw_jparser *p) {
    if (++p->depth > GW_JINJA_MAX_NESTING) return gw_jinja_syntax(p, "nested too deeply");
    return GODWIT_OK;
}

// --- values that stand for themselves ------------------------------------------------------------

static godwit_status parse_number(gw_jparser *p, gw_jnode *out) {
    gw_str text = p->token->text;
    double f = 0;
    int64_t i = 0;
    if (p->token->type == GW_JTOKEN_FLOAT) {
        if (!gw_jinja_parse_float(text, &f)) return gw_jinja_syntax(p, "no number");
        out->value = gw_jinja_float(f);
    } else {
        if (!gw_jinja_parse_int(text, 0, &i)) return gw_jinja_syntax(p, "a number past 64 bits");
        out->value = gw_jinja_int(i);
    }
    p->token++;
    return GODWIT_OK;
}

// Strings side by side are one.
static godwit_status parse_strings(gw_jparser *p, gw_jnode *out) {
    size_t n = 0, n_all = 0;
    const gw_jtoken *token = p->token;
    for (; token->type == GW_JTOKEN_STRING; token++) n_all += token->text.n;
    out->value = gw_jinja_str(p->token->text);
    if (token - p->token == 1) {
        p->token++;
        return GODWIT_OK;
    }
    char *text = gw_arena_alloc(p->arena, n_all + 1, 1);
    if (!text) return gw_fail(p->err, GODWIT_OUT_OF_MEMORY, "out of host memory: template");
    for (; p->token < token; p->token++) {
        memcpy(text + n, p->token->text.text, p->token->text.n);
        n += p->token->text.n;
    }
    out->value = gw_jinja_str((gw_str){text, n});
    return GODWIT_OK;
}

// [a, b] and {a: b}, from behind the bracket.
static godwit_status parse_items(gw_jparser *p, gw_jnode *out, bool pairs) {
    godwit_status status = GODWIT_OK;
    const char *end = pairs ? "}" : "]";
    gw_jnode **link = &out->a;
    while (!skip_op(p, end)) {
        if (out->a) {
            GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, ","));
            if (skip_op(p, end)) break;
        }
        gw_jnode *item = NULL;
        GW_TRY(gw_jinja_parse_expression(p, true, &item));
        if (pairs) {
            gw_jnode *key = item;
            GW_TRY(gw_jinja_node(p, GW_JN_PAIR, &item));
            item->a = key;
            GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, ":"));
            GW_TRY(gw_jinja_parse_expression(p, true, &item->b));
        }
        *link = item;
        link = &item->next;
    }
done:
    return status;
}

static bool set_constant(gw_str name, gw_jnode *out) {
    static const struct {
        const char *name;
        gw_jtype type;
        bool b;
    } rows[] = {{"true", GW_J_BOOL, true},   {"True", GW_J_BOOL, true},
                {"false", GW_J_BOOL, false}, {"False", GW_J_BOOL, false},
                {"none", GW_J_NONE, false},  {"None", GW_J_NONE, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!gw_str_eq(name, gw_str_of(rows[i].name))) continue;
        out->value = rows[i].type == GW_J_NONE ? gw_jinja_none() : gw_jinja_bool(rows[i].b);
        return true;
    }
    return false;
}

godwit_status gw_jinja_parse_primary(gw_jparser *p, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode *node = NULL;
    GW_TRY(gw_jinja_enter(p));
    GW_TRY(gw_jinja_node(p, GW_JN_CONST, &node));
    switch (p->token->type) {
    case GW_JTOKEN_NAME:
        node->name = p->token->text;
        if (!set_constant(node->name, node)) node->type = GW_JN_NAME;
        p->token++;
        break;
    case GW_JTOKEN_STRING:
        GW_TRY(parse_strings(p, node));
        break;
    case GW_JTOKEN_INT:
    case GW_JTOKEN_FLOAT:
        GW_TRY(parse_number(p, node));
        break;
    default:
        if (skip_op(p, "(")) {
            GW_TRY(gw_jinja_parse_tuple(p, true, true, NULL, &node));
            GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, ")"));
        } else if (skip_op(p, "[")) {
            node->type = GW_JN_LIST;
            GW_TRY(parse_items(p, node, false));
        } else if (skip_op(p, "{")) {
            node->type = GW_JN_DICT;
            GW_TRY(parse_items(p, node, true));
        } else {
            return gw_jinja_syntax(p, "a value is missing");
        }
    }
    *out = node;
    p->depth--;
done:
    return status;
}

// --- what stands behind a value ------------------------------------------------------------------

godwit_status gw_jinja_parse_arguments(gw_jparser *p, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode **link = out;
    GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, "("));
    while (!skip_op(p, ")")) {
        if (*out) {
            GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, ","));
            if (skip_op(p, ")")) break;
        }
        gw_jnode *item = NULL;
        gw_jtoken next = p->token[p->token->type != GW_JTOKEN_END];
        bool star = at_op(p, "*"), stars = at_op(p, "**");
        bool keyword = p->token->type == GW_JTOKEN_NAME && next.type == GW_JTOKEN_OP &&
                       gw_str_eq(next.text, GW_STR("="));
        if (star || stars || keyword) {
            GW_TRY(gw_jinja_node(p, GW_JN_KEYWORD, &item));
            item->op = star ? '*' : stars ? GW_JOP_POWER : '=';
            item->name = p->token->text;
            p->token += keyword ? 2 : 1;
            GW_TRY(gw_jinja_parse_expression(p, true, &item->a));
        } else {
            GW_TRY(gw_jinja_parse_expression(p, true, &item));
        }
        *link = item;
        link = &item->next;
    }
done:
    return status;
}

// a[b] or a[b:c:d], from behind the bracket.
static godwit_status parse_subscript(gw_jparser *p, gw_jnode *a, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode *bounds[3] = {NULL}, *node = NULL;
    int n = 0;
    GW_TRY(gw_jinja_node(p, GW_JN_ITEM, &node));
    for (;;) {
        if (!at_op(p, ":") && !at_op(p, "]")) {
            GW_TRY(gw_jinja_parse_expression(p, true, &bounds[n]));
        }
        if (!at_op(p, ":") || n == 2) break;
        p->token++;
        n++;
        node->type = GW_JN_SLICE;
    }
    if (n == 0 && !bounds[0]) return gw_jinja_syntax(p, "an index is missing");
    GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, "]"));
    node->a = a;
    node->b = bounds[0];
    node->c = bounds[1];
    node->d = bounds[2];
    *out = node;
done:
    return status;
}

static godwit_status parse_dot(gw_jparser *p, gw_jnode *a, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode *node = NULL;
    GW_TRY(gw_jinja_node(p, GW_JN_ATTR, &node));
    node->a = a;
    node->name = p->token->text;
    if (p->token->type == GW_JTOKEN_INT) {
        node->type = GW_JN_ITEM;
        GW_TRY(gw_jinja_node(p, GW_JN_CONST, &node->b));
        GW_TRY(parse_number(p, node->b));
    } else {
        GW_TRY(gw_jinja_expect(p, GW_JTOKEN_NAME, NULL));
    }
    *out = node;
done:
    return status;
}

static godwit_status parse_call(gw_jparser *p, gw_jnode *a, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode *node = NULL;
    GW_TRY(gw_jinja_node(p, GW_JN_CALL, &node));
    node->a = a;
    GW_TRY(gw_jinja_parse_arguments(p, &node->b));
    *out = node;
done:
    return status;
}

static godwit_status parse_postfix(gw_jparser *p, gw_jnode **io) {
    godwit_status status = GODWIT_OK;
    for (;;) {
        if (skip_op(p, ".")) {
            GW_TRY(parse_dot(p, *io, io));
        } else if (skip_op(p, "[")) {
            GW_TRY(parse_subscript(p, *io, io));
        } else if (at_op(p, "(")) {
            GW_TRY(parse_call(p, *io, io));
        } else {
            break;
        }
    }
done:
    return status;
}

godwit_status gw_jinja_parse_filters(gw_jparser *p, bool bare, gw_jnode **io) {
    godwit_status status = GODWIT_OK;
    while (bare || skip_op(p, "|")) {
        gw_jnode *node = NULL;
        bare = false;
        GW_TRY(gw_jinja_node(p, GW_JN_FILTER, &node));
        node->a = *io;
        node->name = p->token->text;
        GW_TRY(gw_jinja_expect(p, GW_JTOKEN_NAME, NULL));
        if (at_op(p, "(")) GW_TRY(gw_jinja_parse_arguments(p, &node->b));
        *io = node;
    }
done:
    return status;
}

static godwit_status parse_test(gw_jparser *p, gw_jnode **io) {
    godwit_status status = GODWIT_OK;
    gw_jnode *node = NULL;
    bool negated = skip_name(p, "not");
    GW_TRY(gw_jinja_node(p, GW_JN_TEST, &node));
    node->a = *io;
    node->name = p->token->text;
    GW_TRY(gw_jinja_expect(p, GW_JTOKEN_NAME, NULL));
    const gw_jtoken *t = p->token;
    bool value = t->type == GW_JTOKEN_STRING || t->type == GW_JTOKEN_INT ||
                 t->type == GW_JTOKEN_FLOAT || at_op(p, "[") || at_op(p, "{");
    if (t->type == GW_JTOKEN_NAME) {
        value = true;
        static const char *const ends[] = {"else", "or", "and"};
        for (int i = 0; i < 3; i++) value &= !gw_jinja_at(p, GW_JTOKEN_NAME, ends[i]);
        // "x is defined if y": Jinja2 takes the name as an argument and fails; so do we, in words.
        if (gw_jinja_at(p, GW_JTOKEN_NAME, "is")) return gw_jinja_syntax(p, "tests in a chain");
    }
    if (at_op(p, "(")) {
        GW_TRY(gw_jinja_parse_arguments(p, &node->b));
    } else if (value) {
        GW_TRY(gw_jinja_parse_primary(p, &node->b));
        GW_TRY(parse_postfix(p, &node->b));
    }
    *io = node;
    if (negated) {
        GW_TRY(gw_jinja_node(p, GW_JN_NOT, io));
        (*io)->a = node;
    }
done:
    return status;
}

// --- operators -----------------------------------------------------------------------------------

static godwit_status parse_unary(gw_jparser *p, bool filters, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    bool minus = at_op(p, "-");
    GW_TRY(gw_jinja_enter(p));
    if (minus || at_op(p, "+")) {
        gw_jnode *node = NULL;
        GW_TRY(gw_jinja_node(p, minus ? GW_JN_NEGATE : GW_JN_PLUS, &node));
        p->token++;
        GW_TRY(parse_unary(p, false, &node->a));
        *out = node;
    } else {
        GW_TRY(gw_jinja_parse_primary(p, out));
    }
    GW_TRY(parse_postfix(p, out));
    while (filters) {
        if (at_op(p, "|")) {
            GW_TRY(gw_jinja_parse_filters(p, false, out));
        } else if (skip_name(p, "is")) {
            GW_TRY(parse_test(p, out));
        } else if (at_op(p, "(")) {
            GW_TRY(parse_call(p, *out, out));
        } else {
            break;
        }
    }
    p->depth--;
done:
    return status;
}

// A level of operators that group from the left.
typedef godwit_status (*parse_fn)(gw_jparser *p, gw_jnode **out);

static godwit_status parse_binary(gw_jparser *p, parse_fn operand, const char *const *ops,
                                  const char *codes, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    GW_TRY(operand(p, out));
    for (;;) {
        int i = 0;
        while (codes[i] && !at_op(p, ops[i])) i++;
        if (!codes[i]) break;
        gw_jnode *node = NULL;
        GW_TRY(gw_jinja_node(p, GW_JN_BINARY, &node));
        p->token++;
        node->op = codes[i];
        node->a = *out;
        GW_TRY(operand(p, &node->b));
        *out = node;
    }
done:
    return status;
}

static godwit_status parse_operand(gw_jparser *p, gw_jnode **out) {
    return parse_unary(p, true, out);
}

static godwit_status parse_power(gw_jparser *p, gw_jnode **out) {
    static const char *const ops[] = {"**"};
    return parse_binary(p, parse_operand, ops, "p", out);
}

static godwit_status parse_product(gw_jparser *p, gw_jnode **out) {
    static const char *const ops[] = {"*", "/", "//", "%"};
    return parse_binary(p, parse_power, ops, "*/f%", out);
}

static godwit_status parse_concat(gw_jparser *p, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode *node = NULL, *last = NULL;
    GW_TRY(parse_product(p, &last));
    *out = last;
    if (!at_op(p, "~")) return GODWIT_OK;
    GW_TRY(gw_jinja_node(p, GW_JN_CONCAT, &node));
    node->a = last;
    while (skip_op(p, "~")) {
        GW_TRY(parse_product(p, &last->next));
        last = last->next;
    }
    *out = node;
done:
    return status;
}

static godwit_status parse_sum(gw_jparser *p, gw_jnode **out) {
    static const char *const ops[] = {"+", "-"};
    return parse_binary(p, parse_concat, ops, "+-", out);
}

static char take_comparison(gw_jparser *p) {
    static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">="};
    static const char codes[] = "=n<l>g";
    for (int i = 0; codes[i]; i++) {
        if (skip_op(p, ops[i])) return codes[i];
    }
    if (skip_name(p, "in")) return GW_JOP_IN;
    if (!gw_jinja_at(p, GW_JTOKEN_NAME, "not")) return 0;
    if (p->token[1].type != GW_JTOKEN_NAME || !gw_str_eq(p->token[1].text, GW_STR("in"))) return 0;
    p->token += 2;
    return GW_JOP_NOT_IN;
}

static godwit_status parse_compare(gw_jparser *p, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode *node = NULL, **link = NULL;
    GW_TRY(parse_sum(p, out));
    for (char op; (op = take_comparison(p));) {
        if (!node) {
            GW_TRY(gw_jinja_node(p, GW_JN_COMPARE, &node));
            node->a = *out;
            link = &node->b;
            *out = node;
        }
        GW_TRY(gw_jinja_node(p, GW_JN_OPERAND, link));
        (*link)->op = op;
        GW_TRY(parse_sum(p, &(*link)->a));
        link = &(*link)->next;
    }
done:
    return status;
}

static godwit_status parse_not(gw_jparser *p, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    if (!gw_jinja_at(p, GW_JTOKEN_NAME, "not")) return parse_compare(p, out);
    GW_TRY(gw_jinja_enter(p));
    GW_TRY(gw_jinja_node(p, GW_JN_NOT, out));
    p->token++;
    GW_TRY(parse_not(p, &(*out)->a));
    p->depth--;
done:
    return status;
}

static godwit_status parse_logic(gw_jparser *p, bool is_or, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    GW_TRY(is_or ? parse_logic(p, false, out) : parse_not(p, out));
    while (skip_name(p, is_or ? "or" : "and")) {
        gw_jnode *node = NULL;
        GW_TRY(gw_jinja_node(p, is_or ? GW_JN_OR : GW_JN_AND, &node));
        node->a = *out;
        GW_TRY(is_or ? parse_logic(p, false, &node->b) : parse_not(p, &node->b));
        *out = node;
    }
done:
    return status;
}

godwit_status gw_jinja_parse_expression(gw_jparser *p, bool if_else, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_jinja_enter(p));
    GW_TRY(parse_logic(p, true, out));
    while (if_else && skip_name(p, "if")) {
        gw_jnode *node = NULL;
        GW_TRY(gw_jinja_node(p, GW_JN_IF_ELSE, &node));
        node->b = *out;
        GW_TRY(parse_logic(p, true, &node->a));
        if (skip_name(p, "else")) GW_TRY(gw_jinja_parse_expression(p, true, &node->c));
        *out = node;
    }
    p->depth--;
done:
    return status;
}

static bool tuple_ends(const gw_jparser *p, const char *before) {
    gw_jtoken_type type = p->token->type;
    return type == GW_JTOKEN_PRINT_END || type == GW_JTOKEN_BLOCK_END || at_op(p, ")") ||
           (before && gw_jinja_at(p, GW_JTOKEN_NAME, before));
}

godwit_status gw_jinja_parse_tuple(gw_jparser *p, bool if_else, bool bracketed, const char *before,
                                   gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode *first = NULL, **link = &first;
    bool is_tuple = bracketed && at_op(p, ")");
    while (!tuple_ends(p, before)) {
        GW_TRY(gw_jinja_parse_expression(p, if_else, link));
        link = &(*link)->next;
        if (!skip_op(p, ",")) break;
        is_tuple = true;
    }
    if (!first && !is_tuple) return gw_jinja_syntax(p, "an expression is missing");
    *out = first;
    if (is_tuple) {
        GW_TRY(gw_jinja_node(p, GW_JN_TUPLE, out));
        (*out)->a = first;
    }
done:
    return status;
}
