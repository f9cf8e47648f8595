// Jinja, inside: tokens, tree and values, shared by the files jinja_*.c.
//
// Rendering has sticky errors: the first failure is kept in gw_jrun.status, and everything after it
// gives undefined or empty values until somebody looks. All memory of a rendering is its arena's.
#ifndef GW_TEXT_JINJA_IMPL_H
#define GW_TEXT_JINJA_IMPL_H

#include "base/status.h"
#include "text/jinja.h"

// --- tokens

typedef enum gw_jtoken_type {
    GW_JTOKEN_END,
    GW_JTOKEN_DATA,
    GW_JTOKEN_PRINT_BEGIN, // {{
    GW_JTOKEN_PRINT_END,
    GW_JTOKEN_BLOCK_BEGIN, // {%
    GW_JTOKEN_BLOCK_END,
    GW_JTOKEN_NAME,
    GW_JTOKEN_STRING, // text: without quotes and escapes
    GW_JTOKEN_INT,
    GW_JTOKEN_FLOAT,
    GW_JTOKEN_OP,
} gw_jtoken_type;

typedef struct gw_jtoken {
    gw_jtoken_type type;
    uint32_t line;
    gw_str text;
} gw_jtoken;

typedef struct gw_jtokens {
    gw_jtoken *items;
    size_t n, cap;
} gw_jtokens;

// Tokens point into text and the arena; text has "\n" alone as line ends.
godwit_status gw_jinja_lex(gw_arena *arena, gw_str text, gw_jtokens *out, godwit_error *err);

// --- values

typedef enum gw_jtype {
    GW_J_ABSENT, // an argument that was not given; nowhere else
    GW_J_UNDEFINED,
    GW_J_NONE,
    GW_J_BOOL,
    GW_J_INT,
    GW_J_FLOAT,
    GW_J_STR,
    GW_J_LIST,
    GW_J_DICT,
    GW_J_NAMESPACE,
    GW_J_LOOP,
    GW_J_MACRO,
    GW_J_FUNCTION,
    GW_J_METHOD,
} gw_jtype;

typedef struct gw_jlist gw_jlist;
typedef struct gw_jdict gw_jdict;
typedef struct gw_jloop gw_jloop;
typedef struct gw_jmacro gw_jmacro;
typedef struct gw_jmethod gw_jmethod;
typedef struct gw_jfunction gw_jfunction;

typedef struct gw_jvalue {
    gw_jtype type;
    bool safe; // a string of Markup: what is added to it is escaped
    union {
        bool b;
        int64_t i;
        double f;
        gw_str s; // also what is undefined, in words
        gw_jlist *list;
        gw_jdict *dict; // also a namespace's
        gw_jloop *loop;
        gw_jmacro *macro;
        gw_jmethod *method;
        const gw_jfunction *function;
    };
} gw_jvalue;

// What Python has several types for. A generator is read once; a view has no index.
typedef enum gw_jlist_kind {
    GW_JLIST_LIST,
    GW_JLIST_TUPLE,
    GW_JLIST_RANGE,
    GW_JLIST_VIEW,
    GW_JLIST_GENERATOR
} gw_jlist_kind;

struct gw_jlist {
    gw_jlist_kind kind;
    bool is_read; // a generator
    gw_jvalue *items;
    size_t n, cap;
};

typedef struct gw_jentry {
    gw_jvalue key, value;
} gw_jentry;

struct gw_jdict {
    gw_jentry *items; // in the order of their coming
    size_t n, cap;
    uint32_t *slots; // [n_slots] of hashes: item + 1; NULL while there are few
    size_t n_slots;
};

// --- tree

