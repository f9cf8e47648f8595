// Jinja: the part of the template language that chat templates use, bounded.
//
// A template comes out of a model file that nobody vouches for, the values out of a client's JSON:
// so parsing and rendering are bounded in depth, steps, memory and output by the constants below,
// and nothing in a template reaches past its values. What it renders is what Jinja2 3.1 renders
// under the settings of the transformers library: immutable sandbox, trim_blocks, lstrip_blocks,
// loop controls, `generation` blocks, tojson without ASCII escapes. Whole numbers have 64 bits.
// Thread rule: a parsed template is immutable; any number of threads may render it.
#ifndef GW_TEXT_JINJA_H
#define GW_TEXT_JINJA_H

#include "file/json.h"

enum {
    GW_JINJA_MAX_SOURCE = 1 << 20, // bytes of a template
    GW_JINJA_MAX_NESTING = 100,    // of statements and brackets in a template
    GW_JINJA_MAX_DEPTH = 400,      // of expressions, macros and values while rendering
    GW_JINJA_MAX_STEPS = 1 << 23,  // nodes worked on, and 64 bytes of text handled
    GW_JINJA_MAX_OUTPUT = 64 << 20,
    GW_JINJA_MAX_MEMORY = 256 << 20,
    GW_JINJA_MAX_RANGE = 100000, // as Jinja2's sandbox has it
};

typedef struct gw_jinja gw_jinja;

// text is copied. GODWIT_MALFORMED names the line and what is wrong.
godwit_status gw_jinja_parse(const gw_host *host, const char *text, size_t n_bytes,
                             gw_jinja **out_template, godwit_error *err);
void gw_jinja_destroy(gw_jinja **jinja);

// A variable that a template sees; value NULL: it is undefined.
typedef struct gw_jinja_variable {
    const char *name;
    const gw_json *value;
} gw_jinja_variable;

// Freed with gw_free(host, text, cap).
typedef struct gw_jinja_output {
    char *text;
    size_t n, cap;
} gw_jinja_output;

// now_s: what strftime_now formats, seconds since 1970 of the local time. GODWIT_INVALID_ARGUMENT
// where the template refuses the values (raise_exception) or makes something of them that cannot
// be; GODWIT_UNSUPPORTED at a bound, or where this subset lacks something.
godwit_status gw_jinja_render(const gw_jinja *jinja, const gw_jinja_variable *variables,
                              size_t n_variables, int64_t now_s, gw_jinja_output *out,
                              godwit_error *err);

#endif
