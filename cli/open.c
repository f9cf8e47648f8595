// open.c: from options to an opened context, device, file and model; and how the command fails.
//
// Owns where the default model is found.
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache_dir.h"
#include "cancel.h"
#include "cli.h"
#include "clock.h"
#include "drivers.h"
#include "output.h"
#include "print.h"
#include "progress.h"

#define MODEL_NAME "story-q8_0.gguf"

static char last_said[1024];

static void say_line(const char *line) {
    cli_progress_end();
    (void)fflush(stdout);
    (void)fputs("godwit: ", stderr);
    cli_print_safe(stderr, line, strlen(line)); // may quote a file
    (void)fputc('\n', stderr);
}

void cli_say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)vsnprintf(last_said, sizeof(last_said), format, args);
    va_end(args);
    say_line(last_said);
}

const char *cli_last_said(void) {
    return last_said;
}

int cli_fail(godwit_status status, const godwit_error *error) {
    cli_progress_end();
    if (status == GODWIT_CANCELLED && cli_cancelled()) return CLI_SIGNAL + cli_cancelled_by();
    if (error && error->message[0]) {
        cli_say("%s", error->message);
    } else {
        cli_say("%s (%s)", godwit_status_sentence(status), godwit_status_name(status));
    }
    return CLI_FAILED;
}

int cli_flush_stdout(void) {
    static bool said;
    int flushed = fflush(stdout);
    if (flushed == 0 && !ferror(stdout)) return CLI_OK;
    static int number;
    if (number == 0) number = errno;
    if (number == EPIPE) return CLI_CLOSED;
    if (!said) (void)fprintf(stderr, "godwit: stdout: %s\n", strerror(number));
    said = true;
    return CLI_FAILED;
}

void *cli_realloc(void *ptr, size_t bytes) {
    void *grown = realloc(ptr, bytes ? bytes : 1);
    if (grown) return grown;
    (void)fprintf(stderr, "godwit: out of memory (%zu bytes)\n", bytes);
    exit(CLI_FAILED);
}

static void log_line(void *user, godwit_log_level level, const char *line) {
    const cli_options *options = user;
    if (level < GODWIT_LOG_WARN && !options->verbose) return;
    say_line(line);
}

// Seconds may pass here at a first start, with nothing else on the screen.
static bool show_kernel(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)user;
    (void)total;
    cli_progress("compiling kernel %llu, %s", (unsigned long long)done + 1, what);
    return !cli_cancel_stops();
}

godwit_status cli_open_context(const cli_options *options, godwit_context **out_context,
                               godwit_error *error) {
    godwit_context_params params = GODWIT_INIT(godwit_context_params);
    params.log = log_line;
    params.log_user = (void *)options;
    params.cache_dir = cli_cache_dir();
    params.validation = options->validation;
    params.progress = show_kernel;
    return godwit_context_create(&params, out_context, error);
}

// They need no driver, so none is loaded: that is the way out of a bad one.
static bool names_cpu(const char *device) {
    return device && (strcasecmp(device, "cpu") == 0 || strcasecmp(device, "reference") == 0);
}

static void say_why(cli_engine *engine) {
    godwit_device_info taken = GODWIT_INIT(godwit_device_info), first = taken;
    if (godwit_device_get_info(engine->device, &taken, NULL) != GODWIT_OK ||
        godwit_context_device_info(engine->context, 0, &first, NULL) != GODWIT_OK)
        return;
    (void)snprintf(engine->why, sizeof(engine->why), "%s", cli_why_default(&taken, &first).text);
}

static const char *named_device(const cli_options *options) {
    const char *environment = cli_getenv("GODWIT_DEVICE");
    if (options->device) return options->device;
    return environment && environment[0] ? environment : NULL;
}

godwit_status cli_open_device(const cli_options *options, cli_engine *engine, godwit_error *error) {
    const char *which = named_device(options);
    const bool is_named = which != NULL, loads_drivers = !names_cpu(which);
    godwit_status status = GODWIT_OK;
    if (!engine->context) status = cli_open_context(options, &engine->context, error);
    if (status != GODWIT_OK) return status;
    godwit_device_params params = GODWIT_INIT(godwit_device_params);
    params.mask = options->mask;
    params.n_threads = options->n_threads;
    if (loads_drivers) {
        cli_ignore_relative_cache_home();
        if (!cli_drivers_prepare(options->mask, false)) return GODWIT_CANCELLED;
        // Validation and kernels are Vulkan's.
        const bool wants_vulkan = options->validation || engine->wants_vulkan;
        if (!which && wants_vulkan && godwit_context_n_devices(engine->context) > 1) which = "0";
    }
    status = godwit_device_open(engine->context, which, &params, &engine->device, error);
    cli_progress_end();
    if (!loads_drivers) return status;
    cli_drivers_worked();
    // Who installed no driver, or a broken one, may think that a GPU is used.
    const char *reason = godwit_context_no_vulkan_reason(engine->context);
    if (!is_named && status == GODWIT_OK) say_why(engine);
    if (!is_named && reason[0]) {
        (void)fprintf(stderr, "godwit: %s\ngodwit: runs on the cores of this machine\n", reason);
    }
    return status;
}

