// Lanes: see lanes.h. SPIR-V is rewritten where a module reads LocalInvocationId, whose x alone kernels use.
// Numbers are those of the SPIR-V 1.6 registry.
#include "support/lanes.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
    HEADER_WORDS = 5,
    AT_BOUND = 3,
    OP_TYPE_BOOL = 20,
    OP_CONSTANT = 43,
    OP_SPEC_CONSTANT = 50,
    OP_FUNCTION = 54,
    OP_LOAD = 61,
    OP_ACCESS_CHAIN = 65,
    OP_IN_BOUNDS_ACCESS_CHAIN = 66,
    OP_DECORATE = 71,
    OP_COMPOSITE_EXTRACT = 81,
    OP_COMPOSITE_INSERT = 82,
    OP_I_ADD = 128,
    OP_I_SUB = 130,
    OP_I_MUL = 132,
    OP_U_DIV = 134,
    OP_U_MOD = 137,
    OP_SELECT = 169,
    OP_I_EQUAL = 170,
    OP_CONTROL_BARRIER = 224,
    DEC_SPEC_ID = 1,
    DEC_BUILT_IN = 11,
    BUILT_IN_LOCAL_ID = 27,
    SIDE = 8,          // of the transposition
    MOST_MORE = 20,    // words, at most, for one that is there,
    MORE_AT_ONCE = 16, // and for what is put in where nothing was
};

typedef struct rewriter {
    const uint32_t *words;
    uint32_t n_words;
    uint32_t *out, n_out, bound;
    uint32_t local_id, size, uint_type, bool_type; // ids
    uint32_t zero, one, side;                      // constants
    uint8_t *is_zero, *is_chain;                   // of ids
    lanes_order order;
} rewriter;

static void put(rewriter *r, uint32_t op, uint32_t n, const uint32_t *operands) {
    r->out[r->n_out++] = (n + 1) << 16 | op;
    memcpy(r->out + r->n_out, operands, n * sizeof *operands);
    r->n_out += n;
}

static uint32_t binary(rewriter *r, uint32_t op, uint32_t type, uint32_t a, uint32_t b) {
    const uint32_t id = r->bound++;
    put(r, op, 4, (uint32_t[]){type, id, a, b});
    return id;
}

static uint32_t constant(rewriter *r, uint32_t value) {
    const uint32_t id = r->bound++;
    put(r, OP_CONSTANT, 3, (uint32_t[]){r->uint_type, id, value});
    return id;
}

// What a module says before its functions.
static void read_head(rewriter *r) {
    for (uint32_t at = HEADER_WORDS; at < r->n_words; at += r->words[at] >> 16) {
        const uint32_t *op = r->words + at, code = op[0] & 0xffffu;
        cr_assert(op[0] >> 16 && op[0] >> 16 <= r->n_words - at);
        if (code == OP_FUNCTION) break;
        if (code == OP_DECORATE && op[2] == DEC_BUILT_IN && op[3] == BUILT_IN_LOCAL_ID)
            r->local_id = op[1];
        if (code == OP_DECORATE && op[2] == DEC_SPEC_ID && op[3] == 0) r->size = op[1];
        if (code == OP_SPEC_CONSTANT && op[2] == r->size) r->uint_type = op[1];
        if (code == OP_TYPE_BOOL) r->bool_type = op[1];
        if (code == OP_CONSTANT && op[3] == 0) r->is_zero[op[2]] = 1;
    }
}

static void put_constants(rewriter *r) {
    if (!r->bool_type) {
        r->bool_type = r->bound++;
        put(r, OP_TYPE_BOOL, 1, &r->bool_type);
    }
    r->zero = constant(r, 0);
    r->one = constant(r, 1);
    r->side = constant(r, SIDE);
}

// The number that invocation x goes by; `id`: of the last instruction.
static void put_number(rewriter *r, uint32_t x, uint32_t id) {
    const uint32_t t = r->uint_type, n = r->size;
    uint32_t y = x;
    if (r->order != LANES_REVERSED) {
        const uint32_t row = binary(r, OP_U_MOD, t, x, r->side);
        const uint32_t first = binary(r, OP_I_MUL, t, row, binary(r, OP_U_DIV, t, n, r->side));
        const uint32_t turned = binary(r, OP_I_ADD, t, first, binary(r, OP_U_DIV, t, x, r->side));
        const uint32_t rest = binary(r, OP_U_MOD, t, n, r->side);
        const uint32_t whole = binary(r, OP_I_EQUAL, r->bool_type, rest, r->zero);
        y = r->order == LANES_TRANSPOSED ? id : r->bound++;
        put(r, OP_SELECT, 5, (uint32_t[]){t, y, whole, turned, x});
    }
    if (r->order == LANES_TRANSPOSED) return;
    const uint32_t last = binary(r, OP_I_SUB, t, n, r->one);
    put(r, OP_I_SUB, 4, (uint32_t[]){t, id, last, y});
}

