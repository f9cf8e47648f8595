// lines.h: what is typed in `godwit chat`: lines of stdin, joined to turns.
#ifndef GODWIT_CLI_LINES_H
#define GODWIT_CLI_LINES_H

#include "print.h"

typedef struct cli_lines {
    char buffer[4096];
    size_t at, n;
    bool is_terminal, is_coloured; // of stdin and stderr together
    bool ended;
} cli_lines;

typedef enum cli_line {
    CLI_LINE_GIVEN,
    CLI_LINE_END,         // of stdin
    CLI_LINE_INTERRUPTED, // by a signal
    CLI_LINE_FAILED,      // said
} cli_line;

void cli_lines_begin(cli_lines *lines);
// The next turn: a line, those that end with \ with the ones behind them, or what stands between two
// lines that begin and end with """. On a terminal it is asked for.
cli_line cli_lines_next(cli_lines *lines, cli_text *out_text);
// In a terminal's colour: "\x1b[2m" ... ; "" where there is none.
const char *cli_lines_colour(const cli_lines *lines, const char *code);

#endif
