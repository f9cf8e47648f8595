// Jinja's tests ("is ...") and the functions that every template has.
#include "text/jinja_impl.h"

// One of several tests of a value's type; the test's name tells which.
#define TYPE_TEST(name, condition)                                                                 \
    static gw_jvalue is_##name(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,                     \
                               const gw_jargs *args) {                                             \
        (void)r, (void)p, (void)args;                                                              \
        return gw_jinja_bool(condition);                                                           \
    }

TYPE_TEST(defined, self.type != GW_J_UNDEFINED)
TYPE_TEST(undefined, self.type == GW_J_UNDEFINED)
TYPE_TEST(none, self.type == GW_J_NONE)
TYPE_TEST(boolean, self.type == GW_J_BOOL)
TYPE_TEST(true, self.type == GW_J_BOOL && self.b)
TYPE_TEST(false, self.type == GW_J_BOOL && !self.b)
TYPE_TEST(integer, self.type == GW_J_INT)
TYPE_TEST(float, self.type == GW_J_FLOAT)
TYPE_TEST(number, self.type == GW_J_INT || self.type == GW_J_FLOAT || self.type == GW_J_BOOL)
TYPE_TEST(string, self.type == GW_J_STR)
TYPE_TEST(mapping, self.type == GW_J_DICT)
TYPE_TEST(iterable, self.type == GW_J_STR || self.type == GW_J_LIST || self.type == GW_J_DICT ||
                        self.type == GW_J_UNDEFINED || self.type == GW_J_LOOP)
TYPE_TEST(sequence, self.type == GW_J_STR || self.type == GW_J_DICT ||
                        self.type == GW_J_UNDEFINED ||
                        (self.type == GW_J_LIST && self.list->kind < GW_JLIST_VIEW))
TYPE_TEST(callable, self.type == GW_J_MACRO || self.type == GW_J_FUNCTION ||
                        self.type == GW_J_METHOD || self.type == GW_J_UNDEFINED)
TYPE_TEST(escaped, self.type == GW_J_STR && self.safe)

static gw_jvalue is_equal(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return gw_jinja_bool(gw_jinja_equal(r, self, p[0]));
}

static gw_jvalue is_not_equal(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,
                              const gw_jargs *args) {
    (void)args;
    return gw_jinja_bool(!gw_jinja_equal(r, self, p[0]));
}

static gw_jvalue is_less(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return gw_jinja_bool(gw_jinja_compare(r, self, p[0]) < 0);
}

static gw_jvalue is_at_most(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return gw_jinja_bool(gw_jinja_compare(r, self, p[0]) <= 0);
}

static gw_jvalue is_greater(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return gw_jinja_bool(gw_jinja_compare(r, self, p[0]) > 0);
}

static gw_jvalue is_at_least(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return gw_jinja_bool(gw_jinja_compare(r, self, p[0]) >= 0);
}

static gw_jvalue is_in(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    return gw_jinja_bool(gw_jinja_contains(r, p[0], self));
}

static gw_jvalue is_same(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)args;
    if (self.type != p[0].type) return gw_jinja_bool(false);
    if (self.type == GW_J_LIST) return gw_jinja_bool(self.list == p[0].list);
    if (self.type == GW_J_DICT) return gw_jinja_bool(self.dict == p[0].dict);
    return gw_jinja_bool(gw_jinja_equal(r, self, p[0]));
}

static gw_jvalue is_divisible(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,
                              const gw_jargs *args) {
    (void)args;
    gw_jvalue rest = gw_jinja_binary(r, '%', self, p[0]);
    return gw_jinja_bool(gw_jinja_equal(r, rest, gw_jinja_int(0)));
}

static gw_jvalue has_parity(gw_jrun *r, gw_jvalue self, int64_t wanted) {
    gw_jvalue rest = gw_jinja_binary(r, '%', self, gw_jinja_int(2));
    return gw_jinja_bool(gw_jinja_equal(r, rest, gw_jinja_int(wanted)));
}

static gw_jvalue is_odd(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return has_parity(r, self, 1);
}

static gw_jvalue is_even(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return has_parity(r, self, 0);
}

// Of the letters that have cases there is one, and all are of this one.
static gw_jvalue has_case(gw_jrun *r, gw_jvalue self, const char *method) {
    gw_jargs none = {0};
    gw_jvalue text = gw_jinja_str(gw_jinja_text(r, self));
    return gw_jinja_apply(r, gw_jinja_method(text, gw_str_of(method)), text, &none);
}

static gw_jvalue is_lower(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return has_case(r, self, "islower");
}

static gw_jvalue is_upper(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return has_case(r, self, "isupper");
}

static gw_jvalue is_filter(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    gw_str name = gw_jinja_text(r, self);
    return gw_jinja_bool(gw_jinja_find_function(gw_jinja_text_filters, name) ||
                         gw_jinja_find_function(gw_jinja_list_filters, name));
}

static gw_jvalue is_test(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)p, (void)args;
    return gw_jinja_bool(gw_jinja_find_function(gw_jinja_tests, gw_jinja_text(r, self)));
}

