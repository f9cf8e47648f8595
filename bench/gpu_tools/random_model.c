// random_model: writes a llama of random weights as GGUF, for speed measurements: the shapes and
// bytes of a real one. As fast as the disk: a few MiB of random blocks are written again and again.
//
//   random_model OUT.gguf 8B|1B|110M|tiny|wide F16|Q8_0|Q4_0|Q4_K|Q6_K
//
// The vocabulary is a dummy (SentencePiece kind). Norms are ones. Equal arguments give equal bytes.
// GGUF: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct shape {
    const char *name;
    uint32_t dim, ffn, layers, heads, kv_heads, vocab, ctx;
    bool tied;
} shape;
static const shape shapes[] = {
    {"8B", 4096, 14336, 32, 32, 8, 128256, 131072, false},
    {"8B-2", 4096, 14336, 2, 32, 8, 4096, 131072, false}, // two layers of it
    {"1B", 2048, 8192, 16, 32, 8, 128256, 131072, true},
    {"110M", 768, 2048, 12, 12, 12, 32000, 4096, true},
    {"tiny", 256, 512, 2, 4, 2, 512, 4096, true},
    {"wide", 512, 28672, 1, 4, 2, 512, 4096, true},
};

typedef struct format {
    const char *name;
    uint32_t type, file_type, per_block, bytes; // values and bytes of a block
    uint32_t halves[2], n_halves;               // where the block's half scales lie
} format;
static const format formats[] = {
    {"F16", 1, 1, 1, 2, {0}, 0},          {"Q4_0", 2, 2, 32, 18, {0}, 1},
    {"Q8_0", 8, 7, 32, 34, {0}, 1},       {"Q4_K", 12, 15, 256, 144, {0, 2}, 2},
    {"Q6_K", 14, 18, 256, 210, {208}, 1},
};

enum { ALIGN = 32, TILE = 8 << 20, F32 = 0 };

typedef struct writer {
    FILE *file;
    uint64_t at; // of the data section
    uint8_t *tile;
} writer;

static void die(const char *what) {
    fprintf(stderr, "random_model: %s\n", what);
    exit(1);
}
static void put(writer *w, const void *data, size_t n) {
    if (fwrite(data, 1, n, w->file) != n) die("cannot write");
}
static void put_u32(writer *w, uint32_t v) {
    put(w, &v, 4);
}
static void put_u64(writer *w, uint64_t v) {
    put(w, &v, 8);
}
static void put_str(writer *w, const char *s) {
    put_u64(w, strlen(s));
    put(w, s, strlen(s));
}
static void key_u32(writer *w, const char *key, uint32_t v) {
    put_str(w, key);
    put_u32(w, 4);
    put_u32(w, v);
}
static void key_str(writer *w, const char *key, const char *v) {
    put_str(w, key);
    put_u32(w, 8);
    put_str(w, v);
}

