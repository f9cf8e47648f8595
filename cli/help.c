// help.c: pages of help for a terminal, and the manual page.
#include "help.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"

#define TITLE "runs quantized models on any Vulkan 1.2 device, with the same bits on each"

enum { WIDTH_MAX = 80, WIDTH_MIN = 40, OPTION_INDENT = 29, COMMAND_INDENT = 26 };

static size_t page_width(void) {
    size_t n = isatty(STDOUT_FILENO) ? cli_columns(STDOUT_FILENO) : WIDTH_MAX;
    return n > WIDTH_MAX ? WIDTH_MAX : n < WIDTH_MIN ? WIDTH_MIN : n;
}

// Words of text[0..n_text) filled into lines that begin at indent, the first of them at column at.
static void fill(const char *text, size_t n_text, size_t indent, size_t at) {
    const size_t width = page_width();
    bool first = true;
    for (size_t i = 0; i < n_text;) {
        size_t n = 0;
        while (i + n < n_text && text[i + n] != ' ' && text[i + n] != '\n') n++;
        if (n > 0) {
            if (!first && at + 1 + n > width) {
                printf("\n%*s", (int)indent, "");
                at = indent;
            } else if (!first) {
                (void)putchar(' ');
                at++;
            }
            (void)fwrite(text + i, 1, n, stdout);
            at += n;
            first = false;
        }
        i += n + 1;
    }
    (void)putchar('\n');
}

// A paragraph of notes: up to an empty line, or one line as it is that begins with a blank.
static size_t paragraph_bytes(const char *notes) {
    size_t n = strcspn(notes, "\n");
    if (n == 0 || notes[0] == ' ') return n;
    while (notes[n] == '\n' && notes[n + 1] && notes[n + 1] != '\n' && notes[n + 1] != ' ') {
        n += 1 + strcspn(notes + n + 1, "\n");
    }
    return n;
}

static void print_notes(const char *notes) {
    while (*notes) {
        size_t n = paragraph_bytes(notes);
        if (notes[0] == ' ') {
            printf("%.*s\n", (int)n, notes);
        } else {
            fill(notes, n, 0, 0);
        }
        notes += n + (notes[n] == '\n');
    }
}

// What is on the left of a table, and its text beside or, where that is too long, below it.
static void print_item(const char *left, size_t indent, const char *text) {
    int n = printf("  %s", left);
    size_t at = n > 0 ? (size_t)n : 0;
    if (at + 2 > indent) {
        (void)putchar('\n');
        at = 0;
    }
    printf("%*s", (int)(indent - at), "");
    fill(text, strlen(text), indent, indent);
}

static void option_text(const cli_option *option, char *text, size_t text_bytes) {
    cli_range range = cli_option_range(option);
    (void)snprintf(text, text_bytes, "%s%s%s", option->help, range.text[0] ? "; " : "", range.text);
}

static void print_options(uint32_t command_bit) {
    const cli_option *option;
    for (size_t i = 0; (option = cli_option_at(i)) != NULL; i++) {
        char left[64], text[256];
        if (!(option->commands & command_bit)) continue;
        (void)snprintf(left, sizeof(left), "%c%c%c --%s%s%s", option->letter ? '-' : ' ',
                       option->letter ? option->letter : ' ', option->letter ? ',' : ' ',
                       option->name, option->value ? " " : "", option->value ? option->value : "");
        option_text(option, text, sizeof(text));
        print_item(left, OPTION_INDENT, text);
    }
}

void cli_help_overview(void) {
    const cli_command *command;
    char left[64];
    (void)snprintf(left, sizeof(left), "godwit %s:", godwit_version());
    printf("%s ", left);
    fill(TITLE, strlen(TITLE), 0, strlen(left) + 1);
    printf("\nUsage: godwit COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        (void)snprintf(left, sizeof(left), "%-10s %s", command->name, command->operand);
        print_item(left, COMMAND_INDENT, command->summary);
    }
    (void)snprintf(left, sizeof(left), "%-10s %s", "help", "[COMMAND]");
    print_item(left, COMMAND_INDENT, "this page, or that of a command");
    printf("\n");
    print_item("-V, --version", COMMAND_INDENT, "print the version");
    printf("\nTry: godwit run -p \"Once upon a time\"     with the model that comes with it\n"
           "     godwit run MODEL.gguf -p \"...\"       with a GGUF file\n"
           "     godwit devices                       what it runs on here\n");
}

