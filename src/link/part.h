/* What a delta of version 2 is made of (docs/PROTOCOL.md "Parts of a delta"): tagged parts, each with its length in
 * front, so that one of a newer peer is passed over. Nothing is copied or allocated when parts are read: they are
 * walked through in the message. */
#ifndef NATARIS_LINK_PART_H
#define NATARIS_LINK_PART_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/limits.h"
#include "wire/logprobs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers of the wire. */
enum link_part_kind {
    LINK_PART_UNKNOWN = 0, /* a newer peer's */
    LINK_PART_TEXT = 1,    /* the first part of a delta, or none of it */
    LINK_PART_TOKEN_IDS = 2,
    LINK_PART_REASONING = 3,
    LINK_PART_TOOL_CALL = 4,
    LINK_PART_LOGPROBS = 5,
    LINK_PART_AUDIO = 6,
};

enum { LINK_PART_HEAD = 4 }; /* tag and length */

struct link_tool_call {
    uint32_t index;       /* which of the answer's calls, from 0 */
    struct str id, name;  /* in the first part of the call; empty in the others */
    struct str arguments; /* the next piece of its JSON text */
};

struct link_audio {
    struct str format, bytes;
};

struct link_part {
    enum link_part_kind kind;
    union {
        struct str text;      /* TEXT, REASONING */
        struct str token_ids; /* see link_token_id */
        struct str logprobs;  /* wire/logprobs.h */
        struct link_tool_call tool_call;
        struct link_audio audio;
    };
};

/* Each appends one part. Check out->overflow. */
void link_parts_add_token_ids(struct buf *out, const uint32_t *ids, size_t count);
void link_parts_add_reasoning(struct buf *out, struct str text);
void link_parts_add_tool_call(struct buf *out, const struct link_tool_call *call);
/* As gen_logprobs_append wrote them. */
void link_parts_add_logprobs(struct buf *out, struct str logprobs);
void link_parts_add_audio(struct buf *out, const struct link_audio *audio);
/* Writes the head of a part and gives what follows it. */
uint8_t *link_part_put_head(uint8_t *out, enum link_part_kind kind, size_t len);

/* Checks all the parts of a delta that counts `tokens` tokens, and divides them into its text (empty when there is
 * none) and the others, both borrowed from `parts`. ERR_INVALID with the part at fault in err->field. */
MUST_CHECK bool link_parts_read(struct str parts, uint32_t tokens, struct str *text, struct str *others,
                                struct err *err);
/* Takes the first part off; false at the end, or where checked parts would not go on. */
bool link_parts_next(struct str *parts, struct link_part *out);
/* The log-probabilities in checked parts; empty when there are none. */
struct str link_parts_logprobs(struct str parts);
/* Within TOKEN_IDS. */
size_t link_token_id_count(struct str token_ids);
uint32_t link_token_id(struct str token_ids, size_t index);

#endif
