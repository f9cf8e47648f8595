// options.c: the table of every option, and its one parser.
//
// Takes --name VALUE, --name=VALUE, -x VALUE and -xVALUE; "--" ends the options. No getopt: a row
// knows its type, range and subcommands, and a wrong word is answered with the nearest right one.
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"
#include "output.h"

typedef cli_option row;
// As the table calls them.
#define FLAG    CLI_FLAG
#define TEXT    CLI_TEXT
#define OUTPUT  CLI_OUTPUT
#define NUMBERS CLI_NUMBERS
#define U32     CLI_U32
#define SEED    CLI_SEED
#define F32     CLI_F32
#define CHOICE  CLI_CHOICE
#define PAIR    CLI_PAIR
#define WORDS   CLI_WORDS

#define ALL                                                                                        \
    (CLI_DEVICES | CLI_INSPECT | CLI_RUN | CLI_KERNELS | CLI_BENCH | CLI_QUANTIZE | CLI_CONVERT |  \
     CLI_VERIFY | CLI_PERPLEXITY | CLI_SESSION | CLI_BATCH | CLI_RENDER | CLI_CHAT |               \
     CLI_TOKENIZE | EMBEDS)
#define ON_GPU   (SESSION | EMBEDS | CLI_KERNELS | CLI_VERIFY)
#define EMBEDS   (CLI_EMBED | CLI_RERANK)
#define SESSION  (CLI_RUN | CLI_BENCH | CLI_PERPLEXITY | CLI_BATCH | CLI_CHAT)
#define SAMPLING (CLI_RUN | CLI_BATCH | CLI_CHAT)
#define TALKS    (CLI_RUN | CLI_CHAT | CLI_RENDER)
#define WRITES   (CLI_QUANTIZE | CLI_CONVERT)
#define AT(f)    offsetof(cli_options, f)
#define MAX_U31  2147483647.0
#define KV_NAMES "f16|f32|q8_0" // as godwit_kv

enum { CHECKPOINT_EVERY = 512 }; // as many tokens as a GPU takes of a prompt at once