void cli_help_command(const cli_command *command) {
    size_t n = strlen("godwit : ") + strlen(command->name);
    printf("godwit %s: ", command->name);
    fill(command->summary, strlen(command->summary), 0, n);
    printf("\nUsage: godwit %s%s%s [OPTIONS]\n\n", command->name, command->operand[0] ? " " : "",
           command->operand);
    print_options(command->bit);
    if (!command->notes[0]) return;
    (void)putchar('\n');
    print_notes(command->notes);
}

// --- the manual page -----------------------------------------------------------------------------

// Text as roff would have it: nothing in it is a request, a hyphen is one that can be copied.
static void roff(const char *text, size_t n_text) {
    if (n_text && (text[0] == '.' || text[0] == '\'')) printf("\\&");
    for (size_t i = 0; i < n_text; i++) {
        if (text[i] == '\\') {
            printf("\\e");
        } else if (text[i] == '-') {
            printf("\\-");
        } else {
            (void)putchar(text[i]);
            bool begins = text[i] == '\n' && i + 1 < n_text;
            if (begins && (text[i + 1] == '.' || text[i + 1] == '\'')) printf("\\&");
        }
    }
}

static void roff_notes(const char *notes) {
    while (*notes) {
        size_t n = paragraph_bytes(notes);
        if (n > 0 && notes[0] == ' ') {
            printf(".PP\n.nf\n");
            roff(notes, n);
            printf("\n.fi\n");
        } else if (n > 0) {
            printf(".PP\n");
            roff(notes, n);
            (void)putchar('\n');
        }
        notes += n + (notes[n] == '\n');
    }
}

static void roff_option(const cli_option *option) {
    char text[256];
    printf(".TP\n");
    if (option->letter) printf("\\fB\\-%c\\fR, ", option->letter);
    printf("\\fB\\-\\-");
    roff(option->name, strlen(option->name));
    printf("\\fR");
    if (option->value) printf(" \\fI%s\\fR", option->value);
    (void)putchar('\n');
    option_text(option, text, sizeof(text));
    roff(text, strlen(text));
    (void)putchar('\n');
}

static void roff_command(const cli_command *command) {
    const cli_option *option;
    printf(".SS \"godwit %s%s%s [OPTIONS]\"\n", command->name, command->operand[0] ? " " : "",
           command->operand);
    roff(command->summary, strlen(command->summary));
    (void)putchar('\n');
    for (size_t i = 0; (option = cli_option_at(i)) != NULL; i++) {
        if (option->commands & command->bit) roff_option(option);
    }
    roff_notes(command->notes);
}

void cli_help_man(void) {
    static const char environment[] =
        ".SH ENVIRONMENT\n"
        ".TP\n.B GODWIT_MODEL\nthe model of commands that are given none\n"
        ".TP\n.B GODWIT_DEVICE\nthe device of commands that are given none\n"
        ".TP\n.B GODWIT_CACHE_DIR\nwhere compiled kernels and what was measured are kept; empty: "
        "nowhere\n"
        ".TP\n.BR XDG_CACHE_HOME \", \" HOME\nwhere that folder is when it is not named: "
        "$XDG_CACHE_HOME/godwit, else ~/.cache/godwit\n"
        ".SH FILES\n"
        ".TP\n.I quirks.txt\nin that folder: what was found of each device's kernels\n";
    static const char after[] = ".SH \"EXIT STATUS\"\n"
                                ".TP\n.B 0\ndone\n"
                                ".TP\n.B 1\nfailed, with a line on stderr\n"
                                ".TP\n.B 2\nthe command line is wrong\n"
                                ".TP\n.B 128 + N\nended by signal N\n"
                                ".SH EXAMPLES\n"
                                ".nf\n"
                                "godwit run \\-p \"Once upon a time\"\n"
                                "godwit run model.gguf \\-f prompt.txt \\-\\-temp 0 \\-\\-stats\n"
                                "godwit quantize model.gguf smaller.gguf Q4_K\n"
                                "godwit verify\n"
                                ".fi\n";
    const cli_command *command;
    printf(".\\\" Made by `godwit help --man`.\n"
           ".TH GODWIT 1 \"\" \"godwit %s\" \"User Commands\"\n"
           ".SH NAME\ngodwit \\- ",
           godwit_version());
    roff(TITLE, strlen(TITLE));
    printf("\n.SH SYNOPSIS\n.B godwit\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH COMMANDS\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) roff_command(command);
    printf(".SS \"godwit help [COMMAND]\"\nwhat can be done, or the page of a command\n");
    printf("%s%s", environment, after);
}
