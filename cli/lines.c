// lines.c: see lines.h.
#include "lines.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cache_dir.h"
#include "cancel.h"
#include "cli.h"

enum { TURN_BYTES_MAX = 16 << 20 };

void cli_lines_begin(cli_lines *lines) {
    const char *term = cli_getenv("TERM"), *none = cli_getenv("NO_COLOR");
    *lines = (cli_lines){.is_terminal = isatty(STDIN_FILENO) && isatty(STDERR_FILENO)};
    lines->is_coloured = lines->is_terminal && isatty(STDOUT_FILENO) && !(none && none[0]) &&
                         term && strcmp(term, "dumb") != 0;
}

const char *cli_lines_colour(const cli_lines *lines, const char *code) {
    return lines->is_coloured ? code : "";
}

static void ask(const cli_lines *lines, const char *mark) {
    if (!lines->is_terminal) return;
    (void)fprintf(stderr, "%s%s%s", cli_lines_colour(lines, "\x1b[1;32m"), mark,
                  cli_lines_colour(lines, "\x1b[0m"));
    (void)fflush(stderr);
}

// More of stdin into the buffer; a signal ends the wait.
static cli_line fill(cli_lines *lines) {
    struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                            {.fd = cli_cancel_fd(), .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            cli_say("stdin: %s", strerror(errno));
            return CLI_LINE_FAILED;
        }
        if (fds[1].revents) return CLI_LINE_INTERRUPTED;
        if (!fds[0].revents) continue;
        ssize_t n = read(STDIN_FILENO, lines->buffer, sizeof(lines->buffer));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            cli_say("stdin: %s", strerror(errno));
            return CLI_LINE_FAILED;
        }
        lines->at = 0;
        lines->n = (size_t)n;
        return n > 0 ? CLI_LINE_GIVEN : CLI_LINE_END;
    }
}

// One line, without its end, added to the text.
static cli_line add_line(cli_lines *lines, cli_text *text) {
    bool any = false;
    while (!lines->ended) {
        if (lines->at == lines->n) {
            cli_line got = fill(lines);
            lines->ended = got == CLI_LINE_END;
            if (got == CLI_LINE_END && any) return CLI_LINE_GIVEN;
            if (got != CLI_LINE_GIVEN) return got;
        }
        const char *from = lines->buffer + lines->at;
        const char *end = memchr(from, '\n', lines->n - lines->at);
        size_t n = end ? (size_t)(end - from) : lines->n - lines->at;
        cli_text_add(text, from, n);
        lines->at += n + (end != NULL);
        any = true;
        if (text->n_bytes > TURN_BYTES_MAX) {
            cli_say("chat: a turn is longer than %d bytes", TURN_BYTES_MAX);
            return CLI_LINE_FAILED;
        }
        if (!end) continue;
        if (text->n_bytes > 0 && text->data[text->n_bytes - 1] == '\r') text->n_bytes--;
        text->data[text->n_bytes] = 0;
        return CLI_LINE_GIVEN;
    }
    return CLI_LINE_END;
}

static bool cut_end(cli_text *text, const char *end) {
    size_t n = strlen(end);
    if (text->n_bytes < n || memcmp(text->data + text->n_bytes - n, end, n) != 0) {
        return false;
    }
    text->n_bytes -= n;
    text->data[text->n_bytes] = 0;
    return true;
}

cli_line cli_lines_next(cli_lines *lines, cli_text *out_text) {
    static const char quotes[] = "\"\"\"";
    out_text->n_bytes = 0;
    cli_text_add(out_text, "", 0);
    ask(lines, "> ");
    cli_line got = add_line(lines, out_text);
    if (got != CLI_LINE_GIVEN) return got;
    bool quoted = strncmp(out_text->data, quotes, 3) == 0;
    if (quoted) {
        out_text->n_bytes -= 3;
        memmove(out_text->data, out_text->data + 3, out_text->n_bytes + 1);
    }
    while (quoted ? !cut_end(out_text, quotes) : cut_end(out_text, "\\")) {
        if (!quoted || out_text->n_bytes > 0) cli_text_add(out_text, "\n", 1);
        ask(lines, ". ");
        got = add_line(lines, out_text);
        // The end of stdin ends a turn that is open.
        if (got == CLI_LINE_END) return CLI_LINE_GIVEN;
        if (got != CLI_LINE_GIVEN) return got;
    }
    if (quoted) (void)cut_end(out_text, "\n");
    return CLI_LINE_GIVEN;
}
