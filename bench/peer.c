// peer.c: drives a prebuilt llama.cpp through its C API, for bench/peer. Prints one JSON object.
//
//   peer DIR MODEL LAYERS THREADS PROMPT_TOKENS TOKENS REPS [DEPTH]
//        speed; LAYERS: how many go to the GPU; with DEPTH, which is not 0, also of a decode after so many tokens
//   peer DIR MODEL LAYERS THREADS "TEXT"                      the first token after a prompt
//   peer DIR MODEL LAYERS THREADS FILE CTX                    perplexity of a text, as `godwit perplexity` takes it
//   peer DIR MODEL LAYERS THREADS --embeddings                of each line on stdin, pooled as the file says
//
// DIR holds libllama*.so and its back ends. No header of llama.cpp is needed: on x86-64 System V
// a struct passed by value in memory may be declared larger than it is, and one returned by value
// comes back through a hidden pointer. The few fields that are set stand at offsets that are
// checked: against the defaults before, and through the library's own getters after.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <glob.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if !defined(__x86_64__)
#error "the calling convention that this relies on is x86-64 System V's"
#endif

typedef struct opaque {
    _Alignas(8) char bytes[1024];
} opaque;

typedef struct batch { // of llama.cpp: 56 bytes
    _Alignas(8) char bytes[56];
} batch;

enum {
    MODEL_GPU_LAYERS = 16, // int32, after two pointers
    CONTEXT_N_CTX = 0,     // uint32 each: n_ctx, n_batch, n_ubatch, n_seq_max
    CONTEXT_N_BATCH = 4,
    CONTEXT_N_UBATCH = 8,
    CONTEXT_N_THREADS = 28, // int32 each: n_threads, n_threads_batch
    CONTEXT_N_THREADS_BATCH = 32,
    REPS_MAX = 100,
};

typedef struct api {
    void (*load_all)(const char *dir);
    void (*log_set)(void (*log)(int level, const char *text, void *user), void *user);
    void (*backend_init)(void);
    opaque (*model_default_params)(void);
    opaque (*context_default_params)(void);
    void *(*model_load)(const char *path, opaque params);
    void *(*context_create)(void *model, opaque params);
    const void *(*model_vocab)(const void *model);
    int32_t (*vocab_size)(const void *vocab);
    int32_t (*tokenize)(const void *vocab, const char *text, int32_t n_text, int32_t *ids,
                        int32_t n_max, bool add_special, bool parse_special);
    batch (*batch_of)(int32_t *ids, int32_t n);
    int32_t (*decode)(void *context, batch batch);
    float *(*logits)(void *context, int32_t i);
    void *(*memory)(const void *context);
    void (*memory_clear)(void *memory, bool data);
    bool (*memory_remove)(void *memory, int32_t sequence, int32_t from, int32_t end);
    uint32_t (*n_ctx)(const void *context);
    uint32_t (*n_batch)(const void *context);
    uint32_t (*n_ubatch)(const void *context);
    int32_t (*n_threads)(void *context);
} api;

typedef struct peer {
    api api;
    char dir[4096];
    void *model, *context;
    int32_t n_vocab, n_threads;
    double load_ms;
} peer;

static char offloaded[64] = "none"; // "13/13" as llama.cpp logs it
static char device[256];