typedef enum gw_jnode_type {
    GW_JN_CONST, // value
    GW_JN_NAME,
    GW_JN_LIST, // a: items
    GW_JN_TUPLE,
    GW_JN_DICT,    // a: PAIRs
    GW_JN_PAIR,    // a: b
    GW_JN_ATTR,    // a.name
    GW_JN_ITEM,    // a[b]
    GW_JN_SLICE,   // a[b:c:d]
    GW_JN_CALL,    // a(b ...)
    GW_JN_KEYWORD, // name=a, among arguments; op '*' or 'P': *a, **a
    GW_JN_FILTER,  // a|name(b ...); a NULL in a block
    GW_JN_TEST,    // a is name(b ...)
    GW_JN_NOT,
    GW_JN_NEGATE,
    GW_JN_PLUS,
    GW_JN_BINARY, // a op b
    GW_JN_AND,
    GW_JN_OR,
    GW_JN_CONCAT,  // a ~ ...
    GW_JN_COMPARE, // a, then b: OPERANDs
    GW_JN_OPERAND, // op a
    GW_JN_IF_ELSE, // a if b else c
    GW_JN_TEXT,    // name
    GW_JN_PRINT,   // a
    GW_JN_IF,      // a, then b, else c
    GW_JN_FOR,     // for a in b if e: c, else d
    GW_JN_SET,     // a = b
    GW_JN_SET_BLOCK,
    GW_JN_MACRO, // name(a ...): c; a: NAMEs, a's b the default
    GW_JN_CALL_BLOCK,
    GW_JN_FILTER_BLOCK, // b, c the body
    GW_JN_WITH,         // a: SETs, c the body
    GW_JN_BODY,         // c, nothing around it
    GW_JN_BREAK,
    GW_JN_CONTINUE,
} gw_jnode_type;

// Operators of BINARY and OPERAND; others are their own character.
enum { GW_JOP_FLOOR = 'f', GW_JOP_POWER = 'p', GW_JOP_LE = 'l', GW_JOP_GE = 'g', GW_JOP_NE = 'n' };
enum { GW_JOP_IN = 'i', GW_JOP_NOT_IN = 'o' };

typedef struct gw_jnode gw_jnode;
struct gw_jnode {
    gw_jnode_type type;
    char op;
    uint32_t line;
    gw_str name;
    gw_jvalue value;
    gw_jnode *a, *b, *c, *d, *e;
    gw_jnode *next; // in a list
};

struct gw_jinja {
    gw_arena arena;
    gw_jnode *body;
};

// A template's parser: the token it is at, the nesting.
typedef struct gw_jparser {
    gw_arena *arena;
    const gw_jtoken *token; // ends with GW_JTOKEN_END
    int depth;
    godwit_error *err;
} gw_jparser;

