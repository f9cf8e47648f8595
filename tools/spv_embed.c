// spv_embed: build tool. Reads the SPIR-V modules of a build, checks them, writes one C file with
// the table that engine/gpu/gpu.h declares (gw_shader_table).
//
// The checks are where Godwit's promise of the same bits is held against a compiler that does not
// know of it: in a module whose variant is not "fast", float arithmetic is limited to operations
// that every Vulkan driver rounds alike (SPIR-V environment, "Precision and Operation of SPIR-V
// Instructions"): additions, subtractions and products that carry NoContraction; minimum, maximum,
// absolute value, sign and clamp. Division, square roots, dot products, 64-bit floats, 16-bit ones
// (but for widening them where the module asks for DenormPreserve) and reductions over a subgroup
// are refused: their rounding or their order is the driver's choice. The
// plain module of an op is what the weakest device runs, so it may use no optional capability, and
// at most 16 KiB of shared memory. Numbers are those of the SPIR-V 1.6 and GLSL.std.450 registries.
// Modules are much alike: some of them together are written as a zstd frame, a fifth of their bytes.
//
// Usage: spv_embed (--check | -o table.c) (module.spv | @list-of-modules.txt)...
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum {
    MAX_MODULES = 288,         // budget of the whole library
    MAX_TOTAL_BYTES = 5500000, // likewise; packed a fifth of it, of 4 MB for all
    ZSTD_LEVEL = 19,
    FRAME_BYTES =
        512 * 1024,   // of modules; a kernel's first use unpacks a frame, in half a millisecond
    MAX_BINDINGS = 8, // GW_KERNEL_MAX_BINDINGS
    PUSH_BYTES = 128, // Vulkan's guaranteed minimum
    FLOOR_SHARED_BYTES = 16384, // likewise
    MAX_BOUND = 1 << 20,
    NAME_BYTES = 96,
};

enum {
    OP_EXT_INST_IMPORT = 11,
    OP_EXT_INST = 12,
    OP_EXECUTION_MODE = 16,
    OP_CAPABILITY = 17,
    OP_TYPE_INT = 21,
    OP_TYPE_FLOAT = 22,
    OP_TYPE_VECTOR = 23,
    OP_TYPE_IMAGE = 25,
    OP_TYPE_SAMPLED_IMAGE = 27,
    OP_TYPE_ARRAY = 28,
    OP_TYPE_STRUCT = 30,
    OP_TYPE_POINTER = 32,
    OP_CONSTANT = 43,
    OP_SPEC_CONSTANT = 50,
    OP_SPEC_CONSTANT_OP = 52,
    OP_VARIABLE = 59,
    OP_DECORATE = 71,
    OP_MEMBER_DECORATE = 72,
    OP_FCONVERT = 115,
    OP_IADD = 128,
    OP_FADD = 129,
    OP_FSUB = 131,
    OP_IMUL = 132,
    OP_FMUL = 133,
    OP_UDIV = 134,
    OP_TYPE_COOPMAT = 4456,
    OP_COOPMAT_MULADD = 4459,
};

enum { DEC_BINDING = 33, DEC_SET = 34, DEC_OFFSET = 35, DEC_NO_CONTRACTION = 42 };
enum { DIM_BUFFER = 5 };
enum {
    CLASS_UNIFORM_CONSTANT = 0,
    CLASS_WORKGROUP = 4,
    CLASS_PUSH_CONSTANT = 9,
    CLASS_STORAGE_BUFFER = 12
};
enum { MODE_DENORM_PRESERVE = 4459 };
enum {
    CAP_MATRIX = 0,
    CAP_SHADER = 1,
    CAP_GROUP_NON_UNIFORM = 61,
    CAP_GROUP_NON_UNIFORM_LAST = 68, // Quad
    CAP_COOPERATIVE_MATRIX = 6022
};

typedef struct opcode_name {
    uint32_t op;
    const char *name;
} opcode_name;

