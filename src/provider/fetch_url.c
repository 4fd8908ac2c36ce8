#include "provider/fetch_url.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

enum { CONNECT_MS = 10 * 1000, SLOW_BYTES_PER_S = 1024, SLOW_S = 30, REDIRECTS_MAX = 5 };
/* For a server that was never heard of: there is a next source, and somebody waits. */
enum { SILENT_S = 15 };
/* A try that brings fewer bytes than that is a poor one; so many of them in a row end it. A pause follows each. */
enum { GOOD_TRY_BYTES = 64 * 1024, POOR_TRIES_MAX = 6, PAUSE_MS = 250, PAUSE_PIECE_MS = 50 };

struct url_transfer {
    const struct fetch_line *line;
    const char *url;
    struct part_file *part;
    struct fetch_control *control;
    const struct fetch_room *room;
    uint64_t bytes; /* 0: not known yet */
    struct err *err;
    bool came; /* bytes came in this or an earlier try: the server is there and has the file */
    /* Of one try. */
    struct http_transfer *running; /* NULL once it has ended */
    struct http_result result;
    bool answered; /* the answer's status was looked at */
    bool failed;   /* by us: err is set */
};

static bool is_loopback(struct str url) {
    static const char *const PREFIXES[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};
    for (size_t i = 0; i < COUNT_OF(PREFIXES); i++) {
        struct str prefix = str_from(PREFIXES[i]);
        if (str_starts_with(url, prefix) && url.len > prefix.len &&
            (url.data[prefix.len] == ':' || url.data[prefix.len] == '/')) {
            return memchr(url.data, '@', url.len) == NULL; /* "http://127.0.0.1:x@elsewhere/" is elsewhere */
        }
    }
    return false;
}

/* --- What comes --- */

/* Nothing without an end is taken: it would fill the disk. */
static bool learn_size(struct url_transfer *transfer, int64_t length) {
    if (length <= 0) {
        return err_set(transfer->err, ERR_UNAVAILABLE, "the server does not say how long the file is");
    }
    transfer->bytes = transfer->part->size + (uint64_t)length;
    atomic_store(&transfer->control->bytes_total, transfer->bytes);
    return transfer->room->make(transfer->room->context, (uint64_t)length, transfer->err);
}

/* The answer whose body begins. A server that knows no ranges sends the whole again; what has come is not given up for
 * anything else, such as the page of a network that asks for a password. */
static bool look_at_answer(struct url_transfer *transfer, const struct http_answer *answer) {
    transfer->answered = true;
    if (answer->status != 206 && transfer->bytes > 0 && answer->length > 0 &&
        (uint64_t)answer->length != transfer->bytes) {
        return err_set(transfer->err, ERR_UNAVAILABLE, "the file there has %" PRId64 " bytes instead of %" PRIu64,
                       answer->length, transfer->bytes);
    }
    if (answer->status != 206 && transfer->part->size > 0 && !part_file_restart(transfer->part, transfer->err)) {
        return false;
    }
    return transfer->bytes > 0 || learn_size(transfer, answer->length);
}

static bool take(struct url_transfer *transfer, const struct http_answer *answer, struct str piece) {
    if (!transfer->answered && !look_at_answer(transfer, answer)) {
        return false;
    }
    if (transfer->part->size + piece.len > transfer->bytes) {
        return err_set(transfer->err, ERR_INVALID, "the file there is longer than the expected %" PRIu64 " bytes",
                       transfer->bytes);
    }
    return part_file_append(transfer->part, piece.data, piece.len, transfer->err);
}

static enum http_verdict on_body(void *context, const struct http_answer *answer, struct str piece) {
    struct url_transfer *transfer = context;
    if (answer->status >= 400) {
        return HTTP_BODY_STOP; /* it is no part of a file */
    }
    transfer->failed = !take(transfer, answer, piece);
    transfer->came = true;
    atomic_store(&transfer->control->bytes_done, transfer->part->size);
    return transfer->failed ? HTTP_BODY_STOP : HTTP_BODY_TAKEN;
}

/* --- One try --- */

enum url_outcome { URL_DONE, URL_AGAIN, URL_FAILED };

/* Breaks after which going on where it stopped makes sense. A server that was there and now is not comes back, or this
 * machine's network does. */
static bool is_break(const struct url_transfer *transfer) {
    switch (transfer->result.failure) {
    case HTTP_FAILURE_BROKEN:
        return true;
    case HTTP_FAILURE_TIME:
    case HTTP_FAILURE_CONNECT:
    case HTTP_FAILURE_NAME:
        return transfer->came;
    case HTTP_FAILURE_NONE:
    case HTTP_FAILURE_REQUEST:
    case HTTP_FAILURE_ADDRESS:
    case HTTP_FAILURE_TLS:
    case HTTP_FAILURE_TOO_LARGE:
    case HTTP_FAILURE_STOPPED:
    case HTTP_FAILURE_OTHER:
        break;
    }
    return false;
}