const gw_jfunction gw_jinja_tests[] = {
    {"defined", is_defined, ""},
    {"undefined", is_undefined, ""},
    {"none", is_none, ""},
    {"boolean", is_boolean, ""},
    {"true", is_true, ""},
    {"false", is_false, ""},
    {"integer", is_integer, ""},
    {"float", is_float, ""},
    {"number", is_number, ""},
    {"string", is_string, ""},
    {"mapping", is_mapping, ""},
    {"iterable", is_iterable, ""},
    {"sequence", is_sequence, ""},
    {"callable", is_callable, ""},
    {"escaped", is_escaped, ""},
    {"eq", is_equal, "!b"},
    {"equalto", is_equal, "!b"},
    {"==", is_equal, "!b"},
    {"ne", is_not_equal, "!b"},
    {"!=", is_not_equal, "!b"},
    {"lt", is_less, "!b"},
    {"lessthan", is_less, "!b"},
    {"<", is_less, "!b"},
    {"le", is_at_most, "!b"},
    {"<=", is_at_most, "!b"},
    {"gt", is_greater, "!b"},
    {"greaterthan", is_greater, "!b"},
    {">", is_greater, "!b"},
    {"ge", is_at_least, "!b"},
    {">=", is_at_least, "!b"},
    {"in", is_in, "!seq"},
    {"sameas", is_same, "!other"},
    {"divisibleby", is_divisible, "!num"},
    {"odd", is_odd, ""},
    {"even", is_even, ""},
    {"lower", is_lower, ""},
    {"upper", is_upper, ""},
    {"filter", is_filter, ""},
    {"test", is_test, ""},
    {0},
};

// --- functions -----------------------------------------------------------------------------------

static gw_jvalue raise_exception(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,
                                 const gw_jargs *args) {
    (void)self, (void)args;
    gw_str why = gw_jinja_text(r, p[0]);
    return gw_jinja_fail(r, "the template refuses these messages: %.*s", GW_STR_ARG(why));
}

static gw_jvalue strftime_now(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,
                              const gw_jargs *args) {
    (void)self, (void)args;
    return gw_jinja_strftime(r, gw_jinja_text(r, p[0]));
}

static gw_jvalue range(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)self, (void)p;
    int64_t at[3] = {0, 0, 1};
    if (args->n < 1 || args->n > 3 || args->n_keywords > 0) {
        return gw_jinja_fail(r, "range: one to three numbers are wanted");
    }
    for (size_t i = 0; i < args->n; i++) {
        if (!gw_jinja_whole(args->items[i], &at[args->n == 1 ? 1 : i])) {
            return gw_jinja_fail(r, "range: a whole number is wanted, not %s",
                                 gw_jinja_type_name(args->items[i]));
        }
    }
    if (at[2] == 0) return gw_jinja_fail(r, "range: its step must not be zero");
    gw_jlist *list = gw_jinja_list(r, GW_JLIST_RANGE, 0);
    for (int64_t i = at[0]; list && (at[2] > 0 ? i < at[1] : i > at[1]) && gw_jinja_step(r, 1);) {
        if (list->n == GW_JINJA_MAX_RANGE) return gw_jinja_limit(r, "range: too many numbers");
        gw_jinja_push(r, list, gw_jinja_int(i));
        if (__builtin_add_overflow(i, at[2], &i)) break;
    }
    return gw_jinja_of_list(list);
}

// A dict of a mapping or of pairs, and of keywords.
static gw_jvalue make_dict(gw_jrun *r, gw_jtype type, const gw_jargs *args) {
    gw_jdict *dict = gw_jinja_dict(r);
    if (!dict) return gw_jinja_none();
    if (args->n > 1) return gw_jinja_fail(r, "dict: one argument and keywords are wanted");
    if (args->n == 1 && args->items[0].type == GW_J_DICT) {
        const gw_jdict *from = args->items[0].dict;
        for (size_t i = 0; i < from->n && gw_jinja_step(r, 1); i++) {
            gw_jinja_dict_set(r, dict, from->items[i].key, from->items[i].value);
        }
    } else if (args->n == 1) {
        const gw_jlist *pairs = gw_jinja_iterate(r, args->items[0]);
        for (size_t i = 0; pairs && i < pairs->n && gw_jinja_step(r, 1); i++) {
            const gw_jlist *pair = gw_jinja_iterate(r, pairs->items[i]);
            if (!pair || pair->n != 2) return gw_jinja_fail(r, "dict: pairs are wanted");
            gw_jinja_dict_set(r, dict, pair->items[0], pair->items[1]);
        }
    }
    for (size_t i = 0; i < args->n_keywords && gw_jinja_step(r, 1); i++) {
        gw_jinja_dict_set(r, dict, args->keywords[i].key, args->keywords[i].value);
    }
    return (gw_jvalue){.type = type, .dict = dict};
}

static gw_jvalue dict(gw_jrun *r, gw_jvalue self, const gw_jvalue *p, const gw_jargs *args) {
    (void)self, (void)p;
    return make_dict(r, GW_J_DICT, args);
}

static gw_jvalue new_namespace(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,
                               const gw_jargs *args) {
    (void)self, (void)p;
    return make_dict(r, GW_J_NAMESPACE, args);
}

const gw_jfunction gw_jinja_globals[] = {
    {"raise_exception", raise_exception, "!message"},
    {"strftime_now", strftime_now, "!format"},
    {"range", range, "*"},
    {"dict", dict, "*"},
    {"namespace", new_namespace, "*"},
    {0},
};
