// batch_stream.h: a prompt at work: its session, and what came of it so far.
#ifndef GODWIT_CLI_BATCH_STREAM_H
#define GODWIT_CLI_BATCH_STREAM_H

#include "batch.h"

enum { BATCH_PIECE_BYTES = 65536 };

typedef struct batch_stream {
    batch_request *request;
    godwit_session *session;
    godwit_decoder decoder;
    cli_text text;
    int32_t *ids; // [n_ids], generated
    uint32_t n_ids, n_max;
    uint64_t n_shared;
    json_t *logprobs;   // an object a token; NULL: not asked for
    const char *reason; // it ended: "stop", "length"; NULL: at work
} batch_stream;

// What a stream is asked about its model. piece: [BATCH_PIECE_BYTES].
typedef struct batch_text {
    const godwit_tokenizer *tokenizer;
    bool ignore_eos;
    char *piece;
} batch_text;

// n_max: tokens that it may generate.
void batch_stream_init(batch_stream *s, batch_request *request, uint32_t n_max);
void batch_stream_free(batch_stream *s);
// The text is gone on from the prompt's end: whether a first blank is text depends on it.
godwit_status batch_stream_begin(batch_stream *s, const batch_text *text, godwit_error *error);
// A token that was generated; sets reason where it was the last.
godwit_status batch_stream_take(batch_stream *s, const batch_text *text, int32_t token,
                                godwit_error *error);
json_t *batch_stream_json(const batch_stream *s);

#endif
