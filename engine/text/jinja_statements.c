// Jinja's statements: {% ... %} into a tree, and the whole template.
#include "base/utf8.h"
#include "text/jinja_impl.h"

static bool at_name(const gw_jparser *p, const char *name) {
    return gw_jinja_at(p, GW_JTOKEN_NAME, name);
}

static godwit_status expect_block_end(gw_jparser *p) {
    return gw_jinja_expect(p, GW_JTOKEN_BLOCK_END, NULL);
}

// The body up to the tag of that name, of which the name is the next token.
static godwit_status parse_body_to(gw_jparser *p, const char *end, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    GW_TRY(expect_block_end(p));
    GW_TRY(gw_jinja_parse_body(p, out));
    if (end && !gw_jinja_skip(p, GW_JTOKEN_NAME, end)) {
        status = gw_jinja_syntax(p, "{%% %s %%} is missing", end);
    }
done:
    return status;
}

// --- targets of for, set and macro ---------------------------------------------------------------

static godwit_status parse_target(gw_jparser *p, bool attributes, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    if (gw_jinja_skip(p, GW_JTOKEN_OP, "(")) {
        GW_TRY(gw_jinja_node(p, GW_JN_TUPLE, out));
        for (gw_jnode **link = &(*out)->a; !gw_jinja_at(p, GW_JTOKEN_OP, ")");) {
            GW_TRY(gw_jinja_enter(p));
            GW_TRY(parse_target(p, attributes, link));
            p->depth--;
            link = &(*link)->next;
            if (!gw_jinja_skip(p, GW_JTOKEN_OP, ",")) break;
        }
        return gw_jinja_expect(p, GW_JTOKEN_OP, ")");
    }
    if (p->token->type != GW_JTOKEN_NAME) return gw_jinja_syntax(p, "a name is missing");
    GW_TRY(gw_jinja_parse_primary(p, out));
    if ((*out)->type != GW_JN_NAME) return gw_jinja_syntax(p, "this name cannot be set");
    if (attributes && gw_jinja_skip(p, GW_JTOKEN_OP, ".")) {
        gw_jnode *node = NULL;
        GW_TRY(gw_jinja_node(p, GW_JN_ATTR, &node));
        node->a = *out;
        node->name = p->token->text;
        GW_TRY(gw_jinja_expect(p, GW_JTOKEN_NAME, NULL));
        *out = node;
    }
done:
    return status;
}

// a or a, b
static godwit_status parse_targets(gw_jparser *p, bool attributes, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode *tuple = NULL;
    GW_TRY(parse_target(p, attributes, out));
    if (!gw_jinja_at(p, GW_JTOKEN_OP, ",")) return GODWIT_OK;
    GW_TRY(gw_jinja_node(p, GW_JN_TUPLE, &tuple));
    tuple->a = *out;
    *out = tuple;
    for (gw_jnode **link = &tuple->a->next; gw_jinja_skip(p, GW_JTOKEN_OP, ",");) {
        if (p->token->type != GW_JTOKEN_NAME && !gw_jinja_at(p, GW_JTOKEN_OP, "(")) break;
        if (at_name(p, "in")) break;
        GW_TRY(parse_target(p, attributes, link));
        link = &(*link)->next;
    }
done:
    return status;
}

// (a, b=1)
static godwit_status parse_parameters(gw_jparser *p, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode **link = out;
    GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, "("));
    while (!gw_jinja_skip(p, GW_JTOKEN_OP, ")")) {
        if (*out) GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, ","));
        GW_TRY(parse_target(p, false, link));
        if ((*link)->type != GW_JN_NAME) return gw_jinja_syntax(p, "a parameter is a name");
        if (gw_jinja_skip(p, GW_JTOKEN_OP, "=")) {
            GW_TRY(gw_jinja_parse_expression(p, true, &(*link)->b));
        }
        link = &(*link)->next;
    }
done:
    return status;
}

// --- statements, each from behind its name -------------------------------------------------------

static godwit_status parse_if(gw_jparser *p, gw_jnode *node) {
    godwit_status status = GODWIT_OK;
    for (;;) {
        GW_TRY(gw_jinja_parse_tuple(p, false, false, NULL, &node->a));
        GW_TRY(parse_body_to(p, NULL, &node->b));
        if (!gw_jinja_skip(p, GW_JTOKEN_NAME, "elif")) break;
        GW_TRY(gw_jinja_node(p, GW_JN_IF, &node->c));
        node = node->c;
    }
    if (gw_jinja_skip(p, GW_JTOKEN_NAME, "else")) return parse_body_to(p, "endif", &node->c);
    if (!gw_jinja_skip(p, GW_JTOKEN_NAME, "endif")) {
        status = gw_jinja_syntax(p, "{%% endif %%} is missing");
    }
done:
    return status;
}

