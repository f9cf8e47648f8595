// What the tests of engine/text share: vocabularies built or read, an allocator that fails, and
// encode and decode of whole texts.
#ifndef GW_TESTS_TEXT_SUPPORT_H
#define GW_TESTS_TEXT_SUPPORT_H

#include "file/gguf_write.h"
#include "text/tokenizer.h"

#include <stdio.h>

// A host whose allocation number fail_at fails, once (0: none does). n_live is 0 again when
// everything was freed.
typedef struct counting {
    int64_t fail_at, n_total, n_live;
    int64_t live_bytes; // as the callers state sizes: a wrong size at a free shows here
    gw_host host;
} counting;
void counting_init(counting *c, int64_t fail_at);

// A tokenizer and all that it stands on.
typedef struct vocabulary {
    counting memory;
    uint8_t *bytes;
    size_t n_bytes;
    gw_gguf *gguf;
    gw_tokenizer *tokenizer;
} vocabulary;
// The file's tokenizer. A name that begins with models/ or tests/ is a file of the repository, any
// other one of the foreign data; where that is missing: skips the test, loudly.
void vocabulary_open(vocabulary *v, const char *name);
// False, said loudly, where the file is missing.
bool vocabulary_find(vocabulary *v, const char *name);
// What writer holds, parsed; no tokenizer yet.
void vocabulary_parse(vocabulary *v, gw_gguf_writer *writer);
void vocabulary_close(vocabulary *v);

// The whole file, terminated; free it. read_data: names as vocabulary_open's, skips as it does.
char *read_data(const char *name, size_t *out_n);
char *read_golden(const char *name, size_t *out_n);
// "48656c", "-" for nothing, into out; gives the length.
size_t unhex(const char *hex, char *out);

// Ids of a text without BOS and EOS; free them. The test fails where encode does.
int32_t *encode(const gw_tokenizer *tokenizer, const char *text, size_t n, bool parse_special,
                size_t *out_n);
// The text of ids, flushed, checked to come in pieces of whole characters; free it.
char *decode(const gw_tokenizer *tokenizer, const int32_t *ids, size_t n_ids, size_t *out_n);
// Encodes and decodes text and fails the test unless it comes out the same.
void check_round_trip(const gw_tokenizer *tokenizer, const char *text, size_t n);

// A small deterministic generator (splitmix64).
uint64_t next_random(uint64_t *state);

// --- vocabularies built by hand

typedef struct token_row {
    const char *text;
    int32_t kind; // 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte
    float score;
} token_row;
// A writer with model, tokens, kinds, scores; keys may be set on top. merges may be NULL.
gw_gguf_writer *write_vocabulary(const gw_host *host, const char *model, const token_row *rows,
                                 size_t n_rows, const char *const *merges, size_t n_merges);
void set_u32(gw_gguf_writer *writer, const char *key, uint32_t number);
void set_bool(gw_gguf_writer *writer, const char *key, bool flag);
void set_str(gw_gguf_writer *writer, const char *key, const char *text);

#endif
