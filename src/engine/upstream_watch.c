#include "engine/upstream_watch.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/web_url.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LIST_BYTES_MAX = 4 * 1024 * 1024, PATH_MAX_BYTES = WEB_URL_MAX + 32, KEY_MAX = 4096, WHY_MAX = 200 };

enum question { QUESTION_MODELS, QUESTION_PROPS };

struct upstream_watch {
    struct upstream_watch_options options;
    enum upstream_state state;
    enum question question;
    struct upstream_server server; /* as far as it is known */
    struct http_transfer *transfer;
    struct buf body;
    struct json_parser *json;
    struct loop_timer *timer;
    uint32_t pause_ms;
    bool told;  /* the state was, or its reason: once is enough for the log */
    bool again; /* it is to be asked once more, at once */
    bool late;  /* it had no time for the last question: servers that do one thing at a time are there all the same */
};

/* --- Where --- */

static bool key_is_clean(const char *key) {
    size_t length = 0;
    for (; key[length] != '\0'; length++) {
        if (key[length] <= ' ' || key[length] > '~' || length >= KEY_MAX) {
            return false;
        }
    }
    return length > 0;
}

bool upstream_address_init(struct upstream_address *address, const char *url, const char *key, const char *ca_file,
                           struct err *err) {
    struct web_url parsed;
    const struct str text = str_from(url);
    struct err why = {0};
    *address = (struct upstream_address){.url = url, .ca_file = ca_file};
    if (!web_url_parse(text, true, &parsed, &why)) {
        return err_set(err, ERR_INVALID, "the upstream's URL is none that is understood: %s", why.message);
    }
    if (memchr(text.data, '?', text.len) != NULL || text.data[text.len - 1] == '/') {
        return err_set(err, ERR_INVALID,
                       "the upstream's URL ends with what its paths stand below, such as http://127.0.0.1:11434/v1");
    }
    if (key != NULL && !key_is_clean(key)) {
        return err_set(err, ERR_INVALID, "the upstream's key has 1 to %d visible ASCII characters", KEY_MAX);
    }
    address->tls = parsed.tls;
    address->headers[0] = "Content-Type: application/json";
    if (key != NULL) {
        (void)snprintf(address->authorization, sizeof(address->authorization), "Authorization: Bearer %s", key);
        address->headers[1] = address->authorization;
        address->question_headers[0] = address->authorization;
    }
    return true;
}

/* --- What was found --- */

static void rest(struct upstream_watch *watch) {
    const bool there = watch->state == UPSTREAM_THERE;
    const uint32_t pause_ms = there ? UPSTREAM_WATCH_MS : watch->pause_ms;
    watch->pause_ms = there                                        ? UPSTREAM_AWAY_MIN_MS
                      : watch->pause_ms < UPSTREAM_AWAY_MAX_MS / 2 ? watch->pause_ms * 2
                                                                   : UPSTREAM_AWAY_MAX_MS;
    loop_timer_start(watch->timer, watch->again ? 0 : pause_ms, 0);
    watch->again = false;
}

static void found(struct upstream_watch *watch, enum upstream_state state, const char *why) {
    const struct upstream_watch_options *options = &watch->options;
    const bool changed = state != watch->state;
    if (changed || !watch->told) {
        watch->told = true;
        if (state == UPSTREAM_THERE) {
            LOG_INFO_EVENT("upstream.there", LOG_TEXT("model", options->model),
                           LOG_TEXT("kind", upstream_kind_name(watch->server.kind)));
        } else {
            LOG_WARN_EVENT("upstream.away", LOG_TEXT("model", options->model), LOG_TEXT("reason", why));
        }
    }
    watch->state = state;
    rest(watch);
    if (changed) {
        options->on_change(options->context, state, &watch->server, why);
    }
}

/* --- Questions --- */

static void ask(struct upstream_watch *watch, enum question question);

static bool parse(struct upstream_watch *watch, const struct http_result *result, struct json_value *root) {
    return result->failure == HTTP_FAILURE_NONE && result->answer.status == 200 &&
           json_parse(watch->json, buf_str(&watch->body), root, NULL);
}

