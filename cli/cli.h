// cli.h: what the files of the command share: its table of subcommands, exit codes, and the way
// from options to an opened context, device and model.
//
// The command uses the library through include/godwit/godwit.h alone. Results go to stdout,
// everything said about them (errors, notes, progress, statistics) to stderr. Out of host memory
// ends the command: there is nobody to hand it to.
#ifndef GODWIT_CLI_H
#define GODWIT_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "godwit/godwit.h"
#include "options.h"

enum {
    CLI_OK = 0,
    CLI_FAILED = 1,   // with a line on stderr
    CLI_USAGE = 2,    // the command line itself is wrong
    CLI_SIGNAL = 128, // plus the number of the signal, as a shell reports it: 130 is Ctrl-C
    CLI_CLOSED = 141, // nobody reads stdout any more, as a shell reports SIGPIPE
};

typedef struct cli_command {
    const char *name;
    uint32_t bit;        // CLI_RUN, ...: which options of the table it takes
    const char *operand; // "[MODEL]", "FILE", "IN OUT TYPE", "": needed unless in brackets
    const char *summary;
    const char *notes; // printed below its options
    int (*run)(const cli_options *options);
} cli_command;

int cli_devices(const cli_options *options);
int cli_inspect(const cli_options *options);
int cli_run(const cli_options *options);
int cli_kernels(const cli_options *options);
int cli_verify(const cli_options *options);
int cli_bench(const cli_options *options);
int cli_quantize(const cli_options *options);
int cli_convert(const cli_options *options);
int cli_perplexity(const cli_options *options);
int cli_session(const cli_options *options);
int cli_batch(const cli_options *options);
int cli_render(const cli_options *options);
int cli_chat(const cli_options *options);
int cli_tokenize(const cli_options *options);
int cli_embed(const cli_options *options);
int cli_rerank(const cli_options *options);

// What most subcommands open; NULL where not reached.
typedef struct cli_engine {
    godwit_context *context;
    godwit_file *file;
    godwit_tokenizer *tokenizer;
    godwit_device *device;
    godwit_model *model;
    uint32_t
        n_start; // tokens that stand behind a prompt by themselves: 1 behind an encoder's text, else 0
    godwit_file *loras[GODWIT_LORA_MAX]; // adapters; NULL behind the last one
    char path[4096];                     // of the model
    bool wants_vulkan;                   // where no device is named, the best of Vulkan's is taken
    char why[256];                       // why the device was taken; "": it was named
} cli_engine;

godwit_status cli_open_context(const cli_options *options, godwit_context **out_context,
                               godwit_error *error);
// Context (where there is none yet) and device.
godwit_status cli_open_device(const cli_options *options, cli_engine *engine, godwit_error *error);
// All of it; shows the upload on a terminal.
godwit_status cli_open_engine(const cli_options *options, cli_engine *engine, godwit_error *error);
// The adapters of --lora: opens them, and puts them into out [GODWIT_LORA_MAX] (lora.c).
godwit_status cli_open_loras(const cli_options *options, cli_engine *engine, godwit_lora *out,
                             uint32_t *out_n, godwit_error *error);
// What a session is made with as the command line has it.
godwit_session_params cli_session_params(const cli_options *options);
// Closes what is open. Returns code, but CLI_FAILED where the validation layer found something.
int cli_close_engine(cli_engine *engine, int code);

// "godwit: <printf>" as one line on stderr.
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
// What was said last, without "godwit: "; "" for nothing. The library's log does not count.
const char *cli_last_said(void);
// Says what failed and returns the exit code for it.
int cli_fail(godwit_status status, const godwit_error *error);
// CLI_OK, or the code of the write error that stdout met (said, unless it is a closed pipe).
int cli_flush_stdout(void);
// exit with CLI_FAILED instead of returning NULL. Grows ptr; NULL allocates.
void *cli_realloc(void *ptr, size_t bytes);

#endif
