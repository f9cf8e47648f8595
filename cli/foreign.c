// foreign.c: options that people bring along from llama.cpp: the ones that mean the same work, the
// others are answered with what is meant here.
#include <stddef.h>
#include <string.h>

#include "options.h"

const char *cli_own_name(const char *name) {
    static const char *const names[][2] = {
        {"predict", "tokens"},
        {"n-predict", "tokens"},
        {"n-gen", "tokens"},
        {"ctx-size", "ctx"},
        {"batch-size", "batch"},
        {"ubatch-size", "batch"},
        {"temperature", "temp"},
        {"system-prompt", "system"},
        {"chat-template-file", "template"},
        {"chat-template-kwargs", "vars"},
        {"n-prompt", "prompt-tokens"},
        {"repetitions", "reps"},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i][0], name) == 0) return names[i][1];
    }
    return name;
}

const char *cli_foreign_hint(const char *word) {
    static const char layers[] =
        "every layer runs on the device; leave it out, or name another --device";
    static const char experts[] = "see --host-experts: the device reads them from host memory";
    static const char threads[] = "--threads counts for prompts, too; leave it out";
    static const char attention[] = "attention is always computed in blocks; leave it out";
    static const char cache[] = "see --kv";
    static const char chat[] = "see --chat, or `godwit chat`";
    static const char one[] = "a model runs on one device; see --device";
    static const char download[] = "nothing is downloaded: name a GGUF file";
    static const char mapped[] = "the file is read and its weights are copied to the device; "
                                 "leave it out";
    static const char *const hints[][2] = {
        {"-ngl", layers},
        {"--gpu-layers", layers},
        {"--n-gpu-layers", layers},
        {"-ncmoe", experts},
        {"-cmoe", experts},
        {"--cpu-moe", experts},
        {"--n-cpu-moe", experts},
        {"-tb", threads},
        {"--threads-batch", threads},
        {"-fa", attention},
        {"--flash-attn", attention},
        {"-ctk", cache},
        {"-ctv", cache},
        {"--cache-type-k", cache},
        {"--cache-type-v", cache},
        {"-ub", "see --batch"},
        {"-dev", "see --device"},
        {"--prompt-cache", "see --save and --resume"},
        {"-i", chat},
        {"-cnv", chat},
        {"-sys", "see --system"},
        {"--interactive", chat},
        {"--conversation", chat},
        {"--chat-template", "see --template, which takes a file"},
        {"-mg", one},
        {"-sm", one},
        {"-ts", one},
        {"--main-gpu", one},
        {"--split-mode", one},
        {"--tensor-split", one},
        {"-hf", download},
        {"-mu", download},
        {"--hf-repo", download},
        {"--model-url", download},
        {"--mlock", mapped},
        {"--no-mmap", mapped},
        {"-mmp", mapped},
        {"--mmap", mapped},
        {"--no-display-prompt", "the prompt is not printed; leave it out"},
    };
    for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
        if (strcmp(hints[i][0], word) == 0) return hints[i][1];
    }
    return NULL;
}
