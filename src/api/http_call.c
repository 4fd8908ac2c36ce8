#include "api/http_call.h"

#include "api/access_log.h"
#include "api/kept_responses.h"
#include "api/respond.h"
#include "base/clock.h"
#include "base/mem.h"
#include "format/envelope.h"
#include "format/events.h"
#include "format/responses_object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

enum {
    TICK_MS = 250,      /* how often late headers and keep-alives are looked for */
    PROGRESS_MS = 2000, /* between two looks at a model that a stream waits for */
    HEADERS_MS = 1000,  /* a stream's headers leave at the latest so long after the request */
};

struct http_call *http_call_of(struct call *call) {
    return (struct http_call *)call;
}

static void http_call_free(struct http_call *http) {
    claim_release(http->claim);
    reply_clear(&http->reply);
    events_clear(&http->stream);
    call_clear(&http->call);
    buf_clear(&http->stored);
    buf_clear(&http->kept);
    free(http);
}

static void http_call_link(struct http_call *http) {
    struct api *api = http->request->api;
    call_link(&http->call);
    DL_APPEND(api->http_calls, http);
    if (!api->ticking) {
        api->ticking = true;
        loop_timer_start(api->tick, TICK_MS, TICK_MS);
    }
}

static void http_call_unlink(struct http_call *http) {
    DL_DELETE(http->request->api->http_calls, http);
    call_unlink(&http->call);
}

static void log_end(const struct http_call *http, int status, const char *outcome, const struct gen_usage *usage) {
    access_log_call(http->request, &http->call, http->streamed, status, outcome, usage);
}

/* --- Events of a stream --- */

static void events_send(struct http_call *http, const struct buf *events) {
    http_stream_write(http->exchange, buf_str(events));
    http->last_write_ms = loop_now_ms(http->call.calls->loop);
}

static void stream_headers_init(struct respond_headers *headers, const struct api_request *request, bool repeated) {
    const struct format *format = request->route->format;
    respond_headers_init(headers, request, format->lines ? STR("application/x-ndjson") : STR("text/event-stream"));
    respond_headers_add(headers, "Cache-Control", STR("no-cache"));
    respond_headers_add(headers, "X-Accel-Buffering", STR("no"));
    if (repeated) {
        respond_headers_add(headers, "Idempotent-Replayed", STR("true"));
    }
}

/* The headers, and what a format's stream begins with, unless they are out already. */
static void stream_begin(struct http_call *http) {
    if (http->headers_sent) {
        return;
    }
    struct respond_headers headers;
    struct buf *out = respond_buffer(http->request->api);
    stream_headers_init(&headers, http->request, http->repeated);
    http_stream_begin(http->exchange, 200, headers.items, headers.count);
    http->headers_sent = true;
    http->last_write_ms = loop_now_ms(http->call.calls->loop);
    http->format->begin(&http->stream, out);
    if (out->len > 0) {
        events_send(http, out);
    }
}

static void write_text(void *context, struct str text) {
    struct http_call *http = context;
    http->stream.choice = http->call.choice;
    while (text.len > 0) {
        struct buf *out = respond_buffer(http->request->api);
        events_write_piece(&http->stream, &text, out);
        events_send(http, out);
    }
}

/* A text with the log-probabilities that came with it. */
static void write_logprobs(struct http_call *http, struct str text) {
    struct buf *out = respond_buffer(http->request->api);
    http->format->delta_logprobs(&http->stream, text, call_logprobs_take(http->call.logprobs), out);
    events_send(http, out);
}

static void write_call(void *context, size_t index, struct str name) {
    struct http_call *http = context;
    struct buf *out = respond_buffer(http->request->api);
    char id[SAID_ID_SIZE];
    said_call_id(http->call.id, index, id);
    const struct gen_tool_call call = {.id = str_from(id), .name = name, .arguments = STR("")};
    http->format->call_start(&http->stream, index, &call, out);
    events_send(http, out);
}

static void write_arguments(void *context, size_t index, struct str json) {
    struct http_call *http = context;
    struct buf *out = respond_buffer(http->request->api);
    http->format->call_arguments(&http->stream, index, json, out);
    events_send(http, out);
}

static struct reply_events reply_events_of(struct http_call *http) {
    return (struct reply_events){.context = http, .text = write_text, .call = write_call, .arguments = write_arguments};
}