// clang-format off
static const row rows[] = {
    {"prompt", 'p', TEXT, CLI_RUN, AT(prompt), "TEXT", 0, 0, "text to go on from (default: stdin; on a terminal a line is asked for)"},
    {"file", 'f', TEXT, CLI_RUN, AT(text), "FILE", 0, 0, "read the prompt from a file"},
    {"no-prompt", 0, FLAG, CLI_RUN, AT(no_prompt), NULL, 0, 0, "read and ask for no prompt: the model starts from nothing"},
    {"chat", 0, FLAG, CLI_RUN, AT(chat), NULL, 0, 0, "the prompt is one turn of a conversation: answer it, by the model's chat template"},
    {"system", 0, TEXT, CLI_RUN | CLI_CHAT, AT(system), "TEXT", 0, 0, "what stands in front of the conversation: how to answer"},
    {"messages", 0, TEXT, CLI_RENDER, AT(messages), "FILE", 0, 0, "the conversation, a JSON array of {\"role\", \"content\", ...} (default: stdin)"},
    {"tools", 0, TEXT, CLI_RENDER, AT(tools), "FILE", 0, 0, "tools that the model may call, a JSON array"},
    {"template", 0, TEXT, TALKS, AT(template_file), "FILE", 0, 0, "a chat template (Jinja) instead of the model's own"},
    {"vars", 0, TEXT, TALKS, AT(vars), "JSON", 0, 0, "an object of more that the template asks for: {\"enable_thinking\": false}"},
    {"no-generation-prompt", 0, FLAG, CLI_RENDER, AT(no_generation_prompt), NULL, 0, 0, "end behind the last message, without the beginning of an answer"},
    {"prompt", 'p', TEXT, CLI_EMBED, AT(prompt), "TEXT", 0, 0, "the one text (default: each line of stdin is one)"},
    {"query", 'q', TEXT, CLI_RERANK, AT(query), "TEXT", 0, 0, "what the documents are to answer"},
    {"file", 'f', TEXT, EMBEDS, AT(text), "FILE", 0, 0, "read the lines from a file"},
    {"pooling", 0, CHOICE, CLI_EMBED, AT(pooling), "model|none|mean|cls|last|rank", 0, 0, "how tokens become one row (default: as the file says, else mean, of decoders last); none: a row a token; rank: scores"},
    {"normalize", 0, FLAG, CLI_EMBED, AT(normalize), NULL, 0, 0, "rows of the length 1 (default)"},
    {"no-normalize", 0, FLAG, CLI_EMBED, AT(no_normalize), NULL, 0, 0, "rows as the model gives them"},
    {"out", 'o', OUTPUT, CLI_EMBED, AT(out_file), "FILE", 0, 0, "write the rows as a NumPy array (.npy) instead; whole or not at all"},
    {"in", 'i', TEXT, CLI_BATCH, AT(in), "FILE", 0, 0, "prompts, a JSON object a line; - is stdin, read to its end first"},
    {"out", 'o', TEXT, CLI_BATCH, AT(out), "FILE", 0, 0, "results, a line each as it ends; what is there already is not done again; - is stdout"},
    {"parallel", 0, U32, CLI_BATCH, AT(n_parallel), "N", 1, 512, "prompts worked on at once (default: 16, or as many as half of the free memory holds)"},
    {"tokens", 'n', U32, SAMPLING, AT(n_tokens), "N", 0, MAX_U31, "tokens to generate at most (default 256; of chat: what the context holds)"},
    {"temp", 0, F32, SAMPLING, AT(temp), "T", 0, GODWIT_TEMP_MAX, "temperature; 0 is greedy (default 0.8)"},
    {"top-k", 0, U32, SAMPLING, AT(top_k), "K", 0, MAX_U31, "draw among the K likeliest; 0 is off (default 0)"},
    {"top-p", 0, F32, SAMPLING, AT(top_p), "P", 0, 1, "draw among the likeliest that sum to P; 0 or 1 is off (default 0.95)"},
    {"min-p", 0, F32, SAMPLING, AT(min_p), "P", 0, 1, "leave out what is below P of the likeliest; 0 is off (default 0.05)"},
    {"typical-p", 0, F32, SAMPLING, AT(typical_p), "P", 0, 1, "draw among those whose surprise is nearest to the entropy and that sum to P; 0 or 1 is off (default 0)"},
    {"top-n-sigma", 0, F32, SAMPLING, AT(top_n_sigma), "N", 0, GODWIT_PENALTY_MAX, "draw among logits of at least the largest - N standard deviations; 0 is off (default 0)"},
    {"xtc-probability", 0, F32, SAMPLING, AT(xtc_probability), "P", 0, 1, "with probability P leave out all but the last of those above --xtc-threshold; 0 is off (default 0)"},
    {"xtc-threshold", 0, F32, SAMPLING, AT(xtc_threshold), "P", 0, 1, "probability of --xtc-probability; above 0.5 is off (default 0.1)"},
    {"mirostat", 0, U32, SAMPLING, AT(mirostat), "N", 0, 2, "2: hold the surprise of tokens at --mirostat-ent bits, without top-k, top-p, min-p and the four above; 0 is off (default 0)"},
    {"mirostat-ent", 0, F32, SAMPLING, AT(mirostat_tau), "BITS", 0, GODWIT_PENALTY_MAX, "tau of --mirostat (default 5)"},
    {"mirostat-lr", 0, F32, SAMPLING, AT(mirostat_eta), "ETA", 0, 1, "eta of --mirostat, how fast it learns (default 0.1)"},
    {"repeat-penalty", 0, F32, SAMPLING, AT(repeat_penalty), "P", 0, GODWIT_PENALTY_MAX, "make tokens that were there less likely: logits above 0 divided by P, others times P; 0 or 1 is off (default 0)"},
    {"frequency-penalty", 0, F32, SAMPLING, AT(frequency_penalty), "P", -GODWIT_PENALTY_MAX, GODWIT_PENALTY_MAX, "take P off the logit of a token for each time it was there (default 0)"},
    {"presence-penalty", 0, F32, SAMPLING, AT(presence_penalty), "P", -GODWIT_PENALTY_MAX, GODWIT_PENALTY_MAX, "take P off the logits of tokens that were there (default 0)"},
    {"repeat-last-n", 0, U32, SAMPLING, AT(penalty_last_n), "N", 1, MAX_U31, "tokens that the penalties look back at, the prompt's among them (default 64)"},
    {"dry-multiplier", 0, F32, SAMPLING, AT(dry_multiplier), "M", 0, GODWIT_PENALTY_MAX, "take M times B^(n - L) off a token that would make a repeat of n >= L tokens longer (DRY); 0 is off (default 0)"},
    {"dry-base", 0, F32, SAMPLING, AT(dry_base), "B", 1, GODWIT_PENALTY_MAX, "B of --dry-multiplier (default 1.75)"},
    {"dry-allowed-length", 0, U32, SAMPLING, AT(dry_allowed_length), "L", 1, MAX_U31, "L of --dry-multiplier (default 2)"},
    {"dry-penalty-last-n", 0, U32, SAMPLING, AT(dry_last_n), "N", 1, MAX_U31, "tokens that it looks back at (default: all)"},
    {"dry-sequence-breaker", 0, WORDS, SAMPLING, AT(dry_breakers), "TEXT", 0, 0, "no repeat goes across TEXT, in a token or in several; may be given again; none is none (default: a line end, : \" and *)"},
    {"logit-bias", 0, WORDS, SAMPLING, AT(logit_bias), "ID+V", 0, 0, "add V to the logit of token ID, or take it off with ID-V; ID-inf: never; may be given again"},
    {"logprobs", 0, U32, CLI_RUN | CLI_BATCH, AT(n_logprobs), "N", 0, GODWIT_LOGPROBS_MAX - 1, "with --json, and in each line of a batch: log probabilities of the tokens chosen and of the N likeliest"},
    {"seed", 's', SEED, SAMPLING, AT(seed), "S", 0, 0, "seed of the draws; -1 makes one up and says it (default 0)"},
    {"parse-special", 0, FLAG, CLI_RUN | CLI_BATCH | CLI_PERPLEXITY | CLI_TOKENIZE | CLI_EMBED, AT(parse_special), NULL, 0, 0, "read texts like <|im_end|> as the control tokens they name"},
    {"no-special", 0, FLAG, CLI_TOKENIZE, AT(no_special), NULL, 0, 0, "without the tokens that the file puts in front and behind"},
    {"detokenize", 0, FLAG, CLI_TOKENIZE, AT(detokenize), NULL, 0, 0, "ids on stdin, their text on stdout"},
    {"prompt-tokens", 'p', NUMBERS, CLI_BENCH, AT(prompt_tokens), "N,...", 0, MAX_U31, "tokens of a prefill, 0 for none (default 512, or the model's context)"},
    {"tokens", 'n', U32, CLI_BENCH, AT(n_tokens), "N", 0, MAX_U31, "decode steps of a repetition, 0 for none (default 64)"},
    {"depth", 0, NUMBERS, CLI_BENCH, AT(depth), "N,...", 0, MAX_U31, "tokens of context before them (default 0)"},
    {"parallel", 0, NUMBERS, CLI_BENCH, AT(parallel), "N,...", 1, 1024, "decode of so many streams at once, too"},
    {"ops", 0, FLAG, CLI_BENCH, AT(ops), NULL, 0, 0, "then time each kernel by itself"},
    {"reps", 'r', U32, CLI_BENCH, AT(n_reps), "N", 1, 10000, "repetitions (default 5)"},
    {"tokens", 'n', U32, CLI_INSPECT, AT(n_tokens), "N", 1, MAX_U31, "tokens of the step whose graph is printed (default 1)"},
    {"graph", 0, FLAG, CLI_INSPECT, AT(graph), NULL, 0, 0, "print the graph of one step instead"},
    {"passes", 0, FLAG, CLI_INSPECT, AT(passes), NULL, 0, 0, "print the graph before and after each pass, and the launches of it, instead"},
    {"quick", 0, FLAG, CLI_VERIFY, AT(quick), NULL, 0, 0, "the self-check alone: a few kernels that matter most"},
    {"no-measure", 0, FLAG, CLI_VERIFY, AT(no_measure), NULL, 0, 0, "do not measure which of the right kernels are fastest"},
    {"file", 'f', TEXT, CLI_PERPLEXITY, AT(text), "FILE", 0, 0, "text to predict (default: stdin)"},
    {"tokens", 'n', U32, CLI_PERPLEXITY, AT(n_tokens), "N", 1, MAX_U31, "tokens to score at most (default: all)"},
    {"ctx", 'c', U32, CLI_PERPLEXITY, AT(n_ctx), "N", 4, GODWIT_CTX_MAX, "tokens of a window, the second half of which is scored (default: 512, or the model's own)"},
    {"logits", 0, OUTPUT, CLI_PERPLEXITY, AT(logits), "FILE", 0, 0, "write the logits of the scored tokens, for --kl-base; whole or not at all"},
    {"kl-base", 0, TEXT, CLI_PERPLEXITY, AT(kl_base), "FILE", 0, 0, "compare with another model's logits of the same text: divergence, same best token"},
    {"model", 'm', TEXT, SESSION | EMBEDS, AT(model), "MODEL", 0, 0, "MODEL, as an option"},
    {"lora", 0, WORDS, SESSION | EMBEDS, AT(loras), "FILE[:SCALE]", 0, 0, "apply a LoRA adapter, a GGUF file, times SCALE (default 1); may be given again"},
    {"device", 'd', TEXT, ON_GPU, AT(device), "NAME|INDEX|cpu", 0, 0, "part of a name, an index of `godwit devices`, or the cores without a driver; reference: plain C, slow (default: $GODWIT_DEVICE, else the best GPU, else cpu)"},
    {"mask", 0, TEXT, ON_GPU, AT(mask), "LIST", 0, 0, "run as a lesser device, without what is listed, with commas between: subgroup, dot, fp16, int8, storage16, storage8, coopmat, budget; of cpu avx512, avxvnni, avx2 (arm64: i8mm, dotprod); floor is all"},
    {"numerics", 0, CHOICE, SESSION | EMBEDS, AT(numerics), "exact|fast", 0, 0, "exact: the same bits on every device (default)"},
    {"ctx", 'c', U32, CLI_RUN | CLI_BENCH | CLI_BATCH | CLI_CHAT | EMBEDS, AT(n_ctx), "N", 1, GODWIT_CTX_MAX, "tokens of context (default: the model's own, at most 4096)"},
    {"batch", 'b', U32, SESSION | EMBEDS, AT(n_batch), "N", 1, MAX_U31, "tokens of a prompt worked on at once; any gives the same bits"},
    {"kv", 0, PAIR, SESSION, AT(kv), KV_NAMES, 0, 0, "number format of the KV cache (default f16); with ',' between, of keys and of values: f16,q8_0"},
    {"checkpoint-every", 0, U32, CLI_BATCH | CLI_CHAT, AT(checkpoint_every), "N", 0, MAX_U31, "of a model with recurrent states: keep them after every N tokens, so that going back, and prompts that begin alike, read less again; 0: never (default 512)"},
    {"draft", 0, U32, CLI_RUN | CLI_CHAT | CLI_BATCH, AT(n_draft), "N", 0, GODWIT_DRAFT_MAX, "guess up to N tokens behind each, from what came behind the same words before, and work on all in one run: the same text, sooner where it repeats itself (default 0)"},
    {"mtp", 0, U32, CLI_RUN | CLI_CHAT | CLI_BATCH, AT(n_mtp), "N", 0, GODWIT_DRAFT_MAX, "the same by the block for the token after the next one, of models that have it: Qwen 3.5, GLM 4.5 (default 0)"},
    {"host-experts", 0, U32, SESSION | EMBEDS, AT(host_experts), "N", 0, MAX_U31, "of a mixture of experts: those of the last N layers stay in host memory and are read from there (default: as many as do not fit the device); any gives the same bits"},
    {"ids", 0, FLAG, CLI_RUN, AT(ids), NULL, 0, 0, "print the ids of the generated tokens instead of text"},
    {"logits", 0, OUTPUT, CLI_RUN, AT(logits), "FILE", 0, 0, "write the logits of each step, raw little-endian f32 (step 0: after the prompt); whole or not at all"},
    {"save", 0, OUTPUT, CLI_RUN, AT(save), "FILE", 0, 0, "write the session at the end, for --resume on any device; whole or not at all"},
    {"save-tokens-only", 0, FLAG, CLI_RUN, AT(save_tokens_only), NULL, 0, 0, "write it without its states: a small file, whose tokens --resume computes again"},
    {"resume", 0, TEXT, CLI_RUN, AT(resume), "FILE", 0, 0, "go on from a saved session, with its sampling and KV format; -p or -f is added to it"},
    {"resume", 0, TEXT, CLI_CHAT, AT(resume), "FILE", 0, 0, "go on with a conversation that /save wrote"},
    {"ignore-eos", 0, FLAG, CLI_RUN | CLI_BATCH, AT(ignore_eos), NULL, 0, 0, "go on past end tokens"},
    {"guard", 0, U32, CLI_RUN, AT(guard), "N", 1, MAX_U31, "of every N-th step make one product again from the file's weights; a changed bit is an error"},
    {"scrub", 0, FLAG, CLI_RUN, AT(scrub), NULL, 0, 0, "check the weights in device memory for changed bits: a little between tokens, all at the end"},
    {"stats", 0, FLAG, CLI_RUN, AT(stats), NULL, 0, 0, "speed, memory and device on stderr at the end"},
    {"type", 't', TEXT, CLI_CONVERT, AT(type), "TYPE", 0, 0, "number format of the matrices (default F16)"},
    {"tensor", 0, WORDS, WRITES, AT(tensors), "PATTERN=TYPE", 0, 0, "another format for the tensors of that name (* and ?); the first that fits counts"},
    {"base", 0, TEXT, CLI_CONVERT, AT(base), "FOLDER", 0, 0, "of a LoRA adapter's folder: its model's, whose config.json is read (default: the one that adapter_config.json names)"},
    {"imatrix", 0, TEXT, WRITES, AT(imatrix), "FILE", 0, 0, "importance matrix: which columns matter"},
    {"threads", 't', U32, SESSION | EMBEDS, AT(n_threads), "N", 1, GODWIT_THREADS_MAX, "threads of the device cpu (default: one a physical core); any number gives the same bits"},
    {"threads", 0, U32, WRITES | CLI_VERIFY, AT(n_threads), "N", 1, GODWIT_THREADS_MAX, "threads that work (default: one a core); any number gives the same bytes"},
    {"json", 0, FLAG, ALL, AT(json), NULL, 0, 0, "one JSON object on stdout; of a command that fails {\"error\": what stderr says}"},
    {"validation", 0, FLAG, ON_GPU | CLI_DEVICES, AT(validation), NULL, 0, 0, "with the Khronos validation layer; its messages make the command fail"},
    {"verbose", 'v', FLAG, ALL, AT(verbose), NULL, 0, 0, "what the library logs, on stderr"},
    {"help", 'h', FLAG, ALL, AT(help), NULL, 0, 0, "this page"},
};
// clang-format on
#define N_ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(N_ROWS <= 128, "cli_options.given has a bit a row");