static godwit_status parse_for(gw_jparser *p, gw_jnode *node) {
    godwit_status status = GODWIT_OK;
    GW_TRY(parse_targets(p, false, &node->a));
    GW_TRY(gw_jinja_expect(p, GW_JTOKEN_NAME, "in"));
    GW_TRY(gw_jinja_parse_tuple(p, false, false, "recursive", &node->b));
    if (gw_jinja_skip(p, GW_JTOKEN_NAME, "if")) {
        GW_TRY(gw_jinja_parse_expression(p, true, &node->e));
    }
    if (at_name(p, "recursive")) {
        return gw_fail(p->err, GODWIT_UNSUPPORTED, "template line %u: recursive loops are not read",
                       p->token->line);
    }
    GW_TRY(parse_body_to(p, NULL, &node->c));
    if (gw_jinja_skip(p, GW_JTOKEN_NAME, "else")) return parse_body_to(p, "endfor", &node->d);
    if (!gw_jinja_skip(p, GW_JTOKEN_NAME, "endfor")) {
        status = gw_jinja_syntax(p, "{%% endfor %%} is missing");
    }
done:
    return status;
}

static godwit_status parse_set(gw_jparser *p, gw_jnode *node) {
    godwit_status status = GODWIT_OK;
    GW_TRY(parse_targets(p, true, &node->a));
    if (gw_jinja_skip(p, GW_JTOKEN_OP, "=")) {
        return gw_jinja_parse_tuple(p, true, false, NULL, &node->b);
    }
    node->type = GW_JN_SET_BLOCK;
    GW_TRY(gw_jinja_parse_filters(p, false, &node->b));
    GW_TRY(parse_body_to(p, "endset", &node->c));
done:
    return status;
}

static godwit_status parse_macro(gw_jparser *p, gw_jnode *node) {
    godwit_status status = GODWIT_OK;
    node->name = p->token->text;
    GW_TRY(gw_jinja_expect(p, GW_JTOKEN_NAME, NULL));
    GW_TRY(parse_parameters(p, &node->a));
    GW_TRY(parse_body_to(p, "endmacro", &node->c));
done:
    return status;
}

static godwit_status parse_call_block(gw_jparser *p, gw_jnode *node) {
    godwit_status status = GODWIT_OK;
    node->name = GW_STR("caller");
    if (gw_jinja_at(p, GW_JTOKEN_OP, "(")) GW_TRY(parse_parameters(p, &node->a));
    GW_TRY(gw_jinja_parse_expression(p, true, &node->b));
    if (node->b->type != GW_JN_CALL) return gw_jinja_syntax(p, "call without a call");
    GW_TRY(parse_body_to(p, "endcall", &node->c));
done:
    return status;
}

static godwit_status parse_filter_block(gw_jparser *p, gw_jnode *node) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_jinja_parse_filters(p, true, &node->b));
    GW_TRY(parse_body_to(p, "endfilter", &node->c));
done:
    return status;
}

static godwit_status parse_with(gw_jparser *p, gw_jnode *node) {
    godwit_status status = GODWIT_OK;
    for (gw_jnode **link = &node->a; p->token->type != GW_JTOKEN_BLOCK_END;) {
        if (node->a) GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, ","));
        GW_TRY(gw_jinja_node(p, GW_JN_SET, link));
        GW_TRY(parse_target(p, false, &(*link)->a));
        GW_TRY(gw_jinja_expect(p, GW_JTOKEN_OP, "="));
        GW_TRY(gw_jinja_parse_expression(p, true, &(*link)->b));
        link = &(*link)->next;
    }
    GW_TRY(parse_body_to(p, "endwith", &node->c));
done:
    return status;
}

static godwit_status parse_generation(gw_jparser *p, gw_jnode *node) {
    return parse_body_to(p, "endgeneration", &node->c);
}

// a, b: one behind the other, as a ~ b
static godwit_status parse_print(gw_jparser *p, gw_jnode *node) {
    godwit_status status = GODWIT_OK;
    GW_TRY(gw_jinja_parse_tuple(p, true, false, NULL, &node->a));
    if (node->a->type == GW_JN_TUPLE) node->a->type = GW_JN_CONCAT;
done:
    return status;
}

static godwit_status parse_nothing(gw_jparser *p, gw_jnode *node) {
    (void)p;
    (void)node;
    return GODWIT_OK;
}

typedef struct statement {
    const char *name;
    gw_jnode_type type;
    godwit_status (*parse)(gw_jparser *p, gw_jnode *node);
} statement;

static const statement statements[] = {
    {"if", GW_JN_IF, parse_if},
    {"for", GW_JN_FOR, parse_for},
    {"set", GW_JN_SET, parse_set},
    {"macro", GW_JN_MACRO, parse_macro},
    {"call", GW_JN_CALL_BLOCK, parse_call_block},
    {"filter", GW_JN_FILTER_BLOCK, parse_filter_block},
    {"with", GW_JN_WITH, parse_with},
    {"generation", GW_JN_BODY, parse_generation},
    {"print", GW_JN_PRINT, parse_print},
    {"break", GW_JN_BREAK, parse_nothing},
    {"continue", GW_JN_CONTINUE, parse_nothing},
};

