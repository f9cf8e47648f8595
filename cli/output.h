// output.h: a file that the command writes and that appears whole or not at all.
//
// Bytes go to a temporary file beside the target, which takes its name at commit. What is no
// regular file (a pipe, /dev/null) is written as it is.
#ifndef GODWIT_CLI_OUTPUT_H
#define GODWIT_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "godwit/godwit.h"
#include "options.h"

typedef struct cli_output {
    FILE *file;       // NULL: not open
    const char *what; // "logits", for messages
    const char *name; // as the user named it, for messages
    char path[4096];  // no symbolic link
    char temporary[4096 + 48];
    bool in_place; // there is no temporary file
} cli_output;

// Whether that could name a file to write; says on behalf of command and option (or operand) why
// not.
bool cli_output_is_name(const char *command, const char *what, const char *name);
// Fails where a file that the options name to be written is, by whatever name, one that they or the
// model's path have read. A saved session may take the place of the one that was gone on from.
godwit_status cli_output_check_inputs(const cli_options *options, const char *model,
                                      godwit_error *error);
// what and name must live as long as the output. Only an open output is written to, committed or
// discarded.
godwit_status cli_output_open(cli_output *output, const char *what, const char *name,
                              godwit_error *error);
godwit_status cli_output_write(cli_output *output, const void *data, size_t n_bytes,
                               godwit_error *error);
// Puts it in the target's place. Closed then either way.
godwit_status cli_output_commit(cli_output *output, godwit_error *error);
// Closes it where it is open; the target is as it was.
void cli_output_discard(cli_output *output);

#endif