static bool is_there(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

// Fills path[0..path_bytes) with the model to open; false with a message where there is none.
static bool find_model(const char *named, char *path, size_t path_bytes, godwit_error *error) {
    const char *environment = cli_getenv("GODWIT_MODEL");
    if (!named && environment && environment[0]) named = environment;
    if (named) {
        if ((size_t)snprintf(path, path_bytes, "%s", named) < path_bytes) return true;
        (void)snprintf(error->message, sizeof(error->message),
                       "model path is longer than %zu bytes", path_bytes - 1);
        return false;
    }
    char executable[2048];
    ssize_t n = readlink("/proc/self/exe", executable, sizeof(executable) - 1);
    executable[n > 0 ? n : 0] = 0;
    char *slash = strrchr(executable, '/');
    if (slash) *slash = 0;
    // Installed, it has its own; in a build folder, the one of the sources.
    (void)snprintf(path, path_bytes, "%s/../share/godwit/%s", executable, MODEL_NAME);
    if (is_there(path)) return true;
    (void)snprintf(error->message, sizeof(error->message),
                   "no model named and none found: looked at $GODWIT_MODEL (not set) and %.300s; "
                   "name a GGUF file",
                   path);
#if defined(GODWIT_SOURCE_DIR)
    (void)snprintf(path, path_bytes, "%s", GODWIT_SOURCE_DIR "/models/" MODEL_NAME);
    if (is_there(path)) return true;
#endif
    return false;
}

static bool show_progress(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)user;
    if (done < total) {
        cli_progress("%s %s of %s", what, cli_bytes(done).text, cli_bytes(total).text);
    } else {
        cli_progress_end();
    }
    return !cli_cancelled();
}

// What stops a file whose tokenizer cannot be made: the model itself, where that would not run.
static godwit_status why_not(const godwit_file *file, godwit_status status, godwit_error *error) {
    godwit_error model = {0};
    godwit_status first = godwit_file_check(file, &model);
    if (first == GODWIT_OK) return status;
    *error = model;
    return first;
}

// That no other file of a split model is what is written to.
static godwit_status check_parts(const cli_options *options, const godwit_file *file,
                                 godwit_error *error) {
    const char *part = NULL;
    godwit_status status = GODWIT_OK;
    for (uint32_t i = 1; (part = godwit_file_part(file, i)) != NULL; i++) {
        status = cli_output_check_inputs(options, part, error);
        if (status != GODWIT_OK) return status;
    }
    return status;
}

godwit_session_params cli_session_params(const cli_options *options) {
    godwit_session_params params = GODWIT_INIT(godwit_session_params);
    params.n_ctx = options->n_ctx;
    params.n_batch = options->n_batch;
    params.kv_k = (godwit_kv)options->kv[0];
    params.kv_v = (godwit_kv)options->kv[1];
    params.numerics = (godwit_numerics)options->numerics;
    params.guard = options->guard;
    params.checkpoint_every = options->checkpoint_every;
    params.n_draft = options->n_mtp ? options->n_mtp : options->n_draft;
    return params;
}

godwit_status cli_open_engine(const cli_options *options, cli_engine *engine, godwit_error *error) {
    godwit_lora loras[GODWIT_LORA_MAX];
    uint32_t n_loras = 0;
    if (!find_model(options->operand, engine->path, sizeof(engine->path), error)) {
        return GODWIT_NOT_FOUND;
    }
    godwit_status status = cli_output_check_inputs(options, engine->path, error);
    if (status != GODWIT_OK) return status;
    // The file first: opening a device takes longer than seeing that a file is not a model.
    status = cli_open_context(options, &engine->context, error);
    if (status != GODWIT_OK) return status;
    status = godwit_file_open(engine->context, engine->path, &engine->file, error);
    if (status != GODWIT_OK) return status;
    status = check_parts(options, engine->file, error);
    if (status != GODWIT_OK) return status;
    status = cli_open_loras(options, engine, loras, &n_loras, error);
    if (status != GODWIT_OK) return status;
    status = godwit_tokenizer_create(engine->file, &engine->tokenizer, error);
    if (status != GODWIT_OK) return why_not(engine->file, status, error);
    status = cli_open_device(options, engine, error);
    if (status != GODWIT_OK) return status;
    godwit_model_params params = GODWIT_INIT(godwit_model_params);
    params.progress = show_progress;
    params.loras = loras;
    params.n_loras = n_loras;
    params.mtp = options->n_mtp != 0;
    if (options->host_experts != CLI_NOT_GIVEN)
        params.host_experts = options->host_experts ? (int32_t)options->host_experts : -1;
    status = godwit_model_open(engine->device, engine->file, &params, &engine->model, error);
    cli_progress_end();
    godwit_model_info info = GODWIT_INIT(godwit_model_info);
    if (status == GODWIT_OK) status = godwit_model_get_info(engine->model, &info, error);
    if (status == GODWIT_OK) engine->n_start = info.decoder_start >= 0;
    return status;
}

int cli_close_engine(cli_engine *engine, int code) {
    godwit_model_close(&engine->model);
    godwit_tokenizer_destroy(&engine->tokenizer);
    godwit_file_close(&engine->file);
    for (int i = 0; i < GODWIT_LORA_MAX; i++) godwit_file_close(&engine->loras[i]);
    godwit_device_close(&engine->device);
    // Counted last, since destroying is validated, too.
    uint64_t n_messages = engine->context ? godwit_context_validation_count(engine->context) : 0;
    godwit_context_destroy(&engine->context);
    if (n_messages == 0) return code;
    cli_say("the validation layer had %llu messages", (unsigned long long)n_messages);
    return code == CLI_OK ? CLI_FAILED : code;
}