static void on_models(struct upstream_watch *watch, const struct http_result *result) {
    struct json_value root;
    char why[WHY_MAX];
    const int status = result->answer.status;
    struct upstream_server listed;
    const bool late = result->failure == HTTP_FAILURE_TIME && watch->state == UPSTREAM_THERE && !watch->late;
    watch->late = late;
    if (late) {
        rest(watch);
    } else if (result->failure != HTTP_FAILURE_NONE) {
        (void)snprintf(why, sizeof(why), "it does not answer: %s", result->reason);
        found(watch, UPSTREAM_AWAY, why);
    } else if (status == 401 || status == 403) {
        found(watch, UPSTREAM_REFUSES, "the upstream refuses this device's key");
    } else if (!parse(watch, result, &root)) {
        (void)snprintf(why, sizeof(why), "GET /models there has no list of models (status %d)", status);
        found(watch, UPSTREAM_AWAY, why);
    } else if (!upstream_server_read_models(root, str_from(watch->options.model), &listed)) {
        found(watch, UPSTREAM_AWAY, "it does not have the model");
    } else if (watch->state == UPSTREAM_THERE) {
        found(watch, UPSTREAM_THERE, NULL);
    } else {
        watch->server = listed;
        ask(watch, QUESTION_PROPS);
    }
}

static void on_end(void *context, const struct http_result *result) {
    struct upstream_watch *watch = context;
    struct json_value root;
    watch->transfer = NULL;
    switch (watch->question) {
    case QUESTION_MODELS:
        on_models(watch, result);
        return;
    case QUESTION_PROPS:
        if (watch->server.kind == UPSTREAM_PLAIN && parse(watch, result, &root)) {
            (void)upstream_server_read_props(root, &watch->server);
        }
        found(watch, UPSTREAM_THERE, NULL);
        return;
    }
}

static enum http_verdict on_body(void *context, const struct http_answer *answer, struct str piece) {
    struct upstream_watch *watch = context;
    (void)answer;
    buf_append_str(&watch->body, piece);
    return HTTP_BODY_TAKEN;
}

/* llama-server has its properties beside /v1. */
static void make_url(const struct upstream_watch *watch, enum question question, char url[PATH_MAX_BYTES]) {
    struct str base = str_from(watch->options.address->url);
    const struct str version = STR("/v1");
    if (question == QUESTION_PROPS && base.len > version.len &&
        memcmp(base.data + base.len - version.len, version.data, version.len) == 0) {
        base.len -= version.len;
    }
    (void)snprintf(url, PATH_MAX_BYTES, "%.*s/%s", STR_ARG(base), question == QUESTION_PROPS ? "props" : "models");
}

static void ask(struct upstream_watch *watch, enum question question) {
    static const struct http_transfer_events EVENTS = {.on_body = on_body, .on_end = on_end};
    const struct upstream_address *address = watch->options.address;
    char url[PATH_MAX_BYTES];
    make_url(watch, question, url);
    watch->question = question;
    buf_reset(&watch->body);
    const struct http_transfer_options options = {.url = url,
                                                  .headers = address->question_headers,
                                                  .ca_file = address->ca_file,
                                                  .body_max = LIST_BYTES_MAX,
                                                  .whole_ms = UPSTREAM_LOOK_MS,
                                                  .connect_ms = UPSTREAM_CONNECT_MS,
                                                  .plain = true,
                                                  .proxy = address->tls};
    watch->transfer = http_transfer_start(watch->options.client, &options, &EVENTS, watch);
}

static void on_timer(void *context) {
    ask(context, QUESTION_MODELS);
}

/* --- Life --- */

struct upstream_watch *upstream_watch_new(const struct upstream_watch_options *options) {
    struct upstream_watch *watch = MEM_NEW(struct upstream_watch);
    watch->options = *options;
    watch->state = UPSTREAM_AWAY;
    watch->pause_ms = UPSTREAM_AWAY_MIN_MS;
    watch->json = json_parser_new(LIST_BYTES_MAX, LIMIT_JSON_DEPTH);
    watch->timer = loop_timer_new(options->loop, on_timer, watch);
    buf_init(&watch->body, LIST_BYTES_MAX);
    ask(watch, QUESTION_MODELS);
    return watch;
}

void upstream_watch_free(struct upstream_watch *watch) {
    if (watch == NULL) {
        return;
    }
    if (watch->transfer != NULL) {
        http_transfer_cancel(watch->transfer);
    }
    loop_timer_free(watch->timer);
    json_parser_free(watch->json);
    buf_clear(&watch->body);
    free(watch);
}

void upstream_watch_look(struct upstream_watch *watch) {
    if (watch->transfer != NULL) {
        watch->again = true;
    } else {
        loop_timer_start(watch->timer, 0, 0);
    }
}