static size_t min_size(size_t a, size_t b) {
    return a < b ? a : b;
}

// Edits (insert, drop, replace) from a to b; both short.
static size_t distance(const char *a, const char *b) {
    size_t line[33];
    size_t n_a = min_size(strlen(a), 32), n_b = min_size(strlen(b), 32);
    for (size_t j = 0; j <= n_b; j++) line[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = line[0];
        line[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = line[j];
            line[j] = min_size(replaced, min_size(line[j], line[j - 1]) + 1);
        }
    }
    return line[n_b];
}

const char *cli_suggest(const char *typed, const char *const *words, size_t n_words) {
    const char *best = NULL;
    size_t best_distance = strlen(typed) / 3 + 2; // further off is a guess, not a typo
    for (size_t i = 0; i < n_words; i++) {
        bool begins = typed[0] && strncmp(words[i], typed, strlen(typed)) == 0;
        size_t d = begins ? 0 : distance(typed, words[i]);
        if (d < best_distance && d < strlen(words[i])) {
            best = words[i];
            best_distance = d;
        }
    }
    return best;
}

const cli_option *cli_option_at(size_t index) {
    return index < N_ROWS ? &rows[index] : NULL;
}

bool cli_is_given(const cli_options *options, const char *name) {
    for (size_t i = 0; i < N_ROWS; i++) {
        if ((options->given[i / 64] >> i % 64 & 1) && strcmp(rows[i].name, name) == 0) return true;
    }
    return false;
}

