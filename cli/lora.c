// lora.c: the adapters of --lora.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "output.h"

// "FILE", or "FILE:SCALE" where no file has the whole as its name and a number is behind the last ':'.
static bool split(const char *word, char *path, size_t path_bytes, float *out_scale) {
    const char *colon = strrchr(word, ':');
    size_t n = strlen(word);
    char *end = NULL;
    *out_scale = 1.0f;
    if (colon && colon > word && colon[1] && access(word, F_OK) != 0) {
        const float scale = strtof(colon + 1, &end);
        if (*end == '\0') {
            *out_scale = scale;
            n = (size_t)(colon - word);
        }
    }
    if (n >= path_bytes) return false;
    memcpy(path, word, n);
    path[n] = '\0';
    return true;
}

godwit_status cli_open_loras(const cli_options *options, cli_engine *engine, godwit_lora *out,
                             uint32_t *out_n, godwit_error *error) {
    const cli_words *words = &options->loras;
    char path[sizeof engine->path];
    *out_n = 0;
    for (size_t i = 0; i < words->n; i++) {
        float scale;
        if (*out_n == GODWIT_LORA_MAX || !split(words->items[i], path, sizeof path, &scale)) {
            (void)snprintf(error->message, sizeof error->message,
                           "--lora: more than %d adapters, or a name that is too long",
                           GODWIT_LORA_MAX);
            return error->status = GODWIT_INVALID_ARGUMENT;
        }
        if (scale == 0.0f) continue; // it changes nothing
        godwit_status status = cli_output_check_inputs(options, path, error);
        if (status == GODWIT_OK)
            status = godwit_file_open(engine->context, path, &engine->loras[*out_n], error);
        if (status != GODWIT_OK) return status;
        out[*out_n] = (godwit_lora){engine->loras[*out_n], scale};
        (*out_n)++;
    }
    return GODWIT_OK;
}
