/* The messages between a provider and the gateway (docs/PROTOCOL.md), as a whole: their kinds, and taking one apart
 * that came in. A text message is one JSON object with a "type"; the first byte of a binary one says what it is. No
 * state, no I/O. */
#ifndef NATARIS_LINK_MESSAGE_H
#define NATARIS_LINK_MESSAGE_H

#include "link/answer.h"
#include "link/handshake.h"
#include "link/job.h"
#include "link/status.h"
#include "link/version.h"

enum link_kind {
    LINK_HELLO,     /* provider -> gateway: who I am, versions I speak, device facts */
    LINK_CHALLENGE, /* gateway -> provider: chosen version and a nonce */
    LINK_AUTH,      /* provider -> gateway: signature over nonce */
    LINK_WELCOME,   /* gateway -> provider: admitted */
    LINK_STATUS,    /* provider -> gateway: heartbeat: models, load, heat, battery */
    LINK_JOB,       /* gateway -> provider */
    LINK_ACCEPT,    /* provider -> gateway: in a slot, prompt length known */
    LINK_PROGRESS,  /* provider -> gateway: so much of the prompt is read; since version 2 */
    LINK_DELTA,     /* provider -> gateway */
    LINK_DONE,      /* provider -> gateway */
    LINK_SCORED,    /* provider -> gateway: how likely the answer is; since version 2 */
    LINK_ERROR,     /* provider -> gateway: this job failed here */
    LINK_CANCEL,    /* gateway -> provider */
    LINK_DRAIN,     /* either way: no new jobs from now on */
    LINK_LEAVE,     /* of a provider: it leaves the network, for good */
    LINK_WANT,      /* gateway -> provider: this model is in demand; fetch or load it if your owner lets you */
    LINK_UNKNOWN,   /* a newer peer's kind: to be ignored */
};

struct link_message {
    enum link_kind kind;
    union {
        struct link_hello hello;
        struct link_challenge challenge;
        struct link_auth auth;
        struct link_welcome welcome;
        struct link_status status;
        struct link_job job;
        struct link_accept accept;
        struct link_progress progress;
        struct link_delta delta;
        struct link_done done;
        struct link_scored scored;
        struct link_error error;
        uint64_t cancel_job;
        struct link_want want;
    };
};

const char *link_kind_name(enum link_kind kind); /* "hello", ...; "unknown" */
/* In which form a message goes out. */
bool link_kind_is_binary(enum link_kind kind, enum link_version version);
/* Check out->overflow. */
void link_encode_word(struct buf *out, enum link_kind kind); /* LINK_DRAIN or LINK_LEAVE: all that it says */

/* Decodes a text message of the agreed version (before one is agreed on: of version 1); strings are copied into the
 * arena (cleared by the caller). Unknown kinds give LINK_UNKNOWN and true; malformed ones false with ERR_INVALID and
 * the member at fault in err->field. A job whose request alone is wrong gives false, too, with kind LINK_JOB and its
 * number set: such a job can be refused without giving up the link. */
MUST_CHECK bool link_decode_text(enum link_version version, struct json_parser *parser, struct arena *arena,
                                 struct str payload, struct link_message *message, struct err *err);
/* Decodes a binary message without copying. Unknown binary kinds give LINK_UNKNOWN and true. */
MUST_CHECK bool link_decode_binary(enum link_version version, struct str payload, struct link_message *message,
                                   struct err *err);

#endif