cli_range cli_option_range(const cli_option *option) {
    cli_range range = {""};
    bool has = (option->kind == CLI_U32 && option->max < MAX_U31) || option->kind == CLI_F32;
    if (has) {
        (void)snprintf(range.text, sizeof(range.text), "%.10g to %.10g", option->min, option->max);
    }
    return range;
}

static void unknown_option(const cli_command *command, const char *name) {
    const char *names[N_ROWS];
    size_t n = 0;
    for (size_t i = 0; i < N_ROWS; i++) {
        if (rows[i].commands & command->bit) names[n++] = rows[i].name;
    }
    const char *near = cli_suggest(name, names, n);
    if (near) {
        cli_say("%s: no option --%s; did you mean --%s?", command->name, name, near);
    } else {
        cli_say("%s: no option --%s; see `godwit help %s`", command->name, name, command->name);
    }
}

// Digits only: strtoull alone would take "-1", " 1" and "1x".
static bool parse_u64(const char *text, uint64_t *out) {
    if (text[0] < '0' || text[0] > '9') return false;
    char *end = NULL;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == 0;
}

static bool parse_double(const char *text, double *out) {
    if (!((text[0] >= '0' && text[0] <= '9') || text[0] == '-' || text[0] == '.')) return false;
    if (strpbrk(text, "xX")) return false;
    char *end = NULL;
    errno = 0;
    *out = strtod(text, &end);
    return end != text && *end == 0 && isfinite(*out) && (errno == 0 || *out == 0);
}

