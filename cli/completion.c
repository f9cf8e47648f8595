// completion.c: completions for bash, zsh and fish.
//
// A value is completed by what the table shows for it: a file, the words of a choice, a number
// format, the device that is always there. Drivers are not started to complete a word.
#include <stdio.h>
#include <string.h>

#include "help.h"

enum { N_DTYPES = 64 };

static bool is_file(const cli_option *option) {
    return option->value &&
           (strcmp(option->value, "FILE") == 0 || strcmp(option->value, "MODEL") == 0);
}

static bool is_dtype(const cli_option *option) {
    return option->value && strcmp(option->value, "TYPE") == 0;
}

static bool is_device(const cli_option *option) {
    return option->value && strstr(option->value, "|cpu");
}

// Number formats that matrices can be written in.
static void print_dtypes(void) {
    bool first = true;
    for (int i = 0; i < N_DTYPES; i++) {
        const char *name = godwit_dtype_name((godwit_dtype)i);
        bool is_integer = name && name[0] == 'I' && name[1] != 'Q';
        if (!name || is_integer) continue;
        printf("%s%s", first ? "" : " ", name);
        first = false;
    }
}

// Whether it is known which words may follow the option; those, with blanks between.

static bool has_values(const cli_option *option) {
    return option->kind == CLI_CHOICE || option->kind == CLI_PAIR || is_dtype(option) ||
           is_device(option);
}

static void print_values(const cli_option *option) {
    if (is_dtype(option)) {
        print_dtypes();
    } else if (is_device(option)) {
        printf("cpu reference");
    } else {
        for (const char *c = option->value; *c; c++) (void)putchar(*c == '|' ? ' ' : *c);
    }
}

// The first clause of a text inside single quotes, without what zsh takes for an end.
static void print_short(const char *text) {
    size_t n = strcspn(text, ";(");
    while (n > 0 && text[n - 1] == ' ') n--;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\'') {
            printf("'\\''");
        } else if (text[i] == ':') {
            (void)putchar(',');
        } else if (!strchr("`\\[]", text[i])) {
            (void)putchar(text[i]);
        }
    }
}

// --- bash ----------------------------------------------------------------------------------------

static void bash_option_names(const cli_command *command) {
    const cli_option *option;
    printf("    %s) words='", command->name);
    for (size_t i = 0; (option = cli_option_at(i)) != NULL; i++) {
        if (option->commands & command->bit) printf("--%s ", option->name);
    }
    printf("' ;;\n");
}

// What completes the words behind an option; commands may have options of one name that differ.
static void bash_values(const cli_command *command) {
    const cli_option *option;
    for (size_t i = 0; (option = cli_option_at(i)) != NULL; i++) {
        if (!(option->commands & command->bit) || option->kind == CLI_FLAG) continue;
        printf("    %s:--%s", command->name, option->name);
        if (option->letter) printf(" | %s:-%c", command->name, option->letter);
        printf(") ");
        if (is_file(option)) {
            printf("_godwit_files; return ;;\n");
        } else if (has_values(option)) {
            printf("_godwit_words '");
            print_values(option);
            printf("'; return ;;\n");
        } else {
            printf("return ;;\n");
        }
    }
}