static _Noreturn void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fputs("peer: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static double now_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

// Since the process was started, to the kernel's tick of 10 ms: as `godwit run` counts it.
static double process_age_ms(void) {
    char line[4096];
    FILE *file = fopen("/proc/self/stat", "r");
    size_t n = file ? fread(line, 1, sizeof(line) - 1, file) : 0;
    if (file) (void)fclose(file);
    line[n] = 0;
    char *at = strrchr(line, ')'); // the name before it may hold blanks
    unsigned long long start = 0;
    for (int field = 2; at && field < 22; field++) at = strchr(at + 1, ' ');
    if (!at || sscanf(at, "%llu", &start) != 1) die("/proc/self/stat: no start time");
    struct timespec t;
    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    double ticks = (double)sysconf(_SC_CLK_TCK);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6 - (double)start * 1e3 / ticks;
}

static void note_log(int level, const char *text, void *user) {
    (void)level;
    (void)user;
    const char *at = strstr(text, "offloaded ");
    if (at) (void)sscanf(at, "offloaded %63s", offloaded);
    at = strstr(text, "ggml_vulkan: 0 = ");
    if (at) (void)snprintf(device, sizeof(device), "%.*s", (int)strcspn(at + 17, "|\n"), at + 17);
}

static void *symbol(const char *name) {
    void *found = dlsym(RTLD_DEFAULT, name);
    if (!found) die("%s: not in this llama.cpp", name);
    return found;
}

// The library's name carries its version: libllama.v0.5.0.so, libllama.vulkan.v0.5.0.so.
static void load_library(const char *dir) {
    char pattern[4200];
    glob_t found;
    (void)snprintf(pattern, sizeof(pattern), "%s/libllama.*so", dir);
    if (glob(pattern, 0, NULL, &found) != 0) die("%s: no such library", pattern);
    if (!dlopen(found.gl_pathv[0], RTLD_NOW | RTLD_GLOBAL)) die("%s", dlerror());
    globfree(&found);
}

static void load_api(peer *p) {
    api *a = &p->api;
    load_library(p->dir);
    // POSIX lets a pointer of dlsym be read as a function's; ISO C has no cast for it.
    const struct {
        void *field;
        const char *name;
    } symbols[] = {
        {&a->load_all, "ggml_backend_load_all_from_path"},
        {&a->log_set, "llama_log_set"},
        {&a->backend_init, "llama_backend_init"},
        {&a->model_default_params, "llama_model_default_params"},
        {&a->context_default_params, "llama_context_default_params"},
        {&a->model_load, "llama_model_load_from_file"},
        {&a->context_create, "llama_init_from_model"},
        {&a->model_vocab, "llama_model_get_vocab"},
        {&a->vocab_size, "llama_vocab_n_tokens"},
        {&a->tokenize, "llama_tokenize"},
        {&a->batch_of, "llama_batch_get_one"},
        {&a->decode, "llama_decode"},
        {&a->logits, "llama_get_logits_ith"},
        {&a->memory, "llama_get_memory"},
        {&a->memory_clear, "llama_memory_clear"},
        {&a->memory_remove, "llama_memory_seq_rm"},
        {&a->n_ctx, "llama_n_ctx"},
        {&a->n_batch, "llama_n_batch"},
        {&a->n_ubatch, "llama_n_ubatch"},
        {&a->n_threads, "llama_n_threads"},
    };
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        void *found = symbol(symbols[i].name);
        memcpy(symbols[i].field, &found, sizeof(found));
    }
    a->log_set(note_log, NULL);
    a->backend_init();
    a->load_all(p->dir);
}

static int32_t field_of(const opaque *o, int offset) {
    int32_t value;
    memcpy(&value, o->bytes + offset, sizeof(value));
    return value;
}

static void set_field(opaque *o, int offset, int32_t value) {
    memcpy(o->bytes + offset, &value, sizeof(value));
}

static void open_model(peer *p, const char *path, int32_t n_layers) {
    double start = now_ms();
    opaque params = p->api.model_default_params();
    int32_t layers = field_of(&params, MODEL_GPU_LAYERS);
    if (layers < -1 || layers > 1000) die("n_gpu_layers is %d by default: moved?", layers);
    set_field(&params, MODEL_GPU_LAYERS, n_layers);
    p->model = p->api.model_load(path, params);
    if (!p->model) die("%s: llama.cpp does not open it", path);
    p->n_vocab = p->api.vocab_size(p->api.model_vocab(p->model));
    p->load_ms = now_ms() - start;
}

