// output.c: see output.h.
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

enum { MAX_TRIES = 100, MAX_LINKS = 40, NAME_BYTES_MAX = 255 };

static godwit_status fail(godwit_error *error, const cli_output *o, const char *why) {
    (void)snprintf(error->message, sizeof(error->message), "%s: %.300s: %s", o->what, o->name, why);
    return GODWIT_IO;
}

bool cli_output_is_name(const char *command, const char *what, const char *name) {
    if (!name[0]) {
        cli_say("%s: %s: the name of the file to write is empty", command, what);
    } else if (strcmp(name, "-") == 0) {
        cli_say("%s: %s: a file is needed, stdout will not do; ./- is a file of that name", command,
                what);
    } else {
        return true;
    }
    return false;
}

static godwit_status check_input(const char *what, const char *name, const char *input,
                                 godwit_error *error) {
    struct stat to, from;
    if (!name || !input || stat(name, &to) != 0 || !S_ISREG(to.st_mode)) return GODWIT_OK;
    int got = strcmp(input, "stdin") == 0 ? fstat(STDIN_FILENO, &from) : stat(input, &from);
    if (got != 0 || from.st_dev != to.st_dev || from.st_ino != to.st_ino) return GODWIT_OK;
    (void)snprintf(error->message, sizeof(error->message),
                   "%s: %.200s: is the same file as %.200s, which is read; name another", what,
                   name, input);
    return GODWIT_INVALID_ARGUMENT;
}

godwit_status cli_output_check_inputs(const cli_options *options, const char *model,
                                      godwit_error *error) {
    const char *const inputs[] = {model, options->text, options->kl_base, options->in, "stdin"};
    const char *out = options->out && strcmp(options->out, "-") != 0 ? options->out : NULL;
    godwit_status status = check_input("logits", options->logits, options->resume, error);
    for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]) && status == GODWIT_OK; i++) {
        status = check_input("logits", options->logits, inputs[i], error);
        if (status == GODWIT_OK) status = check_input("session", options->save, inputs[i], error);
        if (status == GODWIT_OK) status = check_input("output", out, inputs[i], error);
        if (status == GODWIT_OK) status = check_input("out", options->out_file, inputs[i], error);
    }
    return status;
}

// Where the last name of a path begins.
static size_t folder_bytes(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

// What name is behind symbolic links, so that a link stays one; it need not be there.
static godwit_status resolve(cli_output *o, godwit_error *error) {
    char to[sizeof(o->path)];
    size_t n_name = strlen(o->name);
    if (n_name >= sizeof(o->path)) return fail(error, o, strerror(ENAMETOOLONG));
    memcpy(o->path, o->name, n_name + 1);
    for (int i = 0; i < MAX_LINKS; i++) {
        ssize_t n = readlink(o->path, to, sizeof(to) - 1);
        if (n < 0) return GODWIT_OK;
        to[n] = 0;
        size_t n_folder = to[0] == '/' ? 0 : folder_bytes(o->path);
        if (n_folder + (size_t)n >= sizeof(o->path)) {
            return fail(error, o, strerror(ENAMETOOLONG));
        }
        memcpy(o->path + n_folder, to, (size_t)n + 1);
    }
    return fail(error, o, strerror(ELOOP));
}

// A file beside the target that was not there, under the target's name or its beginning.
static int open_temporary(cli_output *o) {
    size_t n_folder = folder_bytes(o->path), n_name = strlen(o->path) - n_folder;
    int fd = -1;
    for (int i = 0; i < MAX_TRIES && fd < 0; i++) {
        char suffix[48];
        size_t n = (size_t)snprintf(suffix, sizeof(suffix), ".%ld-%d.part", (long)getpid(), i);
        size_t kept = n_name + n > NAME_BYTES_MAX ? NAME_BYTES_MAX - n : n_name;
        memcpy(o->temporary, o->path, n_folder + kept);
        memcpy(o->temporary + n_folder + kept, suffix, n + 1);
        fd = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno != EEXIST) break;
    }
    return fd;
}

godwit_status cli_output_open(cli_output *output, const char *what, const char *name,
                              godwit_error *error) {
    struct stat info;
    *output = (cli_output){.what = what, .name = name};
    bool there = stat(name, &info) == 0;
    if (!there && errno != ENOENT) return fail(error, output, strerror(errno));
    output->in_place = there && !S_ISREG(info.st_mode);
    if (output->in_place) {
        output->file = fopen(name, "wb");
    } else {
        godwit_status status = resolve(output, error);
        if (status != GODWIT_OK) return status;
        int fd = open_temporary(output);
        if (fd >= 0) output->file = fdopen(fd, "wb");
    }
    return output->file ? GODWIT_OK : fail(error, output, strerror(errno));
}

godwit_status cli_output_write(cli_output *output, const void *data, size_t n_bytes,
                               godwit_error *error) {
    if (fwrite(data, 1, n_bytes, output->file) == n_bytes) return GODWIT_OK;
    return fail(error, output, strerror(errno));
}

godwit_status cli_output_commit(cli_output *output, godwit_error *error) {
    // Some file systems tell of a full disk only at fsync; and a rename may reach the disk before
    // the bytes do.
    bool done = fflush(output->file) == 0 && (output->in_place || fsync(fileno(output->file)) == 0);
    int number = errno;
    if (fclose(output->file) != 0 && done) {
        done = false;
        number = errno;
    }
    output->file = NULL;
    if (done && !output->in_place && rename(output->temporary, output->path) != 0) {
        done = false;
        number = errno;
    }
    if (done) return GODWIT_OK;
    if (!output->in_place) (void)unlink(output->temporary);
    return fail(error, output, strerror(number));
}

void cli_output_discard(cli_output *output) {
    if (!output->file) return;
    (void)fclose(output->file);
    if (!output->in_place) (void)unlink(output->temporary);
    output->file = NULL;
}