// Operations on floats that a module of exact numerics may not use.
static const opcode_name refused_ops[] = {
    {116, "OpQuantizeToF16"},
    {136, "OpFDiv"},
    {140, "OpFRem"},
    {141, "OpFMod"},
    {142, "OpVectorTimesScalar"},
    {143, "OpMatrixTimesScalar"},
    {144, "OpVectorTimesMatrix"},
    {145, "OpMatrixTimesVector"},
    {146, "OpMatrixTimesMatrix"},
    {147, "OpOuterProduct"},
    {148, "OpDot"},
    {207, "OpDPdx"},
    {350, "OpGroupNonUniformFAdd"},
    {352, "OpGroupNonUniformFMul"},
    {5614, "OpAtomicFMinEXT"},
    {5615, "OpAtomicFMaxEXT"},
    {6035, "OpAtomicFAddEXT"},
};

// GLSL.std.450 instructions whose result every driver gives alike.
static const uint32_t allowed_ext[] = {
    4,  5,  6,  7, // FAbs SAbs FSign SSign
    37, 38, 39,    // FMin UMin SMin
    40, 41, 42,    // FMax UMax SMax
    43, 44, 45,    // FClamp UClamp SClamp
    73, 74, 75,    // FindILsb FindSMsb FindUMsb
};

// What is known of one result id.
typedef struct id_info {
    const uint32_t *def; // the instruction that defines it; NULL: none yet
    int32_t binding, set;
    uint32_t member_end_offset; // structs: largest Offset of a member
    uint32_t member_last;       // and which member has it
    bool no_contraction;
} id_info;

typedef struct module {
    char name[NAME_BYTES];
    uint32_t *words;
    uint32_t n_words, bound, n_bindings, descriptors, shared_bytes, glsl_import;
    id_info *ids;
    bool fast, plain;
    bool subgroups;    // it has subgroup operations or cooperative matrices
    bool keeps_halves; // DenormPreserve 16: widening a half is exact, subnormal ones included
    uint32_t n_errors;
} module;

static void fail(module *m, const char *what, uint32_t id) {
    fprintf(stderr, "spv_embed: %s: %s (id %%%u)\n", m->name, what, id);
    m->n_errors++;
}

static void *must_alloc(size_t n, size_t size) {
    void *p = calloc(n ? n : 1, size);
    if (!p) {
        fprintf(stderr, "spv_embed: out of memory\n");
        exit(1);
    }
    return p;
}

// --- reading ---

// "dir/matmul.dot.spv" -> "matmul.dot"
static bool set_name(module *m, const char *path) {
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    size_t n = strlen(base);
    if (n < 5 || strcmp(base + n - 4, ".spv") != 0 || n - 4 >= NAME_BYTES) return false;
    memcpy(m->name, base, n - 4);
    const char *dot = strchr(m->name, '.');
    m->plain = !dot;
    m->fast = dot && strstr(dot, "fast");
    return true;
}

static bool read_module(module *m, const char *path) {
    if (!set_name(m, path)) {
        fprintf(stderr, "spv_embed: %s: not named <module>.spv\n", path);
        return false;
    }
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return false;
    }
    long bytes = -1;
    if (fseek(f, 0, SEEK_END) == 0) bytes = ftell(f);
    rewind(f);
    bool ok = bytes >= 20 && bytes % 4 == 0 && bytes <= MAX_TOTAL_BYTES;
    if (ok) {
        m->n_words = (uint32_t)bytes / 4;
        m->words = must_alloc(m->n_words, 4);
        ok = fread(m->words, 4, m->n_words, f) == m->n_words;
    }
    fclose(f);
    ok = ok && m->words[0] == 0x07230203 && m->words[3] > 0 && m->words[3] <= MAX_BOUND;
    if (!ok) {
        fprintf(stderr, "spv_embed: %s: not a SPIR-V module of this machine's byte order\n", path);
        return false;
    }
    m->bound = m->words[3];
    m->ids = must_alloc(m->bound, sizeof *m->ids);
    for (uint32_t i = 0; i < m->bound; i++) m->ids[i].binding = m->ids[i].set = -1;
    return true;
}

// Position of the result id in an instruction's words: 0 where it has none that we need.
static uint32_t result_position(uint32_t op) {
    switch (op) {
    case OP_EXT_INST_IMPORT:
    case OP_TYPE_INT:
    case OP_TYPE_FLOAT:
    case OP_TYPE_VECTOR:
    case OP_TYPE_IMAGE:
    case OP_TYPE_SAMPLED_IMAGE:
    case OP_TYPE_ARRAY:
    case OP_TYPE_STRUCT:
    case OP_TYPE_POINTER:
    case OP_TYPE_COOPMAT:
        return 1;
    case OP_CONSTANT:
    case OP_SPEC_CONSTANT:
    case OP_SPEC_CONSTANT_OP:
    case OP_VARIABLE:
        return 2;
    default:
        return 0;
    }
}

