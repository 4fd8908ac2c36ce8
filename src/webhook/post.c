#include "webhook/post.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct webhook_post {
    struct http_transfer *transfer;
    struct webhook_answer answer;
    void (*on_answer)(void *context, const struct webhook_answer *answer);
    void *context;
};

static enum http_verdict on_body(void *context, const struct http_answer *head, struct str piece) {
    struct webhook_post *post = context;
    struct webhook_answer *answer = &post->answer;
    const size_t room = sizeof(answer->body) - answer->body_len;
    const size_t kept = piece.len < room ? piece.len : room;
    (void)head;
    memcpy(answer->body + answer->body_len, piece.data, kept);
    answer->body_len += kept;
    return HTTP_BODY_TAKEN;
}

/* For the webhook's account to read. */
static const char *note_of(const struct http_result *result) {
    switch (result->failure) {
    case HTTP_FAILURE_ADDRESS:
        return "the host's address is not one of the public internet";
    case HTTP_FAILURE_TIME:    /* with the seconds */
    case HTTP_FAILURE_REQUEST: /* with what is wrong about the URL */
        return result->detail;
    case HTTP_FAILURE_NONE:
    case HTTP_FAILURE_NAME:
    case HTTP_FAILURE_CONNECT:
    case HTTP_FAILURE_TLS:
    case HTTP_FAILURE_BROKEN:
    case HTTP_FAILURE_TOO_LARGE:
    case HTTP_FAILURE_STOPPED:
    case HTTP_FAILURE_OTHER:
        break;
    }
    return result->reason;
}

static void on_end(void *context, const struct http_result *result) {
    const struct webhook_post post = *(struct webhook_post *)context;
    struct webhook_answer answer = post.answer;
    const bool whole = result->failure == HTTP_FAILURE_NONE || result->failure == HTTP_FAILURE_TOO_LARGE;
    free(context);
    answer.status = whole ? result->answer.status : 0;
    answer.timed_out = result->failure == HTTP_FAILURE_TIME;
    answer.latency_ms = (uint32_t)result->took_ms;
    answer.retry_after_ms = result->answer.retry_after_ms;
    if (!whole) {
        str_copy(answer.note, sizeof(answer.note), str_from(note_of(result)));
    }
    post.on_answer(post.context, &answer);
}

struct webhook_post *webhook_post_start(struct http_client *client, const struct webhook_message *message, bool lax,
                                        void (*on_answer)(void *context, const struct webhook_answer *answer),
                                        void *context) {
    static const struct http_transfer_events EVENTS = {.on_body = on_body, .on_end = on_end};
    const char *const headers[] = {"Content-Type: application/json", message->headers[0], message->headers[1],
                                   message->headers[2], NULL};
    const struct http_transfer_options options = {.method = "POST",
                                                  .url = message->url,
                                                  .headers = headers,
                                                  .user_agent = "Nataris-Webhooks/1.0",
                                                  .owner = message->owner,
                                                  .body = message->body,
                                                  .body_max = WEBHOOK_POST_ANSWER_MAX,
                                                  .whole_ms =
                                                      message->whole_ms > 0 ? message->whole_ms : WEBHOOK_POST_MS,
                                                  .plain = lax};
    struct webhook_post *post = MEM_NEW(struct webhook_post);
    post->on_answer = on_answer;
    post->context = context;
    post->transfer = http_transfer_start(client, &options, &EVENTS, post);
    return post;
}

void webhook_post_cancel(struct webhook_post *post) {
    http_transfer_cancel(post->transfer);
    free(post);
}