// Index of the first n characters of text among "a|b|c".
static bool parse_choice(const char *words, const char *text, size_t n, uint32_t *out) {
    for (uint32_t index = 0;; index++) {
        size_t n_word = strcspn(words, "|");
        if (n_word == n && strncasecmp(words, text, n) == 0) {
            *out = index;
            return true;
        }
        if (words[n_word] == 0) return false;
        words += n_word + 1;
    }
}

static bool parse_pair(const char *words, const char *text, uint32_t out[2]) {
    size_t n = strcspn(text, ",");
    const char *second = text[n] ? text + n + 1 : text;
    return parse_choice(words, text, n, &out[0]) &&
           parse_choice(words, second, strlen(second), &out[1]);
}

cli_kv_name cli_name_of_kv(const uint32_t kv[2]) {
    cli_kv_name name = {""};
    size_t at = 0;
    for (int i = 0; i < (kv[0] == kv[1] ? 1 : 2); i++) {
        const char *word = KV_NAMES;
        for (uint32_t skip = kv[i]; skip > 0; skip--) word += strcspn(word, "|") + 1;
        at += (size_t)snprintf(name.text + at, sizeof(name.text) - at, "%s%.*s", i ? "," : "",
                               (int)strcspn(word, "|"), word);
    }
    return name;
}