static void bash(void) {
    const cli_command *command;
    printf("# Completion of godwit for bash, made by `godwit help --completion bash`.\n"
           "_godwit_words() { mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$cur\"); }\n"
           "_godwit_files() {\n"
           "    compopt -o filenames 2>/dev/null\n"
           "    mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
           "}\n"
           "_godwit() {\n"
           "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    local command=${COMP_WORDS[1]} words=''\n"
           "    COMPREPLY=()\n"
           "    # --name=VALUE comes as three words\n"
           "    if [ \"$cur\" = '=' ]; then cur=''\n"
           "    elif [ \"$prev\" = '=' ]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
           "    if [ \"$COMP_CWORD\" -eq 1 ]; then command=''; fi\n"
           "    case $command:$prev in\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) bash_values(command);
    printf("    esac\n"
           "    case $command in\n"
           "    '' | help)\n"
           "        _godwit_words '");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) printf("%s ", command->name);
    printf("help'\n"
           "        return ;;\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) bash_option_names(command);
    printf("    esac\n"
           "    case $cur in\n"
           "    -*) _godwit_words \"$words\" ;;\n"
           "    *) _godwit_files ;;\n"
           "    esac\n"
           "    if [ \"$command:$COMP_CWORD\" = quantize:4 ]; then _godwit_words '");
    print_dtypes();
    printf("'; fi\n"
           "    if [ \"$command:$COMP_CWORD:${cur:0:1}\" = session:2: ]; then _godwit_words "
           "inspect; fi\n"
           "}\n"
           "complete -F _godwit godwit\n");
}

// --- zsh -----------------------------------------------------------------------------------------

static void zsh_option(const cli_option *option) {
    const char *repeat = option->kind == CLI_WORDS ? "*" : "";
    const char *joined = option->kind == CLI_FLAG ? "" : "=";
    printf("            ");
    if (option->letter && option->kind == CLI_FLAG) {
        printf("'(-%c --%s)'{-%c,--%s}", option->letter, option->name, option->letter,
               option->name);
    } else if (option->letter) {
        printf("'(-%c --%s)'{-%c+,--%s=}", option->letter, option->name, option->letter,
               option->name);
    } else {
        printf("'%s--%s%s'", repeat, option->name, joined);
    }
    printf("'[");
    print_short(option->help);
    printf("]");
    if (option->kind != CLI_FLAG) {
        printf(":value:");
        if (is_file(option)) {
            printf("_files");
        } else if (has_values(option)) {
            printf("(");
            print_values(option);
            printf(")");
        } else {
            printf(" ");
        }
    }
    printf("' \\\n");
}

static void zsh_command(const cli_command *command) {
    const cli_option *option;
    printf("    %s)\n        _arguments \\\n", command->name);
    for (size_t i = 0; (option = cli_option_at(i)) != NULL; i++) {
        if (option->commands & command->bit) zsh_option(option);
    }
    if (strstr(command->operand, "TYPE")) {
        printf("            '3:number format:(");
        print_dtypes();
        printf(")' \\\n");
    }
    if (command->bit == CLI_SESSION) printf("            '1:what:(inspect)' \\\n");
    printf("            '*:file:_files' ;;\n");
}

static void zsh(void) {
    const cli_command *command;
    printf("#compdef godwit\n"
           "# Completion of godwit for zsh, made by `godwit help --completion zsh`.\n"
           "_godwit() {\n"
           "    local -a commands=(\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("        '%s:", command->name);
        print_short(command->summary);
        printf("'\n");
    }
    printf("        'help:this page, or that of a command'\n"
           "    )\n"
           "    if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n"
           "        _describe command commands\n"
           "        return\n"
           "    fi\n"
           "    local command=$words[2]\n"
           "    shift words\n"
           "    (( CURRENT-- ))\n"
           "    case $command in\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) zsh_command(command);
    printf("    esac\n"
           "}\n"
           "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _godwit \"$@\"\n"
           "else compdef _godwit godwit; fi\n");
}

// --- fish ----------------------------------------------------------------------------------------

static void fish_option(const cli_command *command, const cli_option *option) {
    printf("complete -c godwit -n '__fish_seen_subcommand_from %s'", command->name);
    if (option->letter) printf(" -s %c", option->letter);
    printf(" -l %s", option->name);
    if (has_values(option)) {
        printf(" -x -a '");
        print_values(option);
        printf("'");
    } else if (option->kind != CLI_FLAG) {
        printf(is_file(option) ? " -r -F" : " -x");
    }
    printf(" -d '");
    print_short(option->help);
    printf("'\n");
}

static void fish(void) {
    const cli_command *command;
    const cli_option *option;
    printf("# Completion of godwit for fish, made by `godwit help --completion fish`.\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("complete -c godwit -n __fish_use_subcommand -f -a %s -d '", command->name);
        print_short(command->summary);
        printf("'\n");
    }
    printf("complete -c godwit -n __fish_use_subcommand -f -a help -d 'this page, or that of a "
           "command'\n"
           "complete -c godwit -n '__fish_seen_subcommand_from help' -f -a '");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) printf("%s ", command->name);
    printf("'\n"
           "complete -c godwit -n '__fish_seen_subcommand_from session' -a inspect\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        for (size_t k = 0; (option = cli_option_at(k)) != NULL; k++) {
            if (option->commands & command->bit) fish_option(command, option);
        }
        if (!strstr(command->operand, "TYPE")) continue;
        printf("complete -c godwit -n '__fish_seen_subcommand_from %s' -a '", command->name);
        print_dtypes();
        printf("'\n");
    }
}

bool cli_help_completion(const char *shell) {
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].name, shell) != 0) continue;
        shells[i].print();
        return true;
    }
    return false;
}
