#include "link/message.h"

#include "link/writer.h"

const char *link_kind_name(enum link_kind kind) {
    switch (kind) {
    case LINK_HELLO:
        return "hello";
    case LINK_CHALLENGE:
        return "challenge";
    case LINK_AUTH:
        return "auth";
    case LINK_WELCOME:
        return "welcome";
    case LINK_STATUS:
        return "status";
    case LINK_JOB:
        return "job";
    case LINK_ACCEPT:
        return "accept";
    case LINK_PROGRESS:
        return "progress";
    case LINK_DELTA:
        return "delta";
    case LINK_DONE:
        return "done";
    case LINK_SCORED:
        return "scored";
    case LINK_ERROR:
        return "error";
    case LINK_CANCEL:
        return "cancel";
    case LINK_DRAIN:
        return "drain";
    case LINK_LEAVE:
        return "leave";
    case LINK_WANT:
        return "want";
    case LINK_UNKNOWN:
        break;
    }
    return "unknown";
}

bool link_kind_is_binary(enum link_kind kind, enum link_version version) {
    return kind == LINK_DELTA || kind == LINK_PROGRESS ||
           (version >= LINK_VERSION_2 && (kind == LINK_ACCEPT || kind == LINK_DONE));
}

void link_encode_word(struct buf *out, enum link_kind kind) {
    struct json_writer writer = link_writer_begin(out, link_kind_name(kind));
    json_end_object(&writer);
}

/* Delta and progress were never texts: as such they are kinds that are not known. */
static enum link_kind kind_from_name(struct str name) {
    for (int i = LINK_HELLO; i < LINK_UNKNOWN; i++) {
        if (i != LINK_DELTA && i != LINK_PROGRESS && str_equal_cstr(name, link_kind_name((enum link_kind)i))) {
            return (enum link_kind)i;
        }
    }
    return LINK_UNKNOWN;
}

static bool read_message(enum link_version version, const struct link_reader *reader, struct link_message *message) {
    switch (message->kind) {
    case LINK_HELLO:
        return link_read_hello(reader, &message->hello);
    case LINK_CHALLENGE:
        return link_read_challenge(reader, &message->challenge);
    case LINK_AUTH:
        return link_read_auth(reader, &message->auth);
    case LINK_WELCOME:
        return link_read_welcome(reader, &message->welcome);
    case LINK_STATUS:
        return link_read_status(reader, version, &message->status);
    case LINK_JOB:
        return link_read_job(reader, version, &message->job);
    case LINK_ACCEPT:
        return link_read_accept(reader, &message->accept);
    case LINK_DONE:
        return link_read_done(reader, &message->done);
    case LINK_SCORED:
        return link_read_scored(reader, &message->scored);
    case LINK_ERROR:
        return link_read_error(reader, version, &message->error);
    case LINK_CANCEL:
        return link_read_job_number(reader, &message->cancel_job);
    case LINK_WANT:
        return link_read_want(reader, &message->want);
    case LINK_DRAIN:
    case LINK_LEAVE:
    case LINK_PROGRESS:
    case LINK_DELTA:
    case LINK_UNKNOWN:
        break;
    }
    return true;
}

bool link_decode_text(enum link_version version, struct json_parser *parser, struct arena *arena, struct str payload,
                      struct link_message *message, struct err *err) {
    *message = (struct link_message){.kind = LINK_UNKNOWN};
    struct link_reader reader = {.arena = arena, .err = err};
    if (!json_parse(parser, payload, &reader.object, err)) {
        return false;
    }
    struct str name;
    if (!link_reader_word(&reader, "type", &name)) {
        return link_reader_fail(&reader, "type", "a string");
    }
    message->kind = kind_from_name(name);
    if (message->kind == LINK_SCORED && version < LINK_VERSION_2) {
        message->kind = LINK_UNKNOWN;
    }
    if (link_kind_is_binary(message->kind, version)) {
        return err_set_field(err, ERR_INVALID, "type", "message \"%s\" must be binary in version %d",
                             link_kind_name(message->kind), (int)version);
    }
    return read_message(version, &reader, message);
}

bool link_decode_binary(enum link_version version, struct str payload, struct link_message *message, struct err *err) {
    message->kind = LINK_UNKNOWN;
    if (payload.len == 0) {
        return err_set(err, ERR_INVALID, "empty binary frame");
    }
    const uint8_t first = (uint8_t)payload.data[0];
    if (first == LINK_BINARY_TEXT_DELTA) {
        if (version >= LINK_VERSION_2) {
            return err_set(err, ERR_INVALID, "a delta of version 1 on a link of version %d", (int)version);
        }
        message->kind = LINK_DELTA;
        return link_take_text_delta(payload, &message->delta, err);
    }
    if (version < LINK_VERSION_2) {
        return true;
    }
    switch (first) {
    case LINK_BINARY_ACCEPT:
        message->kind = LINK_ACCEPT;
        return link_take_accept(payload, &message->accept, err);
    case LINK_BINARY_PROGRESS:
        message->kind = LINK_PROGRESS;
        return link_take_progress(payload, &message->progress, err);
    case LINK_BINARY_DELTA:
        message->kind = LINK_DELTA;
        return link_take_delta(payload, &message->delta, err);
    case LINK_BINARY_DONE:
        message->kind = LINK_DONE;
        return link_take_done(payload, &message->done, err);
    default:
        return true;
    }
}
