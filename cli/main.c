// main.c: the command `godwit`: the table of its subcommands, and which of them is meant.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "help.h"
#include "print.h"
#include "progress.h"

static const char run_notes[] =
    "Prints what the model adds to the prompt. The draws depend on seed and position alone, and "
    "the\n"
    "numbers on nothing: the same command gives the same text on every device and each time.\n"
    "\n"
    "Without -p the prompt is -f's file, else stdin (one line end at its end is left out); on a\n"
    "terminal a line is asked for. With -p \"\" or --no-prompt the model starts from nothing.\n"
    "Without MODEL: $GODWIT_MODEL, else the story model that comes with Godwit. Ends at an end\n"
    "token, after -n tokens, or where the context is full. Ctrl-C, SIGTERM and SIGHUP end it\n"
    "cleanly, a second one at once, and a driver that hangs after 4 seconds.\n"
    "\n"
    "--resume goes on from what --save wrote, on any device, with the same bits; the model must be "
    "the\n"
    "same, and so must --numerics. No prompt is read then unless -p or -f gives one. Sampling and "
    "seed\n"
    "are those of the file where no option says otherwise, -n counts from there. Without room for "
    "the\n"
    "file, or where it could not be written, the text is printed all the same, and the exit code "
    "is 1.\n"
    "\n"
    "Exit code: 0 done, 1 failed, 2 wrong usage, 128 + the signal's number.\n"
    "\n"
    "Kernels are kept in $GODWIT_CACHE_DIR, else $XDG_CACHE_HOME/godwit, else ~/.cache/godwit;\n"
    "GODWIT_CACHE_DIR= (empty) keeps none.\n";

static const char chat_notes[] =
    "Answers as they are typed, by the chat template of the model's file; ends a line that goes "
    "on\n"
    "with \\, or begin and end several lines with \"\"\". Without a terminal each line of stdin is "
    "a\n"
    "turn, and only the answers go to stdout. What starts with / is a command: /help lists them.\n"
    "\n"
    "Ctrl-C stops an answer, what there is of it stays in the conversation; Ctrl-D or /quit ends.\n"
    "A conversation that outgrows the context loses its oldest turns, and it is said.\n"
    "\n"
    "/save FILE writes the messages as JSON, which `godwit render` reads, too, and what the model\n"
    "has computed of them beside it, in FILE.session; /resume FILE takes both, on any device. A\n"
    "FILE.session that is missing or of another model costs time, but changes no answer.\n"
    "\n"
    "Exit code: 0 done, 1 failed, or a turn had no answer, 2 wrong usage, 128 + the signal's "
    "number.\n";

static const char render_notes[] =
    "A FILE is JSON: messages [{\"role\": \"user\", \"content\": \"Hi\"}, ...], tools as the "
    "model's\n"
    "template takes them. A template alone gets bos_token and the like from --vars:\n"
    "\n"
    "  godwit render chat.jinja --messages FILE --vars '{\"bos_token\": \"<s>\"}'\n"
    "\n"
    "The text is what the transformers library makes of it, byte for byte.\n";

static const char embed_notes[] =
    "Prints a row of numbers for each line, or text. Models that were made for it (bert and its "
    "kin)\n"
    "and any other; short texts share a run of -b tokens and have the bits that they have alone. "
    "A\n"
    "text with more tokens than the context is an error.\n";

static const char rerank_notes[] =
    "Prints score, number (from 0) and text of each line of stdin, the best first. The score is "
    "what\n"
    "a cross-encoder's classifier gives, the higher the better; of several labels the probability "
    "of\n"
    "the first, as of models that answer yes or no.\n";

static const char batch_notes[] =
    "A line of --in is a JSON object:\n"
    "\n"
    "  {\"custom_id\": \"a\", \"prompt\": \"Once\", \"max_tokens\": 64, \"temperature\": 0}\n"
    "\n"
    "and may have top_p, min_p, top_k, seed and stop (a string, or up to 16), too, and the other\n"
    "options of sampling but breakers, with _ for - (of mirostat: mirostat_tau, mirostat_eta);\n"
    "what a line does not say, the options do. All but prompt may be left out; without custom_id\n"
    "a line is \"line-N\". A field of another name is an error.\n"
    "\n"
    "A line of --out, in the order in which they end, is one of\n"
    "\n"
    "  {\"custom_id\", \"text\", \"token_ids\", \"finish_reason\", \"usage\"}\n"
    "  {\"custom_id\", \"error\": {\"code\", \"message\", \"line\"}}\n"
    "\n"
    "Text and tokens are those of `godwit run` with the same prompt and settings, whatever\n"
    "--parallel is. finish_reason is \"stop\" (an end token, or a stop string, before which the\n"
    "text ends, while token_ids has its tokens) or \"length\" (max_tokens, or a full context).\n"
    "What prompts begin with in common is worked on once (usage.shared_tokens); such prompts\n"
    "follow each other, others are begun in their order.\n"
    "\n"
    "Started again after it was stopped or killed, it goes on with what --out does not have. A\n"
    "line that was cut short is done again; one with an error is not, until it is deleted there.\n"
    "\n"
    "Exit code: 0 every line has its result, 1 some have an error (those of earlier calls, too)\n"
    "or it could not go on, 2 wrong usage, 128 + the signal's number, 141 nobody reads stdout.\n";