static void open_context(peer *p, int32_t n_ctx) {
    opaque params = p->api.context_default_params();
    if (field_of(&params, CONTEXT_N_BATCH) < field_of(&params, CONTEXT_N_UBATCH) ||
        field_of(&params, CONTEXT_N_UBATCH) <= 0 || field_of(&params, CONTEXT_N_THREADS) <= 0 ||
        field_of(&params, CONTEXT_N_THREADS) != field_of(&params, CONTEXT_N_THREADS_BATCH)) {
        die("the context's parameters do not look as expected: moved?");
    }
    set_field(&params, CONTEXT_N_CTX, n_ctx);
    set_field(&params, CONTEXT_N_THREADS, p->n_threads);
    set_field(&params, CONTEXT_N_THREADS_BATCH, p->n_threads);
    p->context = p->api.context_create(p->model, params);
    if (!p->context) die("no context of %d tokens", n_ctx);
    if (p->api.n_ctx(p->context) < (uint32_t)n_ctx ||
        p->api.n_ctx(p->context) > (uint32_t)n_ctx + 256 ||
        p->api.n_threads(p->context) != p->n_threads) {
        die("asked for %d tokens and %d threads, has %u and %d", n_ctx, p->n_threads,
            p->api.n_ctx(p->context), p->api.n_threads(p->context));
    }
}

// Feeds n tokens, returns the best next one: that reads the logits, so a device has finished.
static int32_t feed(peer *p, int32_t *ids, int32_t n) {
    if (p->api.decode(p->context, p->api.batch_of(ids, n)) != 0) die("decode failed");
    const float *logits = p->api.logits(p->context, -1);
    if (!logits) die("no logits");
    int32_t best = 0;
    for (int32_t i = 1; i < p->n_vocab; i++) {
        if (logits[i] > logits[best]) best = i;
    }
    return best;
}

static void forget(peer *p) {
    p->api.memory_clear(p->api.memory(p->context), true);
}

// The same tokens as `godwit bench` draws: splitmix64 (Steele, Lea and Flood, 2014).
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static double prefill_rate(peer *p, int32_t *ids, int32_t n) {
    forget(p);
    double start = now_ms();
    (void)feed(p, ids, n);
    return n / (now_ms() - start) * 1e3;
}

static double cpu_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

// What follows a token that was the best. out_cpu_ms: of all threads, a token.
static double decode_after(peer *p, int32_t token, int32_t n, double *out_cpu_ms) {
    double start = now_ms(), cpu = cpu_ms();
    for (int32_t i = 0; i < n; i++) token = feed(p, &token, 1);
    *out_cpu_ms = (cpu_ms() - cpu) / n;
    return n / (now_ms() - start) * 1e3;
}

static double decode_rate(peer *p, int32_t *ids, int32_t n, double *out_cpu_ms) {
    forget(p);
    return decode_after(p, feed(p, ids, 1), n, out_cpu_ms);
}

// After `depth` tokens, of which all but the last are kept from one call to the next: *filled.
static double deep_rate(peer *p, int32_t *ids, int32_t n_ids, int32_t depth, int32_t n,
                        bool *filled, double *out_cpu_ms) {
    void *memory = p->api.memory(p->context);
    if (!*filled) forget(p);
    for (int32_t at = 0; !*filled && at < depth - 1;) {
        int32_t some = depth - 1 - at < n_ids ? depth - 1 - at : n_ids;
        (void)feed(p, ids, some);
        at += some;
    }
    if (*filled && !p->api.memory_remove(memory, -1, depth - 1, -1)) die("tokens are not removed");
    *filled = true;
    return decode_after(p, feed(p, ids, 1), n, out_cpu_ms);
}

static void print_rates(const char *name, const double *rates, int n) {
    printf("\"%s\": [", name);
    for (int i = 0; i < n; i++) printf("%s%.4f", i ? ", " : "", rates[i]);
    printf("], ");
}

// The libraries of llama.cpp that were loaded: its back ends are chosen at run time.
static void print_libraries(const peer *p) {
    char line[4608], last[4096] = "";
    FILE *maps = fopen("/proc/self/maps", "r");
    printf("\"libraries\": [");
    while (maps && fgets(line, sizeof(line), maps)) {
        char *path = strchr(line, '/');
        if (!path) continue;
        path[strcspn(path, "\n")] = 0;
        if (strncmp(path, p->dir, strlen(p->dir)) != 0 || strcmp(path, last) == 0) continue;
        printf("%s\"%s\"", last[0] ? ", " : "", path);
        (void)snprintf(last, sizeof(last), "%s", path);
    }
    if (maps) (void)fclose(maps);
    printf("]");
}

