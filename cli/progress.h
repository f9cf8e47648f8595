// progress.h: the one line on a terminal that is written over while work goes on, and how wide the
// terminal is.
//
// It goes to stderr, and only where that is a terminal. Thread-safety: any thread may show a line.
#ifndef GODWIT_CLI_PROGRESS_H
#define GODWIT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

// Columns of the terminal behind fd at this moment, else of $COLUMNS, else 80.
size_t cli_columns(int fd);
bool cli_shows_progress(void);
// Cut to the terminal's width. Ten times a second at most, and not for work that ends at once.
void cli_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Takes the line off, before anything else is printed.
void cli_progress_end(void);
// The same for good: text without a line end stands on the terminal from now on.
void cli_progress_stop(void);

#endif
