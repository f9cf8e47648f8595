// Golden: the models of tests/golden/families (tests/golden/families.py), one of each family.
#ifndef GW_TESTS_FAMILIES_GOLDEN_H
#define GW_TESTS_FAMILIES_GOLDEN_H

#include "base/file.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

// clang-format off
static const char *const golden_names[] = { // one a line, for many hands
    "qwen2",
    "qwen3",
    "gemma",
    "gemma2",
    "gemma3",
    "phi3",
    "phi3-long",
    "mistral3",
    "smollm3",
    "olmo2",
    "olmo3",
    "granite",
    "starcoder2",
    "gpt2",
    "llama4",
    "mistral4",
    "afmoe",
    "laguna",
    "minicpm3",
    "step35",
    "spark2_5",
    "bailingmoe3",
    "laguna-m",
    "mimo2",
    "hy_v3",
    "bitnet",
    "baichuan",
    "baichuan-13b",
    "command-r-plus",
    "stablelm-12b",
    "llama4-128",
    "glm4",
    "seed_oss",
    "ernie4_5",
    "starcoder",
    "exaone4",
    "cohere2",
    "gptneox",
    "mixtral",
    "qwen2moe",
    "qwen3moe",
    "olmoe",
    "granitemoe",
    "gpt-oss",
    "gpt-oss-odd",
    "lfm2",
    "lfm2moe",
    "qwen3next",
    "qwen35",
    "qwen35moe",
    "granitehybrid",
    "granitehybrid-moe",
    "mamba2",
    "falcon-h1",
    "falcon-h1-plain",
    "nemotron_h",
    "nemotron_h_moe",
    "nemotron_h_moe-latent",
    "gemma3n",
    "gemma4",
    "gemma4-31b",
    "gemma4-26b",
    "glm4moe",
    "minimax-m2",
    "ernie4_5-moe",
    "deepseek2",
    "deepseek2-v2",
    "deepseek2-glm",
    "dots1",
    "hunyuan-dense",
    "hunyuan-moe",
    "command-r",
    "qwen2vl",
    "qwen3vl",
    "qwen3vlmoe",
    "falcon-40b",
    "stablelm",
    "phi2",
    "arcee",
    "granitemoe-shared",
    "internlm2",
    "minicpm",
    "exaone",
    "qwen",
    "orion",
    "deepseek",
    "bailingmoe",
    "bailingmoe2",
    "exaone-moe",
    "nemotron",
    "chatglm",
    "falcon",
    "xverse",
    "apertus",
    "kimi-linear",
    "mamba",
    "mamba-falcon",
    "jamba",
    "olmo",
    "dbrx",
    "arctic",
    "bloom",
    "mpt",
    "t5",
    "t5-relu",
};
// clang-format on
enum { N_GOLDENS = sizeof golden_names / sizeof *golden_names };

// GODWIT_FAMILY=name: of these tests, those of one family.
static inline bool golden_is_wanted(const char *name) {
    const char *only = getenv("GODWIT_FAMILY");
    return !only || !strcmp(only, name);
}

// GODWIT_TEST_TURN=K-L/N: of each N in a table those from K to L, the first of which is 0; the rest is seen on other
// drivers.
static inline bool golden_is_in_turn(int index) {
    const char *turn = getenv("GODWIT_TEST_TURN");
    int k = 0, l = 0, n = 1;
    cr_assert(!turn || (sscanf(turn, "%d-%d/%d", &k, &l, &n) == 3 && l < n && k <= l),
              "GODWIT_TEST_TURN=%s", turn);
    return getenv("GODWIT_FAMILY") || (index % n >= k && index % n <= l);
}

static inline void golden_path(const char *name, const char *suffix, char *path, size_t n) {
    const char *folder = getenv("GODWIT_FAMILIES"); // of tests/golden/vary.py
    if (!folder) folder = GODWIT_TEST_ROOT "/tests/golden/families";
    snprintf(path, n, "%s/%s%s", folder, name, suffix);
}

// The ids of so many texts, a line each, one behind the other; how many each has; how many all have.
static inline size_t golden_read_ids(const char *path, int n_texts, int32_t *ids, size_t *n_ids) {
    char line[8192];
    size_t n = 0;
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s is missing", path);
    for (int t = 0; t < n_texts; t++) {
        cr_assert_not_null(fgets(line, sizeof line, file));
        for (char *at = line, *end;; at = end) {
            const long id = strtol(at, &end, 10);
            if (end == at) break;
            ids[n++] = (int32_t)id;
            n_ids[t]++;
        }
    }
    fclose(file);
    return n;
}

// How far logits [n_rows, n_vocab] are off, of the largest one of their row; the worst row.
static inline double golden_error(const float *got, const float *want, int n_rows, int n_vocab) {
    double worst = 0.0;
    for (int r = 0; r < n_rows; r++) {
        double off = 0.0, largest = 0.0;
        for (int i = r * n_vocab; i < (r + 1) * n_vocab; i++) {
            cr_assert(isfinite(got[i]));
            off = fmax(off, fabs((double)got[i] - (double)want[i]));
            largest = fmax(largest, fabs((double)want[i]));
        }
        worst = fmax(worst, off / largest);
    }
    return worst;
}

// The GGUF, which the caller frees.
static inline uint8_t *golden_unpack(const char *name, size_t *out_n) {
    gw_host host;
    godwit_error err = {0};
    char path[512];
    uint8_t *packed = NULL;
    uint64_t n_packed = 0;
    gw_host_init(&host, NULL, NULL, NULL);
    golden_path(name, ".gguf.zst", path, sizeof path);
    cr_assert(gw_file_load(&host, path, UINT64_MAX, &packed, &n_packed, &err) == GODWIT_OK, "%s",
              err.message);
    const size_t n = (size_t)ZSTD_getFrameContentSize(packed, n_packed);
    uint8_t *model = malloc(n);
    cr_assert(model && ZSTD_decompress(model, n, packed, n_packed) == n, "%s", path);
    gw_free(&host, packed, n_packed);
    *out_n = n;
    return model;
}

// The same as a file, which the caller unlinks; path: as mkstemp takes and gives it.
static inline void golden_write(const char *name, char *path) {
    size_t n = 0;
    uint8_t *model = golden_unpack(name, &n);
    const int to = mkstemp(path);
    cr_assert(to >= 0 && write(to, model, n) == (ssize_t)n);
    close(to);
    free(model);
}

#endif