static void print_rest(const peer *p) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf(
        "\"load_ms\": %.1f, \"offloaded\": \"%s\", \"device\": \"%s\", \"peak_rss_bytes\": %lld, ",
        p->load_ms, offloaded, device, (long long)usage.ru_maxrss * 1024);
    print_libraries(p);
    printf("}\n");
}

// Kernels are compiled and memory is touched by a repetition that is not counted.
static void measure(peer *p, int32_t n_prompt, int32_t n_tokens, int reps, int32_t depth) {
    double prefill[REPS_MAX] = {0}, decode[REPS_MAX] = {0}, deep[REPS_MAX] = {0};
    double cpu[REPS_MAX] = {0}, deep_cpu[REPS_MAX] = {0};
    bool filled = false;
    const int32_t at_once = depth < 512 ? depth : 512;
    const int32_t n_ids = n_prompt > at_once ? n_prompt : at_once;
    int32_t *ids = calloc((size_t)n_ids, sizeof(*ids));
    if (!ids) die("out of memory");
    uint64_t state = 1;
    for (int32_t i = 0; i < n_ids; i++) {
        ids[i] = (int32_t)(next_random(&state) % (uint64_t)p->n_vocab);
    }
    open_context(p, depth + (n_prompt > n_tokens ? n_prompt : n_tokens + 1));
    if ((uint32_t)n_ids > p->api.n_batch(p->context)) die("a prefill is one batch at most");
    (void)prefill_rate(p, ids, n_prompt);
    (void)decode_rate(p, ids, 2, &cpu[0]);
    for (int i = 0; i < reps; i++) {
        prefill[i] = prefill_rate(p, ids, n_prompt);
        decode[i] = decode_rate(p, ids, n_tokens, &cpu[i]);
    }
    for (int i = 0; depth && i < reps; i++)
        deep[i] = deep_rate(p, ids, n_ids, depth, n_tokens, &filled, &deep_cpu[i]);
    free(ids);
    printf("{");
    print_rates("prefill", prefill, reps);
    print_rates("decode", decode, reps);
    print_rates("decode_cpu_ms", cpu, reps);
    if (depth) {
        print_rates("deep", deep, reps);
        print_rates("deep_cpu_ms", deep_cpu, reps);
    }
    print_rest(p);
}

static void first_token(peer *p, const char *text) {
    int32_t ids[1024];
    int32_t n = p->api.tokenize(p->api.model_vocab(p->model), text, (int32_t)strlen(text), ids,
                                1024, true, false);
    if (n <= 0) die("prompt: llama_tokenize gave %d", n);
    open_context(p, n + 1);
    int32_t token = feed(p, ids, n);
    printf("{\"first_token_ms\": %.0f, \"token\": %d, \"n_prompt\": %d, ", process_age_ms(), token,
           n);
    print_rest(p);
}

// How badly the tokens behind the middle of a window are foretold, the sum in nats. n rows of logits are kept.
static double loss_of_window(peer *p, int32_t *ids, int32_t n, int8_t *wanted) {
    enum { BATCH_LOGITS = 48 }; // int8 each token, the last of the batch's pointers
    double loss = 0.0;
    batch all = p->api.batch_of(ids, n);
    memcpy(all.bytes + BATCH_LOGITS, &wanted, sizeof(wanted));
    forget(p);
    if (p->api.decode(p->context, all) != 0) die("decode failed");
    for (int32_t i = n / 2; i < n - 1; i++) {
        const float *logits = p->api.logits(p->context, i);
        if (!logits) die("no logits of token %d", i);
        double most = logits[0], sum = 0.0;
        for (int32_t k = 1; k < p->n_vocab; k++) most = logits[k] > most ? logits[k] : most;
        for (int32_t k = 0; k < p->n_vocab; k++) sum += exp(logits[k] - most);
        loss += log(sum) - (logits[ids[i + 1]] - most);
    }
    return loss;
}