/* What the model wrote; of a call with tools it is read first. */
static void stream_write_text(struct http_call *http, struct str text) {
    http->sent += text.len;
    if (http->call.logprobs != NULL) {
        write_logprobs(http, text);
        return;
    }
    if (http->call.tools == NULL) {
        write_text(http, text);
        return;
    }
    const struct reply_events events = reply_events_of(http);
    reply_feed(&http->reply, text, &events);
}

static void stream_end_text(struct http_call *http) {
    if (http->call.tools != NULL) {
        const struct reply_events events = reply_events_of(http);
        reply_end(&http->reply, &events);
    }
}

/* An event or a comment line, so that proxies and clients see that the connection lives. */
static void write_keep_alive(struct http_call *http) {
    struct buf *out = respond_buffer(http->request->api);
    if (http->format->lines) {
        http->format->text(&http->stream, STR(""), out);
        events_send(http, out);
        return;
    }
    buf_append_cstr(out, http->format->keep_alive != NULL ? http->format->keep_alive : ": keep-alive" EVENT_END);
    events_send(http, out);
}

/* The same while the model is still being fetched or loaded: how far it is, and how long it may take. */
static void write_progress(struct http_call *http, uint32_t percent, uint64_t ready_ms) {
    if (http->format->lines) {
        write_keep_alive(http);
        return;
    }
    struct buf *out = respond_buffer(http->request->api);
    buf_append_cstr(out, ": loading ");
    buf_append_str(out, http->call.generation.model);
    buf_append_format(out, " %u%% (about %" PRIu64 " s)" EVENT_END, percent, (ready_ms + 999) / 1000);
    events_send(http, out);
}

/* --- Gone --- */

/* The executor forgets the call; what is left is to end the exchange and free. */
static void http_call_abandon(struct http_call *http, int status, const char *outcome) {
    struct call *call = &http->call;
    call_abandon(call);
    if (http->stored.len > 0) {
        claim_linger(http->claim); /* its settlement goes on, and the answer into the store with it */
    }
    if (call->hook != NULL) {
        call->hook->kind->gone(call->hook);
    }
    log_end(http, status, outcome, NULL);
    http_call_unlink(http);
}

static void on_gone(void *user) {
    enum { CLIENT_CLOSED = 499 }; /* nginx's word for it; for the log only */
    struct http_call *http = user;
    http_call_abandon(http, CLIENT_CLOSED, "abandoned");
    http_call_free(http);
}

/* --- The sink --- */

static void accepted(struct call *call) {
    struct http_call *http = http_call_of(call);
    if (http->streamed) {
        stream_begin(http);
    }
}

static void note(struct call *call, const struct call_note *note) {
    struct http_call *http = http_call_of(call);
    if (!http->streamed || http->format->lines) {
        return;
    }
    stream_begin(http);
    struct buf *out = respond_buffer(http->request->api);
    buf_append_cstr(out, ": ");
    buf_append_str(out, note->comment);
    buf_append_cstr(out, EVENT_END);
    http->format->note(&http->stream, note->nataris, out);
    events_send(http, out);
}

static enum call_delivery deliver_event(struct http_call *http, struct str text) {
    stream_begin(http);
    stream_write_text(http, text);
    buf_append_str(&http->call.text, text); /* past its limit it can be neither stored nor continued */
    if (http_exchange_unsent(http->exchange) <= LIMIT_STREAM_BACKLOG_BYTES) {
        return CALL_DELIVERED;
    }
    http_call_abandon(http, 200, "slow_reader");
    http_stream_abort(http->exchange);
    http_call_free(http);
    return CALL_DELIVER_CUT;
}

static enum call_delivery deliver(struct call *call, struct str text) {
    struct http_call *http = http_call_of(call);
    if (http->streamed) {
        return deliver_event(http, text);
    }
    /* No honest device says so much in the tokens a request may ask for. */
    return buf_append_str(&call->text, text) ? CALL_DELIVERED : CALL_DELIVER_TOO_LONG;
}

/* For a retry that asks for the same answer. */
static bool claimed_to_store(struct http_call *http, const struct answer *made, struct store_answer *answer) {
    if (http->claim == NULL) {
        return false;
    }
    if (http->streamed) {
        events_write_whole(&http->stream, made, &http->stored);
    } else {
        http->format->whole(made, &http->stored);
    }
    if (http->stored.overflow) {
        buf_clear(&http->stored);
        return false;
    }
    *answer = claim_answer(http->claim, http->streamed, buf_str(&http->stored), clock_wall_ms());
    return true;
}

