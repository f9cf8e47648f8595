// help.h: what the command says of itself: pages of help, the manual page, completions for shells.
// All of it is made of the table of commands (main.c) and that of options (options.c).
#ifndef GODWIT_CLI_HELP_H
#define GODWIT_CLI_HELP_H

#include "cli.h"

// NULL past the last.
const cli_command *cli_command_at(size_t index);

// The page of `godwit` alone.
void cli_help_overview(void);
void cli_help_command(const cli_command *command);
// The manual page, as roff.
void cli_help_man(void);
// shell: "bash", "zsh" or "fish"; false for another.
bool cli_help_completion(const char *shell);

#endif