static uint64_t next_random(uint64_t *state) { // splitmix64
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// Random bits with scales of 2^-10 and a bit, so that activations stay finite; F16 values likewise,
// both signs.
static void fill_tile(uint8_t *tile, const format *f) {
    uint64_t state = 1;
    for (size_t i = 0; i < TILE; i += 8) {
        uint64_t r = next_random(&state);
        memcpy(tile + i, &r, 8);
    }
    if (strcmp(f->name, "F16") == 0) {
        for (size_t i = 1; i < TILE; i += 2) tile[i] = (uint8_t)(0x20 | (tile[i] & 0x87));
        return;
    }
    for (size_t i = 0; i + f->bytes <= TILE; i += f->bytes)
        for (uint32_t k = 0; k < f->n_halves; k++) tile[i + f->halves[k] + 1] = 0x14;
}

// --- tensors ------------------------------------------------------------------------------------

typedef struct tensor {
    char name[48];
    uint32_t rows, cols; // rows 0: a vector
} tensor;

static uint64_t bytes_of(const tensor *t, const format *f) {
    if (t->rows == 0) return 4u * (uint64_t)t->cols;
    return (uint64_t)t->rows * (t->cols / f->per_block) * f->bytes;
}
static uint64_t padded(uint64_t n) {
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static void add(tensor *list, uint32_t *n, uint32_t rows, uint32_t cols, const char *name) {
    list[*n].rows = rows;
    list[*n].cols = cols;
    snprintf(list[*n].name, sizeof list[*n].name, "%s", name);
    ++*n;
}

static uint32_t list_tensors(const shape *s, tensor *list) {
    uint32_t n = 0, kv = s->dim / s->heads * s->kv_heads;
    add(list, &n, s->vocab, s->dim, "token_embd.weight");
    for (uint32_t i = 0; i < s->layers; i++) {
        const struct {
            const char *name;
            uint32_t rows, cols;
        } parts[] = {{"attn_norm", 0, s->dim},        {"attn_q", s->dim, s->dim},
                     {"attn_k", kv, s->dim},          {"attn_v", kv, s->dim},
                     {"attn_output", s->dim, s->dim}, {"ffn_norm", 0, s->dim},
                     {"ffn_gate", s->ffn, s->dim},    {"ffn_up", s->ffn, s->dim},
                     {"ffn_down", s->dim, s->ffn}};
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
            char name[48];
            snprintf(name, sizeof name, "blk.%u.%s.weight", i, parts[k].name);
            add(list, &n, parts[k].rows, parts[k].cols, name);
        }
    }
    add(list, &n, 0, s->dim, "output_norm.weight");
    if (!s->tied) add(list, &n, s->vocab, s->dim, "output.weight");
    return n;
}

static void write_data(writer *w, const tensor *t, const format *f) {
    uint64_t left = bytes_of(t, f), pad = padded(left) - left;
    const float one = 1.0f;
    for (uint32_t i = 0; t->rows == 0 && i < t->cols; i++) put(w, &one, 4);
    size_t whole = TILE / f->bytes * f->bytes;
    while (t->rows && left) {
        size_t n = left < whole ? (size_t)left : whole;
        put(w, w->tile, n);
        left -= n;
    }
    put(w, (const uint8_t[ALIGN]){0}, (size_t)pad);
}

// --- metadata -----------------------------------------------------------------------------------

static void piece_of(uint32_t id, char *out, size_t n) {
    static const char *const special[] = {"<unk>", "<s>", "</s>"};
    if (id < 3)
        snprintf(out, n, "%s", special[id]);
    else if (id < 259)
        snprintf(out, n, "<0x%02X>", id - 3);
    else
        snprintf(out, n, "\xe2\x96\x81w%u", id);
}

static void write_vocabulary(writer *w, uint32_t n) {
    char piece[32];
    put_str(w, "tokenizer.ggml.tokens");
    put_u32(w, 9), put_u32(w, 8), put_u64(w, n);
    for (uint32_t i = 0; i < n; i++) {
        piece_of(i, piece, sizeof piece);
        put_str(w, piece);
    }
    put_str(w, "tokenizer.ggml.scores");
    put_u32(w, 9), put_u32(w, 6), put_u64(w, n);
    for (uint32_t i = 0; i < n; i++) {
        float score = -(float)i;
        put(w, &score, 4);
    }
    put_str(w, "tokenizer.ggml.token_type");
    put_u32(w, 9), put_u32(w, 5), put_u64(w, n);
    for (uint32_t i = 0; i < n; i++) put_u32(w, i == 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1);
}

static void write_head(writer *w, const shape *s, const format *f, const tensor *list, uint32_t n) {
    const float eps = 1e-5f, base = 500000.0f;
    char name[64];
    put(w, "GGUF", 4);
    put_u32(w, 3), put_u64(w, n), put_u64(w, 19);
    key_str(w, "general.architecture", "llama");
    snprintf(name, sizeof name, "random llama %s", s->name);
    key_str(w, "general.name", name);
    key_u32(w, "general.file_type", f->file_type);
    key_u32(w, "llama.context_length", s->ctx);
    key_u32(w, "llama.embedding_length", s->dim);
    key_u32(w, "llama.block_count", s->layers);
    key_u32(w, "llama.feed_forward_length", s->ffn);
    key_u32(w, "llama.attention.head_count", s->heads);
    key_u32(w, "llama.attention.head_count_kv", s->kv_heads);
    key_u32(w, "llama.rope.dimension_count", s->dim / s->heads);
    key_u32(w, "llama.vocab_size", s->vocab);
    put_str(w, "llama.attention.layer_norm_rms_epsilon"), put_u32(w, 6), put(w, &eps, 4);
    put_str(w, "llama.rope.freq_base"), put_u32(w, 6), put(w, &base, 4);
    key_str(w, "tokenizer.ggml.model", "llama");
    key_u32(w, "tokenizer.ggml.bos_token_id", 1);
    key_u32(w, "tokenizer.ggml.eos_token_id", 2);
    write_vocabulary(w, s->vocab);
    uint64_t offset = 0;
    for (uint32_t i = 0; i < n; i++) {
        put_str(w, list[i].name);
        put_u32(w, list[i].rows ? 2 : 1);
        put_u64(w, list[i].cols);
        if (list[i].rows) put_u64(w, list[i].rows);
        put_u32(w, list[i].rows ? f->type : F32);
        put_u64(w, offset);
        offset += padded(bytes_of(&list[i], f));
    }
    long at = ftell(w->file);
    put(w, (const uint8_t[ALIGN]){0}, (size_t)(padded((uint64_t)at) - (uint64_t)at));
}

int main(int argc, char **argv) {
    const shape *s = NULL;
    const format *f = NULL;
    static tensor list[1024];
    writer w = {0};
    for (size_t i = 0; argc == 4 && i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(shapes[i].name, argv[2]) == 0) s = &shapes[i];
    for (size_t i = 0; argc == 4 && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, argv[3]) == 0) f = &formats[i];
    if (!s || !f) die("OUT.gguf 8B|1B|110M|tiny|wide F16|Q8_0|Q4_0|Q4_K|Q6_K");
    uint32_t n = list_tensors(s, list);
    w.tile = malloc(TILE);
    w.file = fopen(argv[1], "wb");
    if (!w.tile || !w.file) die("cannot open the file");
    fill_tile(w.tile, f);
    write_head(&w, s, f, list, n);
    for (uint32_t i = 0; i < n; i++) write_data(&w, &list[i], f);
    if (fclose(w.file) != 0) die("cannot write");
    free(w.tile);
    return 0;
}
