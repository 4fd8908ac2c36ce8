/* What a provider says of a job: that it has it, how far it is with the prompt, what it makes, and how it ended.
 * Version 1 has text messages, deltas of plain text, and no progress; version 2 a binary message each. */
#ifndef NATARIS_LINK_ANSWER_H
#define NATARIS_LINK_ANSWER_H

#include "base/buf.h"
#include "link/finish.h"
#include "link/reader.h"
#include "link/version.h"
#include "wire/generation.h"
#include "wire/receipt.h"
#include "wire/score.h"

/* The first byte of a binary message. */
enum link_binary {
    LINK_BINARY_TEXT_DELTA = 1, /* version 1 */
    LINK_BINARY_ACCEPT = 2,     /* these are version 2's */
    LINK_BINARY_DELTA = 3,
    LINK_BINARY_DONE = 4,
    LINK_BINARY_PROGRESS = 5,
};

enum {
    LINK_DELTA_HEAD = 11,  /* of both versions: what comes before the text, or the parts */
    LINK_ACCEPT_SIZE = 13, /* at least: a newer peer's may be longer */
    LINK_DONE_SIZE = 35,   /* likewise; without the word */
    LINK_PROGRESS_SIZE = 13,
    LINK_CLAIM_SIZE = 1 + DIGEST_SHA256_SIZE + ED25519_SIGNATURE_SIZE, /* behind the word of a done that is signed */
};

struct link_accept {
    uint64_t job;
    uint32_t prompt_tokens;
};

struct link_progress {
    uint64_t job;
    uint32_t done_tokens; /* of the prompt and of the text to continue; cached ones too */
};

struct link_delta {
    uint64_t job;
    uint32_t tokens;  /* at most LIMIT_DELTA_TOKENS in one message */
    struct str text;  /* whole UTF-8 characters; when read, borrowed from the message, as are the parts */
    struct str parts; /* all others, as they are on the wire (link/part.h); version 1 has none */
};

struct link_done {
    uint64_t job;
    enum link_finish finish;
    struct str finish_word; /* of OTHER: what the peer calls it; a short word for people. Borrowed from the message */
    uint32_t stop; /* which of the job's stop strings has ended it, from 1; 0: none has, or the peer does not tell */
    struct gen_usage usage;
    struct gen_timings timings;
    bool has_claim; /* since version 2: the device has signed; of the usage's tokens */
    struct receipt_claim claim;
};

struct link_scored {
    uint64_t job;
    struct gen_score score;
};

struct link_error {
    uint64_t job;
    enum gen_failure failure;
    struct str message, param;
    bool by_gateway; /* not on the wire: no peer has said it, the job could not be sent */
};

/* Whether one message can hold it. */
bool link_delta_fits(const struct link_delta *delta);
/* Takes off as much as one message can hold, cut between characters, with all the parts. */
struct link_delta link_delta_cut(struct link_delta *rest);

/* Each appends one message: a text, or binary when link_kind_is_binary (link/message.h) says so. Check
 * out->overflow. */
void link_encode_accept(struct buf *out, enum link_version version, const struct link_accept *accept);
/* Appends nothing for version 1, which does not have it. */
void link_encode_progress(struct buf *out, enum link_version version, const struct link_progress *progress);
void link_encode_delta(struct buf *out, enum link_version version, const struct link_delta *delta);
void link_encode_done(struct buf *out, enum link_version version, const struct link_done *done);
/* A text in version 2; version 1 does not have it. */
void link_encode_scored(struct buf *out, const struct link_scored *scored);
void link_encode_error(struct buf *out, const struct link_error *error);

/* Each reads one text message, whose out is zeroed; the first two are of version 1. */
MUST_CHECK bool link_read_accept(const struct link_reader *reader, struct link_accept *out);
MUST_CHECK bool link_read_done(const struct link_reader *reader, struct link_done *out);
MUST_CHECK bool link_read_scored(const struct link_reader *reader, struct link_scored *out);
MUST_CHECK bool link_read_error(const struct link_reader *reader, enum link_version version, struct link_error *out);

/* Each takes one binary message apart, without copying anything. ERR_INVALID, and the member at fault in err->field. */
MUST_CHECK bool link_take_text_delta(struct str payload, struct link_delta *out, struct err *err);
MUST_CHECK bool link_take_accept(struct str payload, struct link_accept *out, struct err *err);
MUST_CHECK bool link_take_progress(struct str payload, struct link_progress *out, struct err *err);
MUST_CHECK bool link_take_delta(struct str payload, struct link_delta *out, struct err *err);
MUST_CHECK bool link_take_done(struct str payload, struct link_done *out, struct err *err);

#endif
