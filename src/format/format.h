/* Formats: how a request for a generation is read and its answer written, one for each public form. A format is a const
 * table of functions in a file of its own; formats.c lists them all. Nothing here knows HTTP, conversations or
 * workflows. Types only. */
#ifndef NATARIS_FORMAT_FORMAT_H
#define NATARIS_FORMAT_FORMAT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json_read.h"
#include "call/answer.h"
#include "call/fault.h"
#include "call/input.h"
#include "store/generations.h"
#include "wire/id.h"

struct envelope; /* format/envelope.h */

/* How far one stream is, for formats whose events are counted or stand in blocks. */
struct format_state {
    size_t blocks; /* that have begun */
    enum format_block { FORMAT_BLOCK_NONE, FORMAT_BLOCK_TEXT, FORMAT_BLOCK_CALL } open;
    uint64_t events;      /* that were written */
    struct str call_name; /* of an open call; borrowed */
    char call_id[ID_SIZE];
    struct buf said; /* of the open block ... */
    struct buf done; /* ... and of those before it, as the format writes them */
};

/* What the events of one stream have in common, made once, so that a token costs one escape and one write. */
struct format_stream {
    const struct format *format;
    bool include_usage;         /* the client wants a last event with the usage */
    struct str head;            /* how every event begins where a format does not say it by itself, and ... */
    struct str delta;           /* ... how one with text begins, up to the text; both in an arena */
    size_t choice;              /* that the next text is of (struct call) */
    uint32_t prompt_tokens;     /* as is likely; the device's count comes with the end */
    struct answer known;        /* of the answer, from the beginning: id, model, created_ms, echo */
    struct format_state *state; /* as it is before the first event; in the arena */
};

struct format {
    const char *name;      /* in POST /v1/jobs: "chat" */
    const char *path;      /* of its route: "/v1/chat/completions" */
    const char *member;    /* of the body, by which a job is seen to be of this form: "messages"; NULL: by its type */
    const char *id_prefix; /* of its answers: "chatcmpl-" */
    const char *object;    /* "chat.completion" */
    const char *chunk_object;
    enum store_generation_kind stored; /* what the store calls it; never changes */
    bool converses;                    /* conversation_id may name a conversation that is kept */
    bool lines;              /* its streams are lines of JSON, not server-sent events: they have no comments */
    const char *begins_with; /* "a chat (with messages)": for a refusal; NULL: such bodies are no jobs */

    /* The body; strings go into the arena. On false err->field names the field at fault: ERR_INVALID (also for limits),
     * ERR_UNSUPPORTED, or ERR_TOO_LARGE when the arena is full. */
    bool (*read)(struct json_value body, struct arena *arena, struct call_input *out, struct err *err);
    /* The whole answer as one JSON object. */
    void (*whole)(const struct answer *answer, struct buf *out);
    /* A stream's events: what comes before any text; how an event with text begins (asked once), and how it ends; what
     * an executor tells in between; the last ones with the reason and the usage. */
    void (*begin)(const struct format_stream *stream, struct buf *out);
    void (*delta_start)(const struct format_stream *stream, struct buf *out);
    struct str (*delta_end)(const struct format_stream *stream);
    /* An event with text, in place of these two, where no two of them begin alike; NULL: they do. */
    void (*text)(const struct format_stream *stream, struct str text, struct buf *out);
    /* An event with text and its log-probabilities (wire/logprobs.h). NULL: its requests cannot ask for them. */
    void (*delta_logprobs)(const struct format_stream *stream, struct str text, struct str logprobs, struct buf *out);
    void (*note)(const struct format_stream *stream, struct str nataris, struct buf *out);
    /* A call of the client's tools, whose arguments (JSON) then come in pieces. NULL: its requests have no tools. */
    void (*call_start)(const struct format_stream *stream, size_t index, const struct gen_tool_call *call,
                       struct buf *out);
    void (*call_arguments)(const struct format_stream *stream, size_t index, struct str json, struct buf *out);
    void (*end)(const struct format_stream *stream, const struct answer *answer, struct buf *out);
    /* The event that says that the stream lives; NULL: a comment does. */
    const char *keep_alive;
    /* The one event that says what went wrong. */
    void (*fault)(const struct fault *fault, struct buf *out);
    /* The same in place of it, where that depends on how far the stream is; NULL: it does not. */
    void (*broken)(const struct format_stream *stream, const struct fault *fault, struct buf *out);
    const struct envelope *envelope; /* how it writes refusals; NULL: as OpenAI does (format/envelope.h) */
};

/* A set of formats (format/formats.h). */
struct formats {
    const struct format *const *items;
    size_t count;
};

#endif