/* For whoever asks for it by its id. */
static bool kept_to_store(struct http_call *http, const struct answer *made) {
    struct buf whole, output;
    if (!http->call.kept) {
        return false;
    }
    buf_init(&whole, LIMIT_ANSWER_BYTES);
    buf_init(&output, LIMIT_ANSWER_BYTES);
    http->format->whole(made, &whole);
    responses_write_output(made, &output);
    const bool fits = !whole.overflow && !output.overflow &&
                      kept_response_make(&http->call, http->history, buf_str(&whole), buf_str(&output), &http->kept,
                                         &http->kept_answer);
    buf_clear(&whole);
    buf_clear(&output);
    return fits;
}

static bool answer_to_store(struct call *call, const struct call_result *result, struct store_answer *answer) {
    struct http_call *http = http_call_of(call);
    if ((http->claim == NULL && !call->kept) || call->text.overflow) {
        return false;
    }
    const struct answer made = call_answer(call, result);
    const bool kept = kept_to_store(http, &made);
    if (claimed_to_store(http, &made, answer)) {
        answer->also = kept ? &http->kept_answer : NULL;
        return true;
    }
    if (kept) {
        *answer = http->kept_answer;
    }
    return kept;
}

static bool turn(struct call *call, const struct call_result *result, struct store_turn *turn) {
    return call->hook != NULL && call->hook->kind->turn(call->hook, call, result, turn);
}

/* What has not gone out yet of the text, the last events, and the end of the exchange. */
static void finish_stream(struct http_call *http, const struct call_result *result) {
    const struct str all = buf_str(&http->call.text);
    stream_begin(http);
    if (all.len > http->sent) {
        stream_write_text(http, (struct str){.data = all.data + http->sent, .len = all.len - http->sent});
    }
    stream_end_text(http);
    const struct answer made = call_answer(&http->call, result);
    struct buf *out = respond_buffer(http->request->api);
    http->format->end(&http->stream, &made, out);
    events_send(http, out);
    http_stream_end(http->exchange);
}

static void finish_whole(struct http_call *http, const struct call_result *result) {
    const struct answer made = call_answer(&http->call, result);
    struct respond_headers headers;
    struct buf *body = respond_buffer(http->request->api);
    http->format->whole(&made, body);
    respond_headers_init(&headers, http->request, STR("application/json"));
    if (http->repeated) {
        respond_headers_add(&headers, "Idempotent-Replayed", STR("true"));
    }
    respond_send(http->request, 200, &headers, buf_str(body));
}

static void finished(struct call *call, const struct call_result *result) {
    struct http_call *http = http_call_of(call);
    if (call->hook != NULL) {
        call->hook->kind->done(call->hook, call, result);
    }
    log_end(http, 200, "completed", &result->usage);
    http->repeated = result->repeated;
    http_call_unlink(http);
    if (http->streamed) {
        finish_stream(http, result);
    } else if (http->stored.len > 0) {
        respond_json(http->request, 200, buf_str(&http->stored));
    } else {
        finish_whole(http, result);
    }
    http_call_free(http);
}

/* Headers are out: one event that says what went wrong, and the end of the exchange. Its connection stays: the headers
 * have promised that, and a client may have its next request on the way. */
static void fail_stream(struct http_call *http, const struct fault *fault) {
    struct buf *out = respond_buffer(http->request->api);
    events_write_broken(&http->stream, fault, out);
    events_send(http, out);
    http_stream_end(http->exchange);
}

static void failed(struct call *call, const struct fault *fault) {
    struct http_call *http = http_call_of(call);
    log_end(http, http->headers_sent ? 200 : http->request->envelope->status(fault), fault_name(fault->code), NULL);
    http_call_unlink(http);
    if (http->headers_sent) {
        fail_stream(http, fault);
    } else {
        respond_fault(http->request, fault);
    }
    http_call_free(http);
}

static const struct call_sink http_sink = {.accepted = accepted,
                                           .note = note,
                                           .deliver = deliver,
                                           .answer = answer_to_store,
                                           .turn = turn,
                                           .finished = finished,
                                           .failed = failed};

/* --- Its start --- */

