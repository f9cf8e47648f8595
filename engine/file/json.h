// JSON: reads a text that somebody else wrote into a tree (RFC 8259, strictly).
//
// Own and small instead of a library's, so that the engine needs none: the headers and folders it
// is for need a tree, exact whole numbers, and every bound checked: length, depth, and the number
// of nodes, since a node takes more room than the text it is made of. Names that come twice in an
// object stay both; who reads must say what that means. Thread rule: immutable after gw_json_parse.
#ifndef GW_FILE_JSON_H
#define GW_FILE_JSON_H

#include "base/mem.h"
#include "base/span.h"

enum { GW_JSON_MAX_DEPTH = 64, GW_JSON_MAX_NODES = 1 << 22 };

typedef enum gw_json_type {
    GW_JSON_NULL,
    GW_JSON_BOOL,
    GW_JSON_NUMBER,
    GW_JSON_STRING,
    GW_JSON_ARRAY,
    GW_JSON_OBJECT,
} gw_json_type;

typedef struct gw_json gw_json;
struct gw_json {
    gw_json_type type;
    bool is_true;
    uint32_t n;           // items of an array or object
    gw_str key;           // in an object; may hold any character, also zero
    gw_str text;          // a string's characters, or a number as it stands
    const gw_json *first; // item
    const gw_json *next;  // sibling
};

// The tree lies in the arena and points into bytes. GODWIT_MALFORMED tells what and at which byte.
godwit_status gw_json_parse(gw_arena *arena, const uint8_t *bytes, uint64_t n_bytes,
                            const gw_json **out_root, godwit_error *err);

// The item of that name, the first where there are several; NULL where there is none, or where
// object is no object or NULL itself.
const gw_json *gw_json_get(const gw_json *object, const char *key);
// Whether there is no node, or it is null: most files mean the same by both.
bool gw_json_is_null(const gw_json *node);
// False, with *out untouched, where node is NULL or something else.
bool gw_json_u64(const gw_json *node, uint64_t *out); // written without point and exponent
bool gw_json_f64(const gw_json *node,
                 double *out); // finite; exact to 15 digits and 10^22, else to 2 units
bool gw_json_str(const gw_json *node, gw_str *out);
bool gw_json_bool(const gw_json *node, bool *out);
// Whether node is a string of that text.
bool gw_json_is(const gw_json *node, const char *text);

#endif