static const char devices_notes[] =
    "Each Vulkan driver is tried by itself in a process of its own; one that ends it, does not\n"
    "answer ($GODWIT_DRIVER_SECONDS, 30) or has a broken manifest is named and left out, by the\n"
    "other commands, too, until it works here or its manifest changes. VK_DRIVER_FILES names the\n"
    "manifests to use; --device cpu, inspect, convert and quantize load no driver at all.\n";

static const char verify_notes[] =
    "Runs every op in every number format and kernel variant that the device may choose. Variants\n"
    "that are wrong are kept in quirks.txt beside the kernels (see `godwit help run`), and are "
    "not\n"
    "used any more; a device of which the plain kernel of an op is wrong opens no model. The last\n"
    "line is for bug reports; its digest is the same on every device that is right, and on cpu.\n"
    "\n"
    "Exit code: 0 all is right, 1 something is wrong or could not be run, 2 wrong usage.\n";

static const cli_command commands[] = {
    {"run", CLI_RUN, "[MODEL]", "go on with a text", run_notes, cli_run},
    {"chat", CLI_CHAT, "[MODEL]", "talk with a model", chat_notes, cli_chat},
    {"render", CLI_RENDER, "MODEL|TEMPLATE.jinja", "the text that a model sees of a conversation",
     render_notes, cli_render},
    {"tokenize", CLI_TOKENIZE, "MODEL", "a text on stdin as token ids, and back",
     "Ids are written with blanks between; they are read with blanks, commas or brackets between, "
     "so\n"
     "that a JSON array will do. MODEL may be a GGUF file of a vocabulary alone.\n",
     cli_tokenize},
    {"embed", CLI_EMBED, "MODEL", "texts as rows of numbers", embed_notes, cli_embed},
    {"rerank", CLI_RERANK, "MODEL", "documents in the order in which they answer a query",
     rerank_notes, cli_rerank},
    {"batch", CLI_BATCH, "[MODEL]", "go on with many texts at once, from a file", batch_notes,
     cli_batch},
    {"devices", CLI_DEVICES, "", "list the devices and what they can do", devices_notes,
     cli_devices},
    {"inspect", CLI_INSPECT, "FILE", "what a model file holds, and whether it would run",
     "Below \"unsupported:\" is all that `godwit run` would refuse; --json has it as \"runs\".\n"
     "\n"
     "Exit code: 0 also of a model that does not run, 1 where FILE could not be read.\n",
     cli_inspect},
    {"kernels", CLI_KERNELS, "", "compile every kernel for a device: registers, spills, size, time",
     "Fields that the driver does not tell are shown as '-'.\n", cli_kernels},
    {"verify", CLI_VERIFY, "",
     "prove a device's kernels against the plain-C reference, bit for bit", verify_notes,
     cli_verify},
    {"bench", CLI_BENCH, "[MODEL]", "measure prefill and decode speed",
     "Every -p and -n is measured after every --depth. GB/s is weight bytes over time; on a\n"
     "device that runs on the host's cores it is set against the host's memory, read by all\n"
     "cores in the same run. --ops shows each kernel's time, in runs of their own in which no\n"
     "two kernels overlap.\n",
     cli_bench},
    {"perplexity", CLI_PERPLEXITY, "[MODEL]",
     "how well a model predicts a text, and how far it is from another",
     "The text is read in windows, each from an empty context; the second half of each is scored.\n"
     "Divergence is Kullback-Leibler, of this model from the base, in nats a token:\n"
     "\n"
     "  godwit perplexity f32.gguf -f text --logits base\n"
     "  godwit perplexity q4_0.gguf -f text --kl-base base\n",
     cli_perplexity},
    {"session", CLI_SESSION, "inspect FILE", "what a saved session holds",
     "FILE is what `godwit run --save FILE` wrote. All of it is read and checked; its model is "
     "not\n"
     "needed.\n"
     "\n"
     "Exit code: 0 right, 1 FILE is damaged or could not be read.\n",
     cli_session},
    {"quantize", CLI_QUANTIZE, "IN OUT TYPE", "write a model in another number format",
     "IN is a GGUF file, or a Hugging Face folder as `godwit convert` takes it.\n"
     "TYPE is F32, F16, BF16, Q8_0, Q4_0, ...; token_embd and output get it, too, unless --tensor\n"
     "says otherwise. Vectors are F32; where a row is no multiple of the format's block, the next\n"
     "better format is taken and said. OUT appears whole or not at all, and is none of the files "
     "read. -v tells of each tensor.\n",
     cli_quantize},
    {"convert", CLI_CONVERT, "DIR OUT", "write a Hugging Face folder as a GGUF file",
     "DIR has config.json, tokenizer.json and *.safetensors of LlamaForCausalLM or\n"
     "MistralForCausalLM. What GGUF cannot say, or Godwit would not run, is refused.\n",
     cli_convert},
};
#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