static void note_decoration(module *m, const uint32_t *w, uint32_t n) {
    id_info *id = &m->ids[w[1]];
    bool member = (w[0] & 0xffff) == OP_MEMBER_DECORATE;
    if (member) {
        if (n >= 5 && w[3] == DEC_OFFSET && w[4] >= id->member_end_offset) {
            id->member_end_offset = w[4];
            id->member_last = w[2];
        }
        return;
    }
    if (w[2] == DEC_NO_CONTRACTION) id->no_contraction = true;
    if (w[2] == DEC_BINDING && n >= 4) id->binding = (int32_t)w[3];
    if (w[2] == DEC_SET && n >= 4) id->set = (int32_t)w[3];
}

// Walks the instructions once; false where their lengths do not add up.
static bool index_module(module *m) {
    for (uint32_t at = 5; at < m->n_words;) {
        const uint32_t *w = m->words + at;
        uint32_t n = w[0] >> 16, op = w[0] & 0xffff;
        if (n == 0 || n > m->n_words - at) return false;
        uint32_t pos = result_position(op);
        if (pos) {
            if (pos >= n || w[pos] >= m->bound) return false;
            m->ids[w[pos]].def = w;
        }
        if ((op == OP_DECORATE && n >= 3) || (op == OP_MEMBER_DECORATE && n >= 4)) {
            if (w[1] >= m->bound) return false;
            note_decoration(m, w, n);
        }
        if (op == OP_EXT_INST_IMPORT && strncmp((const char *)(w + 2), "GLSL.std.450", 12) == 0)
            m->glsl_import = w[1];
        at += n;
    }
    return true;
}

// --- sizes ---

static const uint32_t *definition(const module *m, uint32_t id) {
    return id < m->bound ? m->ids[id].def : NULL;
}

// Value of an integer constant, specialization constants at their default; 0 when unknown.
static uint64_t constant(const module *m, uint32_t id, int depth) {
    const uint32_t *w = definition(m, id);
    if (!w || depth > 8) return 0;
    uint32_t n = w[0] >> 16, op = w[0] & 0xffff;
    if ((op == OP_CONSTANT || op == OP_SPEC_CONSTANT) && n >= 4) return w[3];
    if (op != OP_SPEC_CONSTANT_OP || n < 6) return 0;
    uint64_t a = constant(m, w[4], depth + 1), b = constant(m, w[5], depth + 1);
    if (w[3] == OP_IADD) return a + b;
    if (w[3] == OP_IMUL) return a * b;
    if (w[3] == OP_UDIV) return b ? a / b : 0;
    return 0;
}

// Bytes of a type without padding; 0 when unknown.
static uint64_t type_bytes(const module *m, uint32_t id, int depth) {
    const uint32_t *w = definition(m, id);
    if (!w || depth > 8) return 0;
    uint64_t sum = 0;
    switch (w[0] & 0xffff) {
    case OP_TYPE_INT:
    case OP_TYPE_FLOAT:
        return w[2] / 8;
    case OP_TYPE_VECTOR:
        return w[3] * type_bytes(m, w[2], depth + 1);
    case OP_TYPE_ARRAY:
        return constant(m, w[3], 0) * type_bytes(m, w[2], depth + 1);
    case OP_TYPE_STRUCT:
        for (uint32_t i = 2; i < w[0] >> 16; i++) sum += type_bytes(m, w[i], depth + 1);
        return sum;
    default:
        return 0;
    }
}

// The type that a variable's pointer points to; 0 when unknown.
static uint32_t pointee(const module *m, uint32_t pointer_type) {
    const uint32_t *w = definition(m, pointer_type);
    return w && (w[0] & 0xffff) == OP_TYPE_POINTER ? w[3] : 0;
}

