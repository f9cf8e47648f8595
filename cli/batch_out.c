// batch_out.c: the output of `godwit batch`: JSON lines that are there whole or not at all, also after
// a kill; and what an output holds that an earlier call has left.
//
// A line is appended by one write. Of a write that was cut short (a killed process, a full disk) the
// line end is missing: such a line is taken off.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "progress.h"

static bool say_errno(const batch_output *o) {
    cli_say("%s: %s", o->name, strerror(errno));
    return false;
}

// --- what is there -------------------------------------------------------------------------------

// Of a line as this file writes it; false for any other.
static bool take_line(batch_output *o, const cli_text *text) {
    json_t *line = json_loadb(text->data, text->n_bytes, 0, NULL);
    const json_t *error = json_object_get(line, "error");
    const json_t *number = json_object_get(error, "line");
    const char *id = json_string_value(json_object_get(line, "custom_id"));
    const char *code = json_string_value(json_object_get(error, "code"));
    const bool good = id && (error ? code != NULL : json_object_get(line, "text") != NULL);
    if (good && code && strcmp(code, BATCH_DUPLICATE) == 0) {
        char key[32];
        (void)snprintf(key, sizeof(key), "%lld", (long long)json_integer_value(number));
        cli_json_set(o->doubles, key, json_true());
    } else if (good) {
        cli_json_set(o->done, id, json_boolean(error != NULL));
    }
    json_decref(line);
    return good;
}

// Whether a line without an end may be the beginning of one that this file writes.
static bool may_be_cut(const cli_text *text) {
    static const char begins[] = "{\"custom_id\":\"";
    size_t n = text->n_bytes < sizeof(begins) - 1 ? text->n_bytes : sizeof(begins) - 1;
    return n > 0 && memcmp(text->data, begins, n) == 0;
}

static bool read_lines(batch_output *o, batch_reader *reader) {
    while (batch_read_line(reader)) {
        if (reader->is_cut ? may_be_cut(&reader->line) : take_line(o, &reader->line)) continue;
        cli_say("%s: line %llu is no result of `godwit batch`; name another file", o->name,
                (unsigned long long)reader->number);
        return false;
    }
    errno = reader->failed;
    return errno == 0 || say_errno(o);
}

static bool read_done(batch_output *o) {
    batch_reader reader = {.fd = o->fd};
    bool good = read_lines(o, &reader);
    o->n_bytes = reader.n_bytes;
    batch_reader_free(&reader);
    return good && (ftruncate(o->fd, (off_t)o->n_bytes) == 0 || say_errno(o));
}

// So that two processes do not do the same work. Where the file system has no locks, nobody looks.
static bool lock(const batch_output *o) {
    if (flock(o->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return true;
    cli_say("%s: another process writes to it", o->name);
    return false;
}

// --- writing -------------------------------------------------------------------------------------

bool batch_output_open(batch_output *o, const char *name) {
    struct stat info;
    const bool is_stdout = strcmp(name, "-") == 0;
    *o = (batch_output){.name = is_stdout ? "stdout" : name, .fd = STDOUT_FILENO};
    o->done = json_object();
    o->doubles = json_object();
    if (is_stdout) return true;
    // What is no regular file (a pipe) may not be readable, and has nothing to go on from.
    o->is_regular = stat(name, &info) != 0 || S_ISREG(info.st_mode);
    const int flags = o->is_regular ? O_RDWR | O_CREAT | O_APPEND : O_WRONLY;
    o->fd = open(name, flags | O_CLOEXEC, 0666);
    if (o->fd < 0) return say_errno(o);
    return !o->is_regular || (lock(o) && read_done(o));
}

// All of it, in one write unless the system takes less.
static bool write_all(const batch_output *o, const char *data, size_t n_bytes) {
    while (n_bytes > 0) {
        ssize_t n = write(o->fd, data, n_bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        data += n;
        n_bytes -= (size_t)n;
    }
    return true;
}

bool batch_output_write(batch_output *o, json_t *value) {
    // What would steer a terminal goes there as \u.
    // 9 digits: reals are floats.
    const size_t flags =
        JSON_COMPACT | JSON_REAL_PRECISION(9) | (isatty(o->fd) ? JSON_ENSURE_ASCII : 0);
    char *text = json_dumps(value, flags);
    json_decref(value);
    if (!text) {
        cli_say("out of memory");
        return false;
    }
    size_t n_bytes = strlen(text); // U+0000 is written as \u0000
    text[n_bytes++] = '\n';        // in the place of its end
    cli_progress_end();
    bool done = write_all(o, text, n_bytes);
    o->is_closed = !done && errno == EPIPE;
    if (!done) (void)say_errno(o);
    free(text);
    if (done) {
        o->n_bytes += n_bytes;
        return true;
    }
    if (o->is_regular && ftruncate(o->fd, (off_t)o->n_bytes) != 0) {
        // A cut line stays, which the next call takes off.
    }
    return false;
}

bool batch_output_close(batch_output *o) {
    json_decref(o->done);
    json_decref(o->doubles);
    if (o->fd < 0 || o->fd == STDOUT_FILENO) return true;
    // Some file systems tell of a full disk only here.
    bool done = !o->is_regular || fsync(o->fd) == 0;
    if (!done) (void)say_errno(o);
    if (close(o->fd) != 0 && done) done = say_errno(o);
    o->fd = -1;
    return done;
}

json_t *batch_json_of_error(const batch_request *request) {
    json_t *all = json_object(), *error = json_object();
    cli_json_set(error, "code", cli_json_word(request->code));
    cli_json_set(error, "message", cli_json_word(request->message));
    cli_json_set(error, "line", json_integer((json_int_t)request->line));
    cli_json_set(all, "custom_id", cli_json_word(request->id));
    cli_json_set(all, "error", error);
    return all;
}