const cli_command *cli_command_at(size_t index) {
    return index < N_COMMANDS ? &commands[index] : NULL;
}

static const cli_command *find_command(const char *name) {
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

static bool is_one_of(const char *word, const char *const *words, size_t n_words) {
    for (size_t i = 0; i < n_words; i++) {
        if (strcmp(words[i], word) == 0) return true;
    }
    return false;
}

static bool asks_for_version(const char *word) {
    static const char *const words[] = {"--version", "-V", "-v", "version"};
    return is_one_of(word, words, sizeof(words) / sizeof(words[0]));
}

static bool asks_for_help(const char *word) {
    static const char *const words[] = {"help", "--help", "-h"};
    return is_one_of(word, words, sizeof(words) / sizeof(words[0]));
}

static int unknown_command(const char *name) {
    const char *names[N_COMMANDS + 1];
    for (size_t i = 0; i < N_COMMANDS; i++) names[i] = commands[i].name;
    names[N_COMMANDS] = "help";
    const char *near = cli_suggest(name, names, N_COMMANDS + 1);
    size_t n = strlen(name);
    if (name[0] == '-') {
        cli_say("%s: a command comes first, as in `godwit run %s`; see `godwit help`", name, name);
    } else if (n > 5 && strcmp(name + n - 5, ".gguf") == 0) {
        cli_say("no command %s; did you mean `godwit run %s`?", name, name);
    } else if (near) {
        cli_say("no command %s; did you mean `godwit %s`?", name, near);
    } else {
        cli_say("no command %s; see `godwit help`", name);
    }
    return CLI_USAGE;
}

static int help(int argc, char **argv) {
    const char *word = argc > 0 ? argv[0] : "help";
    if (asks_for_help(word) || asks_for_version(word)) {
        cli_help_overview();
        return CLI_OK;
    }
    if (strcmp(word, "--man") == 0) {
        cli_help_man();
        return CLI_OK;
    }
    if (strcmp(word, "--completion") == 0) {
        if (argc > 1 && cli_help_completion(argv[1])) return CLI_OK;
        cli_say("help: --completion is of bash, zsh or fish");
        return CLI_USAGE;
    }
    const cli_command *command = find_command(word);
    if (!command) return unknown_command(word);
    cli_help_command(command);
    return CLI_OK;
}

// A file opened while 0, 1 or 2 is closed would become stdin, stdout or stderr. Read-only, so that
// a write to a closed stdout still fails.
static bool hold_standard_files(void) {
    int fd = -1;
    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) (void)close(fd);
    return fd >= 0;
}

static bool has_word(int n, char **words, const char *word) {
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], word) == 0) return true;
    }
    return false;
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) return help(0, NULL);
    const char *name = argv[1];
    if (asks_for_help(name)) return help(argc - 2, argv + 2);
    if (asks_for_version(name)) {
        printf("godwit %s\n", godwit_version());
        return CLI_OK;
    }
    const cli_command *command = find_command(name);
    if (!command) return unknown_command(name);
    cli_options options;
    // A wrong command line may be wrong before its --json.
    bool json = has_word(argc - 2, argv + 2, "--json");
    int code = CLI_USAGE;
    if (cli_parse(command, argc - 2, argv + 2, &options)) {
        if (options.help) {
            cli_help_command(command);
            return CLI_OK;
        }
        json = options.json;
        code = command->run(&options);
    }
    if (json && code != CLI_OK && code != CLI_CLOSED) cli_print_json_error();
    return code;
}

int main(int argc, char **argv) {
    if (!hold_standard_files()) {
        cli_say("/dev/null: %s", strerror(errno));
        return CLI_FAILED;
    }
    // A closed stdout is seen as a write error, so that sessions and files are closed in order.
    (void)signal(SIGPIPE, SIG_IGN);
    // A file over the limit of its size is a write error, too.
    (void)signal(SIGXFSZ, SIG_IGN);
    int code = dispatch(argc, argv);
    cli_progress_end();
    int flushed = cli_flush_stdout();
    return code == CLI_OK ? flushed : code;
}