static uint64_t push_bytes(const module *m, uint32_t struct_type) {
    const uint32_t *w = definition(m, struct_type);
    if (!w || (w[0] & 0xffff) != OP_TYPE_STRUCT) return 0;
    const id_info *id = &m->ids[struct_type];
    if (id->member_last + 2 >= w[0] >> 16) return 0;
    return id->member_end_offset + type_bytes(m, w[2 + id->member_last], 0);
}

// --- checks ---

// A texel buffer of unsigned words: OpTypeSampledImage of an OpTypeImage of dimension Buffer.
static bool is_texel_buffer(const module *m, uint32_t type) {
    const uint32_t *w = definition(m, type);
    if (w && (w[0] & 0xffff) == OP_TYPE_SAMPLED_IMAGE) w = definition(m, w[2]);
    if (!w || (w[0] & 0xffff) != OP_TYPE_IMAGE || w[0] >> 16 < 8 || w[3] != DIM_BUFFER)
        return false;
    const uint32_t *texel = definition(m, w[2]);
    return texel && (texel[0] & 0xffff) == OP_TYPE_INT && texel[2] == 32 && texel[3] == 0;
}

static void check_variable(module *m, const uint32_t *w) {
    uint32_t id = w[2], class = w[3];
    const id_info *info = &m->ids[id];
    if (class == CLASS_WORKGROUP) {
        m->shared_bytes += (uint32_t)type_bytes(m, pointee(m, w[1]), 0);
    } else if (class == CLASS_PUSH_CONSTANT) {
        if (push_bytes(m, pointee(m, w[1])) > PUSH_BYTES)
            fail(m, "push constants pass 128 bytes", id);
    } else if (class == CLASS_STORAGE_BUFFER) {
        if (info->set != 0) fail(m, "storage buffer outside set 0", id);
        if (info->binding < 0 || info->binding >= MAX_BINDINGS)
            fail(m, "storage buffer without a binding of 0 to 7", id);
        else
            m->descriptors |= 1u << info->binding;
    } else if (class == CLASS_UNIFORM_CONSTANT && info->set == 0 && info->binding >= MAX_BINDINGS &&
               info->binding < 3 * MAX_BINDINGS) {
        if (!is_texel_buffer(m, pointee(m, w[1]))) fail(m, "a descriptor of another kind", id);
        m->descriptors |= 1u << info->binding;
    } else if (info->binding >= 0 || info->set >= 0) {
        fail(m, "a descriptor that is not a storage buffer", id);
    }
}

static void check_ext_inst(module *m, const uint32_t *w) {
    if (w[3] != m->glsl_import) return; // non-semantic sets compute nothing
    for (size_t i = 0; i < sizeof allowed_ext / sizeof *allowed_ext; i++)
        if (w[4] == allowed_ext[i]) return;
    char what[96];
    snprintf(what, sizeof what, "GLSL.std.450 instruction %u is not exact on every driver", w[4]);
    fail(m, what, w[2]);
}

static bool is_float_coopmat(const module *m, uint32_t type) {
    const uint32_t *w = definition(m, type);
    if (!w || (w[0] & 0xffff) != OP_TYPE_COOPMAT) return false;
    const uint32_t *component = definition(m, w[2]);
    return component && (component[0] & 0xffff) == OP_TYPE_FLOAT;
}

// An instruction of a module of exact numerics.
static void check_exact(module *m, const uint32_t *w, uint32_t n) {
    uint32_t op = w[0] & 0xffff;
    switch (op) {
    case OP_FADD:
    case OP_FSUB:
    case OP_FMUL:
        if (n >= 3 && w[2] < m->bound && !m->ids[w[2]].no_contraction)
            fail(m,
                 op == OP_FADD   ? "OpFAdd without NoContraction (make its variable precise)"
                 : op == OP_FSUB ? "OpFSub without NoContraction (make its variable precise)"
                                 : "OpFMul without NoContraction (make its variable precise)",
                 w[2]);
        return;
    case OP_TYPE_FLOAT:
        if (n >= 3 && w[2] != 32 && !(w[2] == 16 && m->keeps_halves))
            fail(m, "OpTypeFloat other than 32 bits", w[1]);
        return;
    case OP_FCONVERT: // to a wider type only
        if (n < 3 || !m->keeps_halves || type_bytes(m, w[1], 0) % 4 != 0)
            fail(m, "OpFConvert", w[2]);
        return;
    case OP_EXT_INST:
        if (n >= 5) check_ext_inst(m, w);
        return;
    case OP_COOPMAT_MULADD:
        if (n >= 3 && is_float_coopmat(m, w[1]))
            fail(m, "OpCooperativeMatrixMulAddKHR on floats", w[2]);
        return;
    default:
        for (size_t i = 0; i < sizeof refused_ops / sizeof *refused_ops; i++)
            if (refused_ops[i].op == op) fail(m, refused_ops[i].name, n >= 3 ? w[2] : 0);
    }
}

