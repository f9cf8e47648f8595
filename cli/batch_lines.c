// batch_lines.c: a file line by line, each of bounded length.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"

enum { CHUNK_BYTES = 65536 };

static bool fill_chunk(batch_reader *r) {
    ssize_t n;
    if (!r->chunk) r->chunk = cli_realloc(NULL, CHUNK_BYTES);
    do {
        n = read(r->fd, r->chunk, CHUNK_BYTES);
    } while (n < 0 && errno == EINTR);
    if (n < 0) r->failed = errno;
    r->n_chunk = n > 0 ? (size_t)n : 0;
    r->at = 0;
    return n > 0;
}

static void clear(cli_text *text) {
    text->n_bytes = 0;
    cli_text_add(text, "", 0);
}

bool batch_read_line(batch_reader *r) {
    uint64_t n_line = 0;
    clear(&r->line);
    r->too_long = r->is_cut = false;
    for (;;) {
        if (r->at == r->n_chunk && !fill_chunk(r)) {
            r->is_cut = n_line > 0;
            r->number += r->is_cut;
            return r->is_cut && !r->failed;
        }
        const char *from = r->chunk + r->at, *end = memchr(from, '\n', r->n_chunk - r->at);
        size_t n = end ? (size_t)(end - from) : r->n_chunk - r->at;
        if (r->too_long || r->line.n_bytes + n > BATCH_LINE_BYTES_MAX) {
            r->too_long = true;
            clear(&r->line);
        } else {
            cli_text_add(&r->line, from, n);
        }
        n_line += n;
        r->at += n;
        if (!end) continue;
        r->at++;
        r->n_bytes += n_line + 1;
        r->number++;
        return true;
    }
}

void batch_reader_free(batch_reader *r) {
    free(r->chunk);
    cli_text_free(&r->line);
}