godwit_status gw_jinja_syntax(const gw_jparser *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool gw_jinja_at(const gw_jparser *p, gw_jtoken_type type, const char *text);
bool gw_jinja_skip(gw_jparser *p, gw_jtoken_type type, const char *text);
godwit_status gw_jinja_expect(gw_jparser *p, gw_jtoken_type type, const char *text);
godwit_status gw_jinja_node(gw_jparser *p, gw_jnode_type type, gw_jnode **out);
godwit_status gw_jinja_enter(gw_jparser *p);
godwit_status gw_jinja_parse_expression(gw_jparser *p, bool if_else, gw_jnode **out);
// Also a, b; bracketed: () is one as well. before: a name that ends it, NULL for none.
godwit_status gw_jinja_parse_tuple(gw_jparser *p, bool if_else, bool bracketed, const char *before,
                                   gw_jnode **out);
godwit_status gw_jinja_parse_primary(gw_jparser *p, gw_jnode **out);
godwit_status gw_jinja_parse_arguments(gw_jparser *p, gw_jnode **out);
// The filters behind a value; bare: the first one has no | in front of it.
godwit_status gw_jinja_parse_filters(gw_jparser *p, bool bare, gw_jnode **io);
godwit_status gw_jinja_parse_body(gw_jparser *p, gw_jnode **out); // jinja_statements.c

// --- rendering

typedef struct gw_jvar {
    gw_str name;
    gw_jvalue value;
    struct gw_jvar *next;
} gw_jvar;

typedef struct gw_jscope {
    struct gw_jscope *up;
    gw_jvar *vars;
} gw_jscope;

struct gw_jmacro {
    const gw_jnode *node; // MACRO or CALL_BLOCK
    gw_jscope *scope;     // where it was written
};

struct gw_jloop {
    const gw_jlist *list;
    size_t i;
    gw_jvalue changed; // what loop.changed was called with
};

typedef struct gw_jargs {
    const gw_jvalue *items;
    size_t n;
    const gw_jentry *keywords;
    size_t n_keywords;
} gw_jargs;

typedef struct gw_jrun {
    const gw_host *host;
    gw_arena arena;
    gw_jinja_output out; // what is printed, and behind it every string that is being made
    gw_jscope *scope;
    int64_t now_s;
    uint64_t n_steps, n_bytes;
    int depth;
    uint32_t line;
    godwit_status status;
    godwit_error *err;
} gw_jrun;

enum { GW_J_MAX_PARAMS = 6 };
// p: the arguments by the row's names, absent ones GW_J_ABSENT; args: all, where params is "*".
typedef gw_jvalue (*gw_jfunction_fn)(gw_jrun *r, gw_jvalue self, const gw_jvalue *p,
                                     const gw_jargs *args);
struct gw_jfunction {
    const char *name;
    gw_jfunction_fn fn;
    const char *params; // "width,first": in their order; "!" in front of those that must be given
};
struct gw_jmethod {
    gw_jvalue self;
    const gw_jfunction *function;
};
gw_jvalue gw_jinja_apply(gw_jrun *r, const gw_jfunction *function, gw_jvalue self,
                         const gw_jargs *args);
const gw_jfunction *gw_jinja_find_function(const gw_jfunction *table, gw_str name);
extern const gw_jfunction gw_jinja_text_filters[], gw_jinja_list_filters[], gw_jinja_tests[],
    gw_jinja_globals[];
gw_jvalue gw_jinja_filter(gw_jrun *r, gw_str name, gw_jvalue self, const gw_jargs *args);
bool gw_jinja_test(gw_jrun *r, gw_str name, gw_jvalue self, const gw_jargs *args);
const gw_jfunction *gw_jinja_method(gw_jvalue self, gw_str name);
gw_jvalue gw_jinja_call(gw_jrun *r, gw_jvalue callee, const gw_jargs *args);
gw_jvalue gw_jinja_eval(gw_jrun *r, const gw_jnode *node);
gw_jvalue gw_jinja_call_macro(gw_jrun *r, const gw_jmacro *macro, const gw_jargs *args);
void gw_jinja_assign(gw_jrun *r, const gw_jnode *target, gw_jvalue value);

// A BINARY node (jinja_number.c).
gw_jvalue gw_jinja_binary(gw_jrun *r, char op, gw_jvalue a, gw_jvalue b);

// --- helpers of rendering (jinja_value.c)

gw_jvalue gw_jinja_fail(gw_jrun *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
gw_jvalue gw_jinja_limit(gw_jrun *r, const char *what);
void *gw_jinja_alloc(gw_jrun *r, size_t n_items, size_t item_bytes);
bool gw_jinja_step(gw_jrun *r, size_t n); // false at the bound
bool gw_jinja_deeper(gw_jrun *r);         // then r->depth-- behind it

static inline gw_jvalue gw_jinja_undefined(gw_str what) {
    return (gw_jvalue){.type = GW_J_UNDEFINED, .s = what};
}
static inline gw_jvalue gw_jinja_none(void) {
    return (gw_jvalue){.type = GW_J_NONE};
}
static inline gw_jvalue gw_jinja_bool(bool b) {
    return (gw_jvalue){.type = GW_J_BOOL, .b = b};
}
static inline gw_jvalue gw_jinja_int(int64_t i) {
    return (gw_jvalue){.type = GW_J_INT, .i = i};
}
static inline gw_jvalue gw_jinja_float(double f) {
    return (gw_jvalue){.type = GW_J_FLOAT, .f = f};
}
static inline gw_jvalue gw_jinja_str(gw_str s) {
    return (gw_jvalue){.type = GW_J_STR, .s = s};
}

const char *gw_jinja_type_name(gw_jvalue v); // Python's
bool gw_jinja_truth(gw_jvalue v);
bool gw_jinja_equal(gw_jrun *r, gw_jvalue a, gw_jvalue b);
int gw_jinja_compare(gw_jrun *r, gw_jvalue a, gw_jvalue b); // fails where they have no order
bool gw_jinja_number(gw_jvalue v, double *out);             // also of a bool
bool gw_jinja_whole(gw_jvalue v, int64_t *out);             // an int or bool
bool gw_jinja_is_given(gw_jvalue v);                        // an argument, and not none
// An argument that is a whole number; otherwise what it is without one.
int64_t gw_jinja_whole_or(gw_jrun *r, gw_jvalue v, int64_t otherwise);
int64_t gw_jinja_length(gw_jrun *r, gw_jvalue v);
bool gw_jinja_contains(gw_jrun *r, gw_jvalue container, gw_jvalue item);
gw_jvalue gw_jinja_attribute(gw_jrun *r, gw_jvalue v, gw_str name);
gw_jvalue gw_jinja_item(gw_jrun *r, gw_jvalue v, gw_jvalue key);
gw_jvalue gw_jinja_slice(gw_jrun *r, gw_jvalue v, const gw_jvalue bounds[3]);
// What iterating gives: a list's own items, a dict's keys, a string's characters.
gw_jlist *gw_jinja_iterate(gw_jrun *r, gw_jvalue v);

gw_jlist *gw_jinja_list(gw_jrun *r, gw_jlist_kind kind, size_t cap); // never NULL but on failure
void gw_jinja_push(gw_jrun *r, gw_jlist *list, gw_jvalue item);
gw_jvalue gw_jinja_of_list(gw_jlist *list);
gw_jvalue gw_jinja_pair(gw_jrun *r, gw_jvalue a, gw_jvalue b);
gw_jdict *gw_jinja_dict(gw_jrun *r);
void gw_jinja_dict_set(gw_jrun *r, gw_jdict *dict, gw_jvalue key, gw_jvalue value);
const gw_jvalue *gw_jinja_dict_get(gw_jrun *r, const gw_jdict *dict, gw_jvalue key);
gw_jvalue gw_jinja_of_json(gw_jrun *r, const gw_json *json);
bool gw_jinja_parse_float(gw_str text, double *out);
bool gw_jinja_parse_int(gw_str text, int base, int64_t *out);

// --- text (jinja_text.c): strings are made at the end of r->out

void gw_jinja_put(gw_jrun *r, const char *text, size_t n);
void gw_jinja_put_str(gw_jrun *r, gw_str s);
size_t gw_jinja_begin(const gw_jrun *r);
gw_jvalue gw_jinja_end(gw_jrun *r, size_t begin); // what was put since, as a string
void gw_jinja_print(gw_jrun *r, gw_jvalue v);     // str()
void gw_jinja_repr(gw_jrun *r, gw_jvalue v);
gw_str gw_jinja_text(gw_jrun *r, gw_jvalue v);         // str() of it
void gw_jinja_put_escaped(gw_jrun *r, gw_jvalue v);    // for HTML, unless it is safe
void gw_jinja_put_int(gw_jrun *r, int64_t i, int pad); // pad: digits at least, with zeros
typedef struct gw_jjson {
    gw_str indent; // text NULL: all in one line
    gw_str item, key;
    bool sort, ascii;
} gw_jjson;
void gw_jinja_put_json(gw_jrun *r, gw_jvalue v, const gw_jjson *form, int level);
// Digits of a double: the shortest that read back as it, or n_digits of fraction ("%.*f").
void gw_jinja_put_float(gw_jrun *r, double f);
void gw_jinja_put_fixed(gw_jrun *r, double f, int n_digits);
// At most n_most parts are replaced, -1: all.
gw_jvalue gw_jinja_replace(gw_jrun *r, gw_str s, gw_str from, gw_str to, int64_t n_most);
gw_jvalue gw_jinja_percent(gw_jrun *r, gw_str format, const gw_jargs *args); // jinja_format.c
gw_jvalue gw_jinja_format(gw_jrun *r, gw_str format, const gw_jargs *args);
gw_jvalue gw_jinja_strftime(gw_jrun *r, gw_str format);

// --- characters (jinja_chars.c)

bool gw_jinja_is_space(uint32_t code_point); // Python's str.isspace
// The character at text[i] and its length; the one before text[i].
uint32_t gw_jinja_char(gw_str s, size_t i, size_t *out_n);
uint32_t gw_jinja_char_before(gw_str s, size_t i, size_t *out_n);
size_t gw_jinja_n_chars(gw_str s);
gw_str gw_jinja_strip(gw_str s, const gw_str *chars, bool left, bool right); // NULL: white space
size_t gw_jinja_find(gw_str s, gw_str part, size_t from);                    // s.n + 1: not there
bool gw_jinja_is_line_end(uint32_t code_point); // Python's str.splitlines
// The line at *io, which passes it and its end; keep: the end is part of it.
gw_str gw_jinja_next_line(gw_str s, size_t *io, bool keep);
typedef enum gw_jcase { GW_JCASE_LOWER, GW_JCASE_UPPER, GW_JCASE_TITLE } gw_jcase;
void gw_jinja_put_case(gw_jrun *r, uint32_t code_point, gw_jcase to);
void gw_jinja_put_case_str(gw_jrun *r, gw_str s, gw_jcase to); // title: the first, then lower
bool gw_jinja_ends_in_sigma(gw_str s, size_t i, size_t n);     // at s.text[i], of n bytes
bool gw_jinja_is_alpha(uint32_t code_point);

#endif