static void check_capability(module *m, uint32_t capability) {
    m->subgroups |=
        (capability >= CAP_GROUP_NON_UNIFORM && capability <= CAP_GROUP_NON_UNIFORM_LAST) ||
        capability == CAP_COOPERATIVE_MATRIX;
    if (!m->plain || capability == CAP_MATRIX || capability == CAP_SHADER ||
        capability == CAP_GROUP_NON_UNIFORM)
        return;
    char what[96];
    snprintf(what, sizeof what, "optional capability %u in a plain module, which is the floor",
             capability);
    fail(m, what, 0);
}

static void check_module(module *m) {
    for (uint32_t at = 5; at < m->n_words; at += m->words[at] >> 16) {
        const uint32_t *w = m->words + at;
        uint32_t n = w[0] >> 16, op = w[0] & 0xffff;
        if (op == OP_EXECUTION_MODE && n >= 4 && w[2] == MODE_DENORM_PRESERVE && w[3] == 16)
            m->keeps_halves = true; // stands before all types
        if (op == OP_CAPABILITY && n >= 2) check_capability(m, w[1]);
        if (op == OP_VARIABLE && n >= 4) check_variable(m, w);
        if (!m->fast) check_exact(m, w, n);
    }
    const uint32_t d = m->descriptors;
    const uint32_t bindings = (d | d >> MAX_BINDINGS | d >> 2 * MAX_BINDINGS) & 0xff;
    while (bindings >> m->n_bindings & 1) m->n_bindings++;
    if (bindings >> m->n_bindings) fail(m, "bindings have a gap", 0);
    if (m->n_bindings == 0) fail(m, "no buffer", 0);
    if (m->plain && m->shared_bytes > FLOOR_SHARED_BYTES)
        fail(m, "shared memory of a plain module passes 16 KiB", 0);
}

// --- writing ---

// A run of modules, sorted by name, as one zstd frame: neighbours are much alike.
typedef struct frame {
    uint32_t first, n, n_words;
    size_t packed_bytes;
} frame;

// The frame that begins with a module: as many as FRAME_BYTES hold, at least that one.
static frame frame_from(const module *modules, uint32_t n_modules, uint32_t first) {
    frame f = {.first = first};
    for (uint32_t i = first; i < n_modules; i++) {
        if (f.n && 4 * ((size_t)f.n_words + modules[i].n_words) > FRAME_BYTES) break;
        f.n_words += modules[i].n_words;
        f.n++;
    }
    return f;
}

static void write_packed(FILE *file, const module *modules, frame *f, uint32_t index) {
    const size_t bytes = 4 * (size_t)f->n_words, room = ZSTD_compressBound(bytes);
    uint8_t *packed = must_alloc(room, 1);
    uint32_t *words = must_alloc(f->n_words, sizeof *words), at = 0;
    for (uint32_t i = f->first; i < f->first + f->n; at += modules[i++].n_words)
        memcpy(words + at, modules[i].words, 4 * (size_t)modules[i].n_words);
    f->packed_bytes = ZSTD_compress(packed, room, words, bytes, ZSTD_LEVEL);
    if (ZSTD_isError(f->packed_bytes)) {
        fprintf(stderr, "spv_embed: %s: %s\n", modules[f->first].name,
                ZSTD_getErrorName(f->packed_bytes));
        exit(1);
    }
    fprintf(file, "static const uint8_t packed_%u[] = {", index);
    for (size_t i = 0; i < f->packed_bytes; i++)
        fprintf(file, "%s%u,", i % 24 == 0 ? "\n    " : " ", packed[i]);
    fprintf(file, "\n};\n");
    free(words);
    free(packed);
}

