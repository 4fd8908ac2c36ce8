/* The link's messages: first byte = bit 0: binary, bit 1: version 2; the rest = a message. Property: what is understood
 * can be written, and what is written reads back and is written the same again. */
#include "link/message.h"
#include "link/part.h"
#include "wire/limits.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 256 * 1024 };

static struct json_parser *parser;

static bool encode(struct buf *out, enum link_version version, const struct link_message *message) {
    switch (message->kind) {
    case LINK_HELLO:
        link_encode_hello(out, &message->hello);
        return true;
    case LINK_CHALLENGE:
        link_encode_challenge(out, &message->challenge);
        return true;
    case LINK_AUTH:
        link_encode_auth(out, &message->auth);
        return true;
    case LINK_WELCOME:
        link_encode_welcome(out, &message->welcome);
        return true;
    case LINK_STATUS:
        link_encode_status(out, version, &message->status);
        return true;
    case LINK_JOB: /* of other kinds nothing is written yet */
        if (message->job.kind == LINK_JOB_KIND_SCORE) {
            link_encode_score(out, message->job.job, &message->job.request, &message->job.answer);
            return true;
        }
        link_encode_job(out, version, message->job.job, &message->job.request);
        return message->job.kind == LINK_JOB_KIND_GENERATE;
    case LINK_SCORED:
        link_encode_scored(out, &message->scored);
        return true;
    case LINK_PROGRESS:
        link_encode_progress(out, version, &message->progress);
        return true;
    case LINK_CANCEL:
        link_encode_cancel(out, message->cancel_job);
        return true;
    case LINK_DRAIN:
    case LINK_LEAVE:
        link_encode_word(out, message->kind);
        return true;
    case LINK_WANT:
        link_encode_want(out, &message->want);
        return true;
    case LINK_ACCEPT:
        link_encode_accept(out, version, &message->accept);
        return true;
    case LINK_DELTA:
        link_encode_delta(out, version, &message->delta);
        return true;
    case LINK_DONE:
        link_encode_done(out, version, &message->done);
        return true;
    case LINK_ERROR:
        link_encode_error(out, &message->error);
        return true;
    case LINK_UNKNOWN:
        break;
    }
    return false;
}

/* Checked parts can be walked through to their end, and hold what they say. */
static void walk_parts(const struct link_delta *delta) {
    struct str parts = delta->parts;
    struct link_part part;
    while (link_parts_next(&parts, &part)) {
        if (part.kind == LINK_PART_TOKEN_IDS) {
            for (size_t i = 0; i < link_token_id_count(part.token_ids); i++) {
                (void)link_token_id(part.token_ids, i);
            }
        } else if (part.kind == LINK_PART_LOGPROBS) {
            struct gen_token_logprobs token;
            while (gen_logprobs_next(&part.logprobs, &token)) {
            }
            if (part.logprobs.len > 0) {
                abort();
            }
        }
    }
    if (parts.len > 0) {
        abort();
    }
}

static bool decode(bool binary, enum link_version version, struct arena *arena, struct str input,
                   struct link_message *message) {
    struct err err = {0};
    const bool ok = binary ? link_decode_binary(version, input, message, &err)
                           : link_decode_text(version, parser, arena, input, message, &err);
    if (!ok && err.code == ERR_NONE) {
        abort();
    }
    if (ok && message->kind == LINK_DELTA) {
        walk_parts(&message->delta);
    }
    return ok;
}

static void check(bool binary, enum link_version version, struct str input) {
    struct link_message message;
    struct arena arena;
    struct buf once, twice;
    arena_init(&arena, 8 * MAX_BYTES);
    buf_init(&once, 8 * MAX_BYTES);
    buf_init(&twice, 8 * MAX_BYTES);
    if (decode(binary, version, &arena, input, &message) && encode(&once, version, &message)) {
        if (!decode(link_kind_is_binary(message.kind, version), version, &arena, buf_str(&once), &message) ||
            !encode(&twice, version, &message) || !str_equal(buf_str(&once), buf_str(&twice))) {
            abort();
        }
    }
    buf_clear(&once);
    buf_clear(&twice);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0 || size > MAX_BYTES) {
        return 0;
    }
    if (parser == NULL) {
        parser = json_parser_new(8 * MAX_BYTES, LIMIT_JSON_DEPTH);
    }
    check((data[0] & 1) != 0, (data[0] & 2) != 0 ? LINK_VERSION_2 : LINK_VERSION_1,
          (struct str){(const char *)data + 1, size - 1});
    return 0;
}
