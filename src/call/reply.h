/* Reads a model's answer while it comes: what of it is text for the client, and what is a call of one of the client's
 * tools. Devices send what the model wrote, so the same reader serves every device, and an answer that another device
 * goes on with is read on as if nothing had happened.
 *
 * What is a call:
 *  - <tool_call>{"name": "...", "arguments": {...}}</tool_call>, as models were taught by the prompt (call/tools.h);
 *    the last end may be missing;
 *  - an answer that is nothing but one such object, or an array of them, maybe in a fence of Markdown.
 * In each the name must be that of a tool; anything else is text, as it stands. Text is held back only as long as it
 * may still become a call. Pure but for its memory. */
#ifndef NATARIS_CALL_REPLY_H
#define NATARIS_CALL_REPLY_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>

enum { REPLY_CALLS_MAX = 128 };

struct reply_names { /* of the tools; borrowed. None: all is text */
    const struct str *items;
    size_t count;
};

/* What was read. Borrowed for the call. */
struct reply_events {
    void *context;
    void (*text)(void *context, struct str text);
    /* A call begins: its number from 0. */
    void (*call)(void *context, size_t index, struct str name);
    /* Further JSON of the arguments of the call that began last. */
    void (*arguments)(void *context, size_t index, struct str json);
};

enum reply_state {
    REPLY_AT_START, /* nothing but blanks yet */
    REPLY_IN_TEXT,
    REPLY_WHOLE,   /* all is held: it may be a call as a whole */
    REPLY_IN_CALL, /* behind <tool_call>, the object's beginning is held */
    REPLY_IN_ARGUMENTS,
    REPLY_BEHIND_ARGUMENTS, /* up to the end of the call */
};

struct reply {
    enum reply_state state;
    struct reply_names names;
    bool one_call; /* parallel_tool_calls false: further ones are left out */
    struct buf held;
    size_t call_count;
    size_t blanks;  /* before <tool_call>: they go with it, or come back with it */
    size_t looked;  /* so much of what is held of a call has no end of it */
    uint32_t depth; /* in arguments */
    bool in_string, escaped;
};

/* The names are borrowed as long as the reply lives. */
void reply_init(struct reply *reply, struct reply_names names, bool one_call);
void reply_clear(struct reply *reply);
/* The next piece of what the model wrote, as it comes. */
void reply_feed(struct reply *reply, struct str raw, const struct reply_events *events);
/* There is no more: what was held is told, whatever it is. */
void reply_end(struct reply *reply, const struct reply_events *events);

#endif
