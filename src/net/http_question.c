#include "net/http_question.h"

#include <stdio.h>

struct question {
    struct loop *loop;
    struct buf *body;
    struct http_result *result;
};

static enum http_verdict on_body(void *context, const struct http_answer *answer, struct str piece) {
    const struct question *question = context;
    (void)answer;
    return buf_append_str(question->body, piece) ? HTTP_BODY_TAKEN : HTTP_BODY_STOP;
}

static void on_end(void *context, const struct http_result *result) {
    const struct question *question = context;
    *question->result = *result;
    loop_stop(question->loop);
}

void http_question_ask(const struct http_transfer_options *options, struct buf *body, struct http_result *result) {
    static const struct http_transfer_events EVENTS = {.on_body = on_body, .on_end = on_end};
    struct question question = {.loop = loop_new(), .body = body, .result = result};
    struct http_transfer_options bounded = *options;
    struct http_client *client;
    struct err err;
    bounded.body_max = body->limit - body->len;
    if (http_client_new(&client, question.loop, NULL, &err)) {
        (void)http_transfer_start(client, &bounded, &EVENTS, &question);
        loop_run(question.loop);
        http_client_free(client);
    } else {
        *result = (struct http_result){.failure = HTTP_FAILURE_OTHER, .reason = "libcurl does not start"};
        (void)snprintf(result->detail, sizeof(result->detail), "%s", err.message);
    }
    loop_free(question.loop);
}