static enum url_outcome judge(struct url_transfer *transfer, uint64_t before) {
    const struct http_result *result = &transfer->result;
    const int status = result->answer.status;
    if (transfer->failed) {
        return URL_FAILED;
    }
    if (result->failure == HTTP_FAILURE_NONE && status > 0 && status < 400) {
        return URL_DONE;
    }
    if (atomic_load(&transfer->control->cancelled)) {
        err_set(transfer->err, ERR_CLOSED, "stopped");
        return URL_FAILED;
    }
    if (status == 416 && before > 0) { /* what we have is longer than the file there */
        return part_file_restart(transfer->part, transfer->err) ? URL_AGAIN : URL_FAILED;
    }
    if (status >= 400) {
        err_set(transfer->err, ERR_UNAVAILABLE, "the server answers with status %d", status);
        return URL_FAILED;
    }
    err_set(transfer->err, ERR_UNAVAILABLE, "%s", result->detail);
    return is_break(transfer) ? URL_AGAIN : URL_FAILED;
}

static void on_end(void *context, const struct http_result *result) {
    struct url_transfer *transfer = context;
    transfer->running = NULL;
    transfer->result = *result;
    loop_stop(transfer->line->loop);
}

static void on_tick(void *context) {
    struct url_transfer *transfer = context;
    if (atomic_load(&transfer->control->cancelled)) {
        http_transfer_cancel(transfer->running);
        transfer->running = NULL;
        loop_stop(transfer->line->loop);
    }
}

static enum url_outcome transfer_once(struct url_transfer *transfer) {
    static const struct http_transfer_events EVENTS = {.on_body = on_body, .on_end = on_end};
    const bool loopback = is_loopback(str_from(transfer->url));
    const uint64_t before = transfer->part->size;
    const struct http_transfer_options options = {.url = transfer->url,
                                                  .from = before,
                                                  .body_max = UINT64_MAX, /* `take` knows better */
                                                  .connect_ms = CONNECT_MS,
                                                  .slow_s = transfer->came ? SLOW_S : SILENT_S,
                                                  .slow_bytes_per_s = SLOW_BYTES_PER_S,
                                                  .redirects_max = REDIRECTS_MAX,
                                                  .plain = loopback,
                                                  .proxy = !loopback};
    struct loop *loop = transfer->line->loop;
    struct loop_timer *tick = loop_timer_new(loop, on_tick, transfer);
    uv_update_time(loop_uv(loop)); /* the thread did other things meanwhile */
    loop_timer_start(tick, PAUSE_PIECE_MS, PAUSE_PIECE_MS);
    transfer->answered = transfer->failed = false;
    transfer->result = (struct http_result){0};
    transfer->running = http_transfer_start(transfer->line->client, &options, &EVENTS, transfer);
    loop_run(loop);
    loop_timer_free(tick);
    return judge(transfer, before);
}

/* --- All tries --- */

static void pause_a_while(const struct fetch_control *control, unsigned poor_tries) {
    for (unsigned ms = 0; ms < PAUSE_MS * poor_tries && !atomic_load(&control->cancelled); ms += PAUSE_PIECE_MS) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_PIECE_MS * 1000000L}, NULL);
    }
}

static bool transfer_until_done(struct url_transfer *transfer) {
    enum url_outcome outcome = URL_AGAIN;
    unsigned poor_tries = 0;
    while (outcome == URL_AGAIN && poor_tries < POOR_TRIES_MAX) {
        uint64_t before = transfer->part->size;
        pause_a_while(transfer->control, poor_tries);
        outcome = transfer_once(transfer);
        bool good = transfer->part->size >= before + GOOD_TRY_BYTES;
        poor_tries = good ? 0 : poor_tries + 1;
    }
    return outcome == URL_DONE;
}

bool fetch_url(const struct fetch_line *line, const char *url, uint64_t bytes, struct part_file *part,
               const struct fetch_room *room, struct fetch_control *control, struct err *err) {
    struct url_transfer transfer = {
        .line = line, .url = url, .part = part, .control = control, .room = room, .bytes = bytes, .err = err};
    if (bytes > 0 && part->size > bytes && !part_file_restart(part, err)) {
        return false;
    }
    if (bytes > 0 && part->size == bytes) {
        return true; /* it was complete, but not yet checked, when the program ended */
    }
    if (bytes > 0 && !room->make(room->context, bytes - part->size, err)) {
        return false;
    }
    atomic_store(&control->bytes_done, part->size);
    atomic_store(&control->bytes_total, bytes);
    atomic_store(&control->transferring, true);
    bool worked = transfer_until_done(&transfer);
    atomic_store(&control->transferring, false);
    return worked;
}