// "1,2,512", each in the row's range.
static bool parse_numbers(const row *r, const char *text, cli_numbers *out) {
    *out = (cli_numbers){0};
    while (out->n < CLI_MAX_NUMBERS) {
        char word[16];
        size_t n = strcspn(text, ",");
        uint64_t u = 0;
        if (n >= sizeof(word)) return false;
        memcpy(word, text, n);
        word[n] = 0;
        if (!parse_u64(word, &u) || (double)u < r->min || (double)u > r->max) return false;
        out->items[out->n++] = (uint32_t)u;
        if (text[n] == 0) return true;
        text += n + 1;
    }
    return false;
}

static bool store(const row *r, const char *text, void *field) {
    uint64_t u = 0;
    double d = 0;
    switch (r->kind) {
    case FLAG:
        *(bool *)field = true;
        return true;
    case TEXT:
    case OUTPUT:
        *(const char **)field = text;
        return true;
    case WORDS:
        if (((cli_words *)field)->n == CLI_MAX_WORDS) return false;
        ((cli_words *)field)->items[((cli_words *)field)->n++] = text;
        return true;
    case SEED:
        ((cli_seed *)field)->drawn = strcmp(text, "-1") == 0;
        return ((cli_seed *)field)->drawn || parse_u64(text, &((cli_seed *)field)->value);
    case NUMBERS:
        return parse_numbers(r, text, field);
    case CHOICE:
        return parse_choice(r->value, text, strlen(text), field);
    case PAIR:
        return parse_pair(r->value, text, field);
    case U32:
        if (!parse_u64(text, &u) || (double)u < r->min || (double)u > r->max) return false;
        *(uint32_t *)field = (uint32_t)u;
        return true;
    case F32:
        if (!parse_double(text, &d) || d < r->min || d > r->max) return false;
        *(float *)field = (float)d;
        return true;
    }
    return false;
}