static void write_rows(FILE *file, const module *modules, const frame *f, uint32_t index) {
    uint32_t at = 0;
    for (uint32_t i = f->first; i < f->first + f->n; at += modules[i++].n_words)
        fprintf(file, "    {\"%s\", NULL, %u, %u, %d, %u, %d, packed_%u, %zu, %u, %u},\n",
                modules[i].name, modules[i].n_words, modules[i].n_bindings, PUSH_BYTES,
                modules[i].descriptors, modules[i].subgroups, index, f->packed_bytes, f->n_words,
                at);
}

static bool write_table(const char *path, const module *modules, uint32_t n, size_t *out_packed) {
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        return false;
    }
    fprintf(file, "// Made by tools/spv_embed.c out of shaders/; do not edit.\n");
    fprintf(file, "#include \"gpu/gpu.h\"\n\n");
    frame frames[MAX_MODULES];
    uint32_t n_frames = 0;
    *out_packed = 0;
    for (uint32_t i = 0; i < n; i += frames[n_frames++].n) {
        frames[n_frames] = frame_from(modules, n, i);
        write_packed(file, modules, &frames[n_frames], n_frames);
        *out_packed += frames[n_frames].packed_bytes;
    }
    // One row of NULLs, not counted, ends the table: C has no empty arrays.
    fprintf(file, "\n// Sorted by name.\nstatic const gw_shader table[] = {\n");
    for (uint32_t i = 0; i < n_frames; i++) write_rows(file, modules, &frames[i], i);
    fprintf(file, "    {NULL, NULL, 0, 0, 0, 0, 0, NULL, 0, 0, 0},\n};\n\n");
    fprintf(file,
            "const gw_shader *gw_shader_table(uint32_t *out_n) {\n    *out_n = %u;\n"
            "    return table;\n}\n",
            n);
    bool ok = !ferror(file);
    return fclose(file) == 0 && ok;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const module *)a)->name, ((const module *)b)->name);
}

// --- arguments ---

typedef struct module_list {
    module *items;
    uint32_t n;
} module_list;

static bool add_module(module_list *list, const char *path) {
    if (list->n == MAX_MODULES) {
        fprintf(stderr, "spv_embed: more than %d modules\n", MAX_MODULES);
        return false;
    }
    module *m = &list->items[list->n++];
    if (!read_module(m, path)) return false;
    if (!index_module(m)) {
        fail(m, "instruction lengths do not add up", 0);
        return false;
    }
    check_module(m);
    return m->n_errors == 0;
}

// A file with one path a line.
static bool add_list(module_list *list, const char *path) {
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        return false;
    }
    bool ok = true;
    char line[4096];
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\r\n")] = 0;
        if (line[0] && !add_module(list, line)) ok = false;
    }
    fclose(f);
    return ok;
}

int main(int argc, char **argv) {
    const char *out = NULL;
    module_list list = {.items = must_alloc(MAX_MODULES, sizeof(module))};
    bool ok = true, check = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--check") == 0)
            check = true;
        else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
            out = argv[++i];
        else if (argv[i][0] == '@')
            ok = add_list(&list, argv[i] + 1) && ok;
        else
            ok = add_module(&list, argv[i]) && ok;
    }
    if (!out == !check) {
        fprintf(stderr, "usage: spv_embed (--check | -o table.c) (module.spv | @list.txt)...\n");
        return 2;
    }
    if (check) return ok ? 0 : 1;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < list.n; i++) bytes += 4ull * list.items[i].n_words;
    if (bytes >= MAX_TOTAL_BYTES) {
        fprintf(stderr, "spv_embed: %llu bytes of SPIR-V, budget %d\n", (unsigned long long)bytes,
                MAX_TOTAL_BYTES);
        ok = false;
    }
    qsort(list.items, list.n, sizeof(module), by_name);
    size_t packed = 0;
    if (!ok || !write_table(out, list.items, list.n, &packed)) return 1;
    printf("shaders: %u modules of at most %d, %llu bytes of SPIR-V of at most %d, packed %zu\n",
           list.n, MAX_MODULES, (unsigned long long)bytes, MAX_TOTAL_BYTES, packed);
    for (uint32_t i = 0; i < list.n; i++) {
        free(list.items[i].words);
        free(list.items[i].ids);
    }
    free(list.items);
    return 0;
}
