// saved.c: see saved.h.
#include "saved.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

// --- reading -------------------------------------------------------------------------------------

typedef struct source {
    FILE *file;
    int number; // errno of a read that failed; 0: none has
} source;

static size_t read_bytes(void *user, void *out, size_t n_bytes) {
    source *s = user;
    size_t n = fread(out, 1, n_bytes, s->file);
    if (n == 0 && ferror(s->file)) {
        s->number = errno;
        return SIZE_MAX;
    }
    return n;
}

static godwit_status fail(const char *path, godwit_error *error) {
    (void)snprintf(error->message, sizeof(error->message), "%.300s: session file: %s", path,
                   strerror(errno));
    return GODWIT_IO;
}

godwit_status cli_saved_check(const char *path, godwit_error *error) {
    return access(path, R_OK) == 0 ? GODWIT_OK : fail(path, error);
}

static godwit_status open_source(source *s, const char *path, godwit_error *error) {
    *s = (source){.file = fopen(path, "rb")};
    return s->file ? GODWIT_OK : fail(path, error);
}

// Puts the path, and why it could not be read, to a message; looks that nothing is left in the file.
static godwit_status close_source(source *s, const char *path, godwit_status status,
                                  godwit_error *error) {
    char message[sizeof(error->message)];
    if (status == GODWIT_OK && fgetc(s->file) != EOF) {
        (void)snprintf(error->message, sizeof(error->message),
                       "session file: bytes behind its end: the file is damaged");
        status = GODWIT_MALFORMED;
    }
    (void)fclose(s->file);
    if (status == GODWIT_OK) return status;
    (void)snprintf(message, sizeof(message), "%s", error->message);
    (void)snprintf(error->message, sizeof(error->message), "%.150s: %.300s%s%s", path, message,
                   s->number ? ": " : "", s->number ? strerror(s->number) : "");
    return status;
}

godwit_status cli_saved_load(const char *path, godwit_model *model,
                             const godwit_session_params *params, godwit_session **out_session,
                             godwit_session_info *out_info, godwit_error *error) {
    source s;
    godwit_status status = open_source(&s, path, error);
    if (status != GODWIT_OK) return status;
    status = godwit_session_load(model, params, read_bytes, &s, out_session, out_info, error);
    status = close_source(&s, path, status, error);
    if (status != GODWIT_OK) godwit_session_destroy(out_session);
    return status;
}

godwit_status cli_saved_inspect(const char *path, godwit_context *context,
                                godwit_session_info *out_info, int32_t **out_tokens,
                                godwit_error *error) {
    source s;
    godwit_status status = open_source(&s, path, error);
    if (status != GODWIT_OK) return status;
    status = godwit_session_inspect(context, read_bytes, &s, NULL, 0, out_info, error);
    status = close_source(&s, path, status, error);
    if (status == GODWIT_OK) status = open_source(&s, path, error);
    if (status != GODWIT_OK) return status;
    // Once more, now that it is known how many there are.
    *out_tokens = cli_realloc(NULL, out_info->n_tokens * sizeof(**out_tokens));
    status = godwit_session_inspect(context, read_bytes, &s, *out_tokens, out_info->n_tokens,
                                    out_info, error);
    return close_source(&s, path, status, error);
}

// --- writing -------------------------------------------------------------------------------------

typedef struct sink {
    cli_output *output;
    godwit_error error; // of a write that failed
} sink;

static bool write_bytes(void *user, const char *bytes, size_t n_bytes) {
    sink *s = user;
    return cli_output_write(s->output, bytes, n_bytes, &s->error) == GODWIT_OK;
}

godwit_status cli_saved_prepare(cli_output *output, const char *path, godwit_error *error) {
    godwit_status status = cli_output_open(output, "session", path, error);
    // A temporary file would stay behind where the command is killed in the meantime.
    if (status == GODWIT_OK && !output->in_place) cli_output_discard(output);
    return status;
}

godwit_status cli_saved_write(cli_output *output, const char *path, godwit_session *session,
                              const godwit_sample_params *sampling, bool tokens_only,
                              godwit_error *error) {
    sink s = {.output = output};
    godwit_status status = GODWIT_OK;
    if (!output->file) status = cli_output_open(output, "session", path, error);
    if (status != GODWIT_OK) return status;
    status = godwit_session_save(session, sampling, tokens_only, write_bytes, &s, error);
    if (s.error.message[0]) {
        *error = s.error;
        status = GODWIT_IO;
    }
    if (status == GODWIT_OK) return cli_output_commit(output, error);
    cli_output_discard(output);
    return status;
}