static struct http_call *http_call_new(struct api_request *request, struct draft *draft, const struct format *format) {
    const struct call_input *input = &draft->input;
    struct http_call *http = MEM_NEW(struct http_call);
    struct call *call = &http->call;
    http->exchange = request->exchange;
    http->request = request;
    http->format = format;
    http->streamed = input->stream;
    http->last_write_ms = request->started_ms;
    buf_init(&http->stored, LIMIT_ANSWER_BYTES);
    buf_init(&http->kept, LIMIT_ANSWER_BYTES);
    http->history = input->history;
    call->identity = request->identity;
    call->generation = input->request;
    call->label = input->label;
    call->ignored = input->ignored;
    call->echo = input->echo;
    call->kept = kept_response_wanted(&request->identity, input->history);
    call->tools = input->tools;
    call->prompts = input->prompts;
    if (call->tools != NULL) {
        reply_init(&http->reply, call->tools->names, call->tools->one_call);
    }
    call->asked = http_exchange_request(request->exchange)->body;
    memcpy(call->region, input->region, sizeof(call->region));
    call->verified = input->verified;
    call_init(call, draft->calls, &http_sink, draft->arena);
    if (draft->counted > 0 && draft->counted < call->prompt_tokens_max) {
        call->prompt_tokens_enough = call->prompt_tokens_likely = draft->counted;
    }
    call->started_ms = request->started_ms;
    memcpy(call->request_id, request->id, sizeof(call->request_id));
    id_make(format->id_prefix, call->created_ms, call->id);
    call->purpose = STORE_PURPOSE_REQUEST;
    call->kind = format->stored;
    http->claim = draft->claim;
    draft->claim = NULL;
    call->hook = draft->hook;
    draft->hook = NULL;
    return http;
}

void http_call_start(struct api_request *request, struct draft *draft, const struct format *format,
                     const struct executor *executor, void *executor_data) {
    struct http_call *http = http_call_new(request, draft, format);
    struct call *call = &http->call;
    const struct answer empty = {.id = call->id,
                                 .model = call->generation.model,
                                 .prompts = call->prompts,
                                 .created_ms = call->created_ms,
                                 .kept = call->kept,
                                 .echo = call->echo};
    if (http->streamed && !events_prepare(&http->stream, format, &empty, draft->input.include_usage, call->arena,
                                          respond_buffer(request->api))) {
        struct fault fault;
        http_call_free(http);
        fault_set_too_large(&fault);
        respond_fault(request, &fault);
        return;
    }
    http->stream.prompt_tokens = call->prompt_tokens_likely;
    call->executor = executor;
    call->executor_data = executor_data;
    request->logged_as_call = true;
    http_call_link(http);
    http_exchange_on_gone(http->exchange, on_gone, http);
    call_submit(call); /* the call may be gone when this returns */
}

void http_call_replay(struct api_request *request, const struct store_answer *answer) {
    struct respond_headers headers;
    if (answer->stream) {
        stream_headers_init(&headers, request, true);
    } else {
        respond_headers_init(&headers, request, STR("application/json"));
        respond_headers_add(&headers, "Idempotent-Replayed", STR("true"));
    }
    respond_send(request, 200, &headers, answer->content);
}

/* --- While it waits --- */

/* While no device has begun to answer: the first at once, then as long as there is something to tell. */
static bool tell_progress(struct http_call *http, uint64_t now_ms) {
    const struct call_backend *backend = &http->call.calls->backend;
    uint32_t percent = 0;
    if (http->call.text.len > 0 || backend->ready_in_ms == NULL || now_ms < http->progress_ms) {
        return false;
    }
    const uint64_t ready_ms = backend->ready_in_ms(backend->context, http->call.generation.model, &percent);
    http->progress_ms = now_ms + PROGRESS_MS;
    if (ready_ms == 0 || ready_ms == UINT64_MAX) {
        return false;
    }
    write_progress(http, percent, ready_ms);
    return true;
}

static void tick_stream(struct http_call *http, uint64_t now_ms) {
    if (!http->headers_sent && now_ms + TICK_MS <= http->call.started_ms + HEADERS_MS) {
        return;
    }
    stream_begin(http);
    if (!tell_progress(http, now_ms) && now_ms >= http->last_write_ms + LIMIT_STREAM_KEEPALIVE_MS) {
        write_keep_alive(http);
    }
}

void http_calls_tick(struct api *api, uint64_t now_ms) {
    struct http_call *http;
    if (api->http_calls == NULL) {
        api->ticking = false;
        loop_timer_stop(api->tick);
        return;
    }
    DL_FOREACH (api->http_calls, http) {
        if (http->streamed) {
            tick_stream(http, now_ms);
        }
    }
}

void http_calls_tick_due(void *context) {
    struct api *api = context;
    http_calls_tick(api, loop_now_ms(api->calls->loop));
}