// Whether a tag of that name ends a body.
static bool ends_body(gw_str name) {
    static const char *const names[] = {"elif", "else"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (gw_str_eq(name, gw_str_of(names[i]))) return true;
    }
    return name.n > 3 && memcmp(name.text, "end", 3) == 0;
}

static godwit_status parse_statement(gw_jparser *p, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    const statement *found = NULL;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        if (at_name(p, statements[i].name)) found = &statements[i];
    }
    if (!found) return gw_jinja_syntax(p, "a tag that is not known");
    GW_TRY(gw_jinja_enter(p));
    GW_TRY(gw_jinja_node(p, found->type, out));
    p->token++;
    GW_TRY(found->parse(p, *out));
    GW_TRY(expect_block_end(p));
    p->depth--;
done:
    return status;
}

godwit_status gw_jinja_parse_body(gw_jparser *p, gw_jnode **out) {
    godwit_status status = GODWIT_OK;
    gw_jnode **link = out;
    for (;;) {
        if (p->token->type == GW_JTOKEN_END) return GODWIT_OK;
        if (p->token->type == GW_JTOKEN_DATA) {
            GW_TRY(gw_jinja_node(p, GW_JN_TEXT, link));
            (*link)->name = p->token++->text;
        } else if (gw_jinja_skip(p, GW_JTOKEN_PRINT_BEGIN, NULL)) {
            GW_TRY(gw_jinja_node(p, GW_JN_PRINT, link));
            GW_TRY(gw_jinja_parse_tuple(p, true, false, NULL, &(*link)->a));
            GW_TRY(gw_jinja_expect(p, GW_JTOKEN_PRINT_END, NULL));
        } else {
            GW_TRY(gw_jinja_expect(p, GW_JTOKEN_BLOCK_BEGIN, NULL));
            if (p->token->type == GW_JTOKEN_NAME && ends_body(p->token->text)) return GODWIT_OK;
            GW_TRY(parse_statement(p, link));
        }
        link = &(*link)->next;
    }
done:
    return status;
}

// --- the template --------------------------------------------------------------------------------

// A copy with "\n" for every line end, without the last one.
static godwit_status copy_source(gw_arena *arena, const char *text, size_t n_bytes, gw_str *out,
                                 godwit_error *err) {
    char *copy = gw_arena_alloc(arena, n_bytes + 1, 1);
    size_t n = 0;
    uint32_t line = 1;
    if (!copy) return gw_fail(err, GODWIT_OUT_OF_MEMORY, "out of host memory: template");
    for (size_t i = 0; i < n_bytes;) {
        uint32_t code_point = 0;
        int length = gw_utf8_next(text + i, n_bytes - i, &code_point);
        if (length <= 0) {
            return gw_fail(err, GODWIT_MALFORMED, "template line %u: no UTF-8", line);
        }
        if (text[i] == '\r') {
            i += 1 + (i + 1 < n_bytes && text[i + 1] == '\n');
            copy[n++] = '\n';
        } else {
            memcpy(copy + n, text + i, (size_t)length);
            n += (size_t)length;
            i += (size_t)length;
        }
        line += copy[n - 1] == '\n';
    }
    if (n > 0 && copy[n - 1] == '\n') n--;
    *out = (gw_str){copy, n};
    return GODWIT_OK;
}

godwit_status gw_jinja_parse(const gw_host *host, const char *text, size_t n_bytes,
                             gw_jinja **out_template, godwit_error *err) {
    godwit_status status = GODWIT_OK;
    gw_jtokens tokens = {0};
    gw_str source = {0};
    gw_jinja *jinja = gw_alloc(host, 1, sizeof *jinja);
    *out_template = NULL;
    GW_CHECK_ALLOC(jinja, err, "template");
    gw_arena_init(&jinja->arena, host);
    if (n_bytes > GW_JINJA_MAX_SOURCE) {
        GW_FAIL(err, GODWIT_UNSUPPORTED, "template: %zu bytes, at most %d are read", n_bytes,
                GW_JINJA_MAX_SOURCE);
    }
    GW_TRY(copy_source(&jinja->arena, text, n_bytes, &source, err));
    GW_TRY(gw_jinja_lex(&jinja->arena, source, &tokens, err));
    gw_jparser p = {.arena = &jinja->arena, .token = tokens.items, .err = err};
    GW_TRY(gw_jinja_parse_body(&p, &jinja->body));
    if (p.token->type != GW_JTOKEN_END) GW_TRY(gw_jinja_syntax(&p, "it closes no tag"));
    *out_template = jinja;
    jinja = NULL;
done:
    gw_vec_deinit(&tokens, host);
    gw_jinja_destroy(&jinja);
    return status;
}

void gw_jinja_destroy(gw_jinja **jinja) {
    if (!*jinja) return;
    const gw_host *host = (*jinja)->arena.host;
    gw_arena_deinit(&(*jinja)->arena);
    gw_free(host, *jinja, sizeof **jinja);
    *jinja = NULL;
}