static void perplexity(peer *p, const char *path, int32_t n_ctx) {
    enum { MOST = 1 << 20 };
    static char text[MOST];
    static int32_t ids[MOST];
    FILE *file = fopen(path, "r");
    size_t n_bytes = file ? fread(text, 1, MOST, file) : 0;
    if (file) (void)fclose(file);
    if (n_bytes == 0 || n_bytes == MOST) die("%s: no text, or more than %d bytes", path, MOST - 1);
    int32_t n = p->api.tokenize(p->api.model_vocab(p->model), text, (int32_t)n_bytes, ids, MOST,
                                true, false);
    int8_t *wanted = calloc((size_t)n_ctx, 1);
    if (n < n_ctx || !wanted) die("%d tokens in %s, less than a window", n, path);
    for (int32_t i = n_ctx / 2; i < n_ctx; i++) wanted[i] = 1;
    open_context(p, n_ctx);
    double loss = 0.0;
    int32_t scored = n / n_ctx * (n_ctx - 1 - n_ctx / 2);
    for (int32_t at = 0; at + n_ctx <= n; at += n_ctx)
        loss += loss_of_window(p, ids + at, n_ctx, wanted);
    free(wanted);
    printf("{\"tokens\": %d, \"scored\": %d, \"perplexity\": %.6f, ", n, scored,
           exp(loss / scored));
    print_rest(p);
}

static void embeddings(peer *p) {
    enum { MOST = 512 };
    // POSIX lets a pointer of dlsym be read as a function's; ISO C has no cast for it.
    union {
        void *found;
        void (*set_embeddings)(void *context, bool on);
        int32_t (*n_embd)(const void *model);
        float *(*of_sequence)(void *context, int32_t sequence);
        int32_t (*encode)(void *context, batch batch);
    } set = {symbol("llama_set_embeddings")}, n_embd = {symbol("llama_model_n_embd")},
      get = {symbol("llama_get_embeddings_seq")}, encode = {symbol("llama_encode")};
    char line[4096];
    const char *between = "[";
    open_context(p, MOST);
    set.set_embeddings(p->context, true);
    printf("{\"embeddings\": [");
    while (fgets(line, sizeof(line), stdin)) {
        int32_t ids[MOST];
        int32_t n = p->api.tokenize(p->api.model_vocab(p->model), line,
                                    (int32_t)strcspn(line, "\n"), ids, MOST, true, false);
        if (n <= 0 || encode.encode(p->context, p->api.batch_of(ids, n)) != 0) die("%s", line);
        const float *row = get.of_sequence(p->context, 0);
        if (!row) die("this model pools nothing");
        for (int32_t i = 0; i < n_embd.n_embd(p->model); i++)
            printf("%s%.9g", i ? ", " : between, (double)row[i]);
        printf("]");
        between = ", [";
    }
    printf("], ");
    print_rest(p);
}

static int32_t number(const char *text, long least, long most) {
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || end == text || n < least || n > most) {
        die("%s: not a number from %ld to %ld", text, least, most);
    }
    return (int32_t)n;
}

int main(int argc, char **argv) {
    static peer p;
    if (argc < 6 || argc > 9) {
        die("usage: peer DIR MODEL LAYERS THREADS (PROMPT_TOKENS TOKENS REPS [DEPTH] | TEXT | FILE "
            "CTX)");
    }
    if (!realpath(argv[1], p.dir)) die("%s: no such folder", argv[1]);
    int32_t n_layers = number(argv[3], 0, 999);
    p.n_threads = number(argv[4], 1, 256);
    load_api(&p);
    open_model(&p, argv[2], n_layers);
    if (argc >= 8) {
        measure(&p, number(argv[5], 1, 2048), number(argv[6], 1, 100000),
                number(argv[7], 1, REPS_MAX), argc == 9 ? number(argv[8], 0, 1 << 20) : 0);
    } else if (argc == 7) {
        perplexity(&p, argv[5], number(argv[6], 4, 2048));
    } else if (strcmp(argv[5], "--embeddings") == 0) {
        embeddings(&p);
    } else {
        first_token(&p, argv[5]);
    }
    (void)fflush(stdout);
    // Tearing a Vulkan device down takes time and can crash; the figures are out.
    _exit(0);
}
