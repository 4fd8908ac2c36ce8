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

/* What the events of one stream have in common, made once, so that a token costs one escape and one write. */
struct format_stream {
    const struct format *format;
    bool include_usage; /* the client wants a last event with the usage */
    struct str head;    /* how every event begins where a format does not say it by itself, and ... */
    struct str delta;   /* ... how one with text begins, up to the text; both in an arena */
};

struct format {
    const char *name;      /* in POST /v1/jobs: "chat" */
    const char *path;      /* of its route: "/v1/chat/completions" */
    const char *member;    /* of the body, by which a job is seen to be of this form: "messages" */
    const char *id_prefix; /* of its answers: "chatcmpl-" */
    const char *object;    /* "chat.completion" */
    const char *chunk_object;
    enum store_generation_kind stored; /* what the store calls it; never changes */
    bool converses;                    /* conversation_id may name a conversation that is kept */
    const char *begins_with;           /* "a chat (with messages)": for a refusal */

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
    void (*note)(const struct format_stream *stream, struct str nataris, struct buf *out);
    void (*end)(const struct format_stream *stream, const struct answer *answer, struct buf *out);
    /* The one event that says what went wrong. */
    void (*fault)(const struct fault *fault, struct buf *out);
};

/* A set of formats (format/formats.h). */
struct formats {
    const struct format *const *items;
    size_t count;
};

#endif