// A load of the three numbers, or of the first alone.
static void put_load(rewriter *r, const uint32_t *op) {
    const uint32_t n = op[0] >> 16, loaded = r->bound++;
    uint32_t copy[MOST_MORE];
    memcpy(copy, op + 1, (n - 1) * sizeof *copy);
    copy[1] = loaded;
    put(r, OP_LOAD, n - 1, copy);
    if (op[3] != r->local_id) {
        put_number(r, loaded, op[2]);
        return;
    }
    const uint32_t x = r->bound++, y = r->bound++;
    put(r, OP_COMPOSITE_EXTRACT, 4, (uint32_t[]){r->uint_type, x, loaded, 0});
    put_number(r, x, y);
    put(r, OP_COMPOSITE_INSERT, 5, (uint32_t[]){op[1], op[2], y, loaded, 0});
}

// barrier: the number of the one that is left out. Returns how many there are.
static uint32_t rewrite(rewriter *r, uint32_t barrier) {
    uint32_t n_barriers = 0;
    bool in_functions = false;
    read_head(r);
    const bool turns = r->order != LANES_AS_THEY_ARE && r->local_id && r->uint_type;
    memcpy(r->out, r->words, HEADER_WORDS * sizeof *r->out);
    r->n_out = HEADER_WORDS;
    for (uint32_t at = HEADER_WORDS; at < r->n_words; at += r->words[at] >> 16) {
        const uint32_t *op = r->words + at, n = op[0] >> 16, code = op[0] & 0xffffu;
        if (code == OP_FUNCTION && !in_functions && turns) put_constants(r);
        in_functions |= code == OP_FUNCTION;
        if (code == OP_CONTROL_BARRIER && n_barriers++ == barrier) continue;
        if ((code == OP_ACCESS_CHAIN || code == OP_IN_BOUNDS_ACCESS_CHAIN) &&
            op[3] == r->local_id && r->is_zero[op[4]])
            r->is_chain[op[2]] = 1;
        if (turns && code == OP_LOAD && (op[3] == r->local_id || r->is_chain[op[3]]))
            put_load(r, op);
        else
            put(r, code, n - 1, op + 1);
    }
    r->out[AT_BOUND] = r->bound;
    return n_barriers;
}

static uint32_t turn(gw_shader *shader, const uint32_t *words, lanes_order order,
                     uint32_t barrier) {
    rewriter r = {.words = words, .n_words = shader->n_words, .bound = words[AT_BOUND]};
    uint32_t n_barriers;
    r.order = shader->subgroups ? LANES_AS_THEY_ARE : order;
    r.out = malloc((size_t)(MOST_MORE * shader->n_words + MORE_AT_ONCE) * sizeof *r.out);
    r.is_zero = calloc(r.bound, 1);
    r.is_chain = calloc(r.bound, 1);
    cr_assert(r.out && r.is_zero && r.is_chain);
    n_barriers = rewrite(&r, barrier);
    free(r.is_zero);
    free(r.is_chain);
    shader->words = realloc(r.out, r.n_out * sizeof *r.out);
    shader->n_words = r.n_out;
    cr_assert(shader->words);
    return n_barriers;
}

lanes_order lanes_order_of(const char *name) {
    static const char *const names[LANES_N_ORDERS] = {"as they are", "reversed", "transposed",
                                                      "both"};
    for (int i = 0; name && i < LANES_N_ORDERS; i++)
        if (strcmp(name, names[i]) == 0) return (lanes_order)i;
    cr_assert(!name, "%s is no order of lanes", name);
    return LANES_AS_THEY_ARE;
}

lanes_modules lanes_make(lanes_order order, const char *without, uint32_t barrier,
                         uint32_t *out_n_barriers) {
    lanes_modules m;
    const gw_shader *all = gw_shader_table(&m.n);
    uint32_t *frame = NULL;
    const uint8_t *unpacked = NULL;
    m.table = malloc(m.n * sizeof *m.table);
    cr_assert(m.table);
    for (uint32_t i = 0; i < m.n; i++) {
        const bool is_it = without && strcmp(all[i].name, without) == 0;
        m.table[i] = all[i];
        if (!all[i].words && all[i].packed != unpacked) {
            const size_t bytes = all[i].frame_words * sizeof *frame;
            frame = realloc(frame, bytes);
            cr_assert(frame &&
                      ZSTD_decompress(frame, bytes, all[i].packed, all[i].packed_bytes) == bytes);
            unpacked = all[i].packed;
        }
        const uint32_t n_barriers =
            turn(&m.table[i], all[i].words ? all[i].words : frame + all[i].frame_first, order,
                 is_it ? barrier : UINT32_MAX);
        if (is_it && out_n_barriers) *out_n_barriers = n_barriers;
    }
    free(frame);
    return m;
}

void lanes_free(lanes_modules *modules) {
    for (uint32_t i = 0; i < modules->n; i++) free((void *)modules->table[i].words);
    free(modules->table);
    *modules = (lanes_modules){0};
}