static void bad_value(const cli_command *command, const row *r, const char *text) {
    if (r->kind == CHOICE) {
        cli_say("%s: --%s %s: not one of %s", command->name, r->name, text, r->value);
    } else if (r->kind == PAIR) {
        cli_say("%s: --%s %s: not one of %s, or two of them with ',' between", command->name,
                r->name, text, r->value);
    } else if (r->kind == WORDS) {
        cli_say("%s: --%s %s: more than %d of them", command->name, r->name, text, CLI_MAX_WORDS);
    } else if (r->kind == NUMBERS) {
        cli_say("%s: --%s %s: not up to %d whole numbers from %.10g to %.10g with ',' between",
                command->name, r->name, text, CLI_MAX_NUMBERS, r->min, r->max);
    } else if (r->kind == SEED) {
        cli_say("%s: --%s %s: not a whole number below 2^64, or -1", command->name, r->name, text);
    } else {
        cli_say("%s: --%s %s: not a %s from %.10g to %.10g", command->name, r->name, text,
                r->kind == U32 ? "whole number" : "number", r->min, r->max);
    }
}

static const row *find_row(uint32_t command, const char *name, size_t n_name, bool is_letter) {
    for (size_t i = 0; i < N_ROWS; i++) {
        const row *r = &rows[i];
        if (!(r->commands & command)) continue;
        if (is_letter ? r->letter == name[0]
                      : strlen(r->name) == n_name && memcmp(r->name, name, n_name) == 0) {
            return r;
        }
    }
    return NULL;
}

