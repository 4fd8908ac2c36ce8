/* The link codec: first byte = text or binary, the rest = a message. Property: what is understood can be written, and
 * what is written reads back and is written the same again. */
#include "link/codec.h"

#include "wire/limits.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 256 * 1024 };

static struct json_parser *parser;

static bool encode(struct buf *out, const struct link_message *message) {
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
        link_encode_status(out, &message->status);
        return true;
    case LINK_JOB:
        link_encode_job(out, message->job.job, &message->job.request);
        return true;
    case LINK_ACCEPT:
        link_encode_accept(out, &message->accept);
        return true;
    case LINK_DELTA:
        link_encode_delta(out, &message->delta);
        return true;
    case LINK_DONE:
        link_encode_done(out, &message->done);
        return true;
    case LINK_ERROR:
        link_encode_error(out, &message->error);
        return true;
    case LINK_CANCEL:
        link_encode_cancel(out, message->cancel_job);
        return true;
    case LINK_DRAIN:
        link_encode_drain(out);
        return true;
    case LINK_WANT:
        link_encode_want(out, &message->want);
        return true;
    case LINK_UNKNOWN:
        break;
    }
    return false;
}

static bool decode(bool binary, struct arena *arena, struct str input, struct link_message *message) {
    struct err err = {0};
    bool ok = binary ? link_decode_binary(input, message, &err) : link_decode_text(parser, arena, input, message, &err);
    if (!ok && err.code == ERR_NONE) {
        abort();
    }
    return ok;
}

static void check(bool binary, struct str input) {
    struct link_message message;
    struct arena arena;
    struct buf once, twice;
    arena_init(&arena, 8 * MAX_BYTES);
    buf_init(&once, 8 * MAX_BYTES);
    buf_init(&twice, 8 * MAX_BYTES);
    if (decode(binary, &arena, input, &message) && encode(&once, &message)) {
        if (!decode(binary, &arena, buf_str(&once), &message) || !encode(&twice, &message) ||
            !str_equal(buf_str(&once), buf_str(&twice))) {
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
    if (!parser) {
        parser = json_parser_new(8 * MAX_BYTES, LIMIT_JSON_DEPTH);
    }
    check(data[0] & 1, (struct str){(const char *)data + 1, size - 1});
    return 0;
}