// The row that word names, or NULL with what is wrong said. What is joined to the name is at
// *out_joined, or NULL.
static const row *find_option(const cli_command *command, const char *word,
                              const char **out_joined) {
    bool is_letter = word[1] != '-';
    const char *name = word + (is_letter ? 1 : 2);
    size_t n_name = is_letter ? 1 : strcspn(name, "=");
    char shown[64], typed[64];
    (void)snprintf(shown, sizeof(shown), "%.*s", (int)min_size(n_name, 48), name);
    (void)snprintf(typed, sizeof(typed), "%.*s", (int)min_size(strcspn(word, "="), 48), word);
    *out_joined = name[n_name] ? name + n_name + (name[n_name] == '=') : NULL;
    const row *r = find_row(command->bit, name, n_name, is_letter);
    if (!r && !is_letter) {
        const char *own = cli_own_name(shown);
        r = find_row(command->bit, own, strlen(own), false);
    }
    // "-ngl" is no "-n gl".
    bool may_be_foreign = (command->bit & SESSION) && (!r || (is_letter && *out_joined));
    const char *hint = may_be_foreign ? cli_foreign_hint(typed) : NULL;
    if (!hint && r) return r;
    if (hint) {
        cli_say("%s: no option %s: %s", command->name, typed, hint);
    } else if (is_letter) {
        cli_say("%s: no option -%s; see `godwit help %s`", command->name, shown, command->name);
    } else {
        unknown_option(command, shown);
    }
    return NULL;
}

// Reads the option at argv[0]; *out_used is how many words it took.
static bool parse_one(const cli_command *command, int argc, char **argv, cli_options *options,
                      int *out_used) {
    const char *value = NULL;
    const row *r = find_option(command, argv[0], &value);
    if (!r) return false;
    *out_used = 1;
    if (r->kind == FLAG && value) {
        cli_say("%s: --%s takes no value", command->name, r->name);
        return false;
    }
    if (r->kind != FLAG && !value) {
        if (argc < 2) {
            cli_say("%s: --%s needs a value (%s)", command->name, r->name, r->value);
            return false;
        }
        value = argv[1];
        *out_used = 2;
    }
    if (r->kind == OUTPUT) {
        char what[48];
        (void)snprintf(what, sizeof(what), "--%s", r->name);
        if (!cli_output_is_name(command->name, what, value)) return false;
    }
    options->given[(r - rows) / 64] |= UINT64_C(1) << (r - rows) % 64;
    if (store(r, value, (char *)options + r->offset)) return true;
    bad_value(command, r, value);
    return false;
}

// -m MODEL is the operand of the commands that take one.
static bool take_model(const cli_command *command, cli_options *options) {
    if (!options->model) return true;
    if (options->n_operands) {
        cli_say("%s: two models: %s and --model %s", command->name, options->operands[0],
                options->model);
        return false;
    }
    options->operands[options->n_operands++] = options->model;
    return true;
}

// "IN OUT TYPE" are three.
static size_t operands_of(const cli_command *command) {
    size_t n = command->operand[0] != 0;
    for (const char *c = command->operand; *c; c++) n += *c == ' ';
    return n < CLI_MAX_OPERANDS ? n : CLI_MAX_OPERANDS;
}

bool cli_parse(const cli_command *command, int argc, char **argv, cli_options *out_options) {
    *out_options = (cli_options){
        .n_tokens = CLI_NOT_GIVEN,
        .n_logprobs = CLI_NOT_GIVEN,
        .host_experts = CLI_NOT_GIVEN,
        .n_reps = 5,
        .checkpoint_every = command->bit & (CLI_BATCH | CLI_CHAT) ? CHECKPOINT_EVERY : 0,
        .temp = 0.8f,
        .top_p = 0.95f,
        .min_p = 0.05f,
    };
    bool only_operands = false;
    for (int i = 0; i < argc;) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
            i++;
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1]) {
            int used = 0;
            if (!parse_one(command, argc - i, argv + i, out_options, &used)) return false;
            i += used;
        } else if (out_options->n_operands == operands_of(command)) {
            cli_say("%s: one word too many: %s; see `godwit help %s`", command->name, argv[i],
                    command->name);
            return false;
        } else {
            out_options->operands[out_options->n_operands++] = argv[i++];
        }
    }
    if (!take_model(command, out_options)) return false;
    out_options->operand = out_options->operands[0];
    bool needed = command->operand[0] && command->operand[0] != '[';
    if (needed && out_options->n_operands < operands_of(command) && !out_options->help) {
        cli_say("%s: needs %s; see `godwit help %s`", command->name, command->operand,
                command->name);
        return false;
    }
    return true;
}
