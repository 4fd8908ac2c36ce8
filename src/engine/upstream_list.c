#include "engine/upstream_list.h"

#include "base/buf.h"
#include "catalog/catalog.h"
#include "net/web_url.h"

#include <stdio.h>

enum { BODY_MAX = 4 * 1024 * 1024, URL_MAX = WEB_URL_MAX + 32 };

struct listing {
    struct loop *loop;
    struct buf body;
    struct err *err;
    bool answered;
};

static enum http_verdict on_body(void *context, const struct http_answer *answer, struct str piece) {
    struct listing *listing = context;
    (void)answer;
    buf_append_str(&listing->body, piece);
    return HTTP_BODY_TAKEN;
}

static void on_end(void *context, const struct http_result *result) {
    struct listing *listing = context;
    const int status = result->answer.status;
    loop_stop(listing->loop);
    if (result->failure != HTTP_FAILURE_NONE) {
        err_set(listing->err, ERR_UNAVAILABLE, "the upstream does not answer: %s", result->detail);
    } else if (status == 401 || status == 403) {
        err_set(listing->err, ERR_DENIED, "the upstream refuses the key");
    } else if (status != 200) {
        err_set(listing->err, ERR_UNAVAILABLE, "the upstream answers GET /models with status %d", status);
    } else {
        listing->answered = true;
    }
}

static bool ask(struct listing *listing, const struct upstream_address *address, struct err *err) {
    static const struct http_transfer_events EVENTS = {.on_body = on_body, .on_end = on_end};
    struct http_client *client;
    char url[URL_MAX];
    if (!http_client_new(&client, listing->loop, NULL, err)) {
        return false;
    }
    (void)snprintf(url, sizeof(url), "%s/models", address->url);
    const struct http_transfer_options options = {.url = url,
                                                  .headers = address->question_headers,
                                                  .ca_file = address->ca_file,
                                                  .body_max = BODY_MAX,
                                                  .whole_ms = UPSTREAM_LOOK_MS,
                                                  .connect_ms = UPSTREAM_CONNECT_MS,
                                                  .plain = true,
                                                  .proxy = address->tls};
    (void)http_transfer_start(client, &options, &EVENTS, listing);
    loop_run(listing->loop);
    http_client_free(client);
    return listing->answered;
}

static void add(struct upstream_list *list, struct str name) {
    if (list->count < LIMIT_LINK_MODELS && catalog_id_is_valid(name) &&
        str_copy(list->names[list->count], sizeof(list->names[0]), name)) {
        list->count++;
    } else {
        list->others++;
    }
}

static bool parse(struct upstream_list *list, struct str body, struct err *err) {
    struct json_parser *parser = json_parser_new(BODY_MAX, LIMIT_JSON_DEPTH);
    struct json_value root, data, model, id;
    struct json_iterator iterator;
    struct str name;
    const bool good =
        json_parse(parser, body, &root, NULL) && json_get(root, "data", &data) && json_type_of(data) == JSON_ARRAY;
    if (good) {
        for (json_iterate(data, &iterator); json_next(&iterator, NULL, &model);) {
            if (json_get(model, "id", &id) && json_as_str(id, &name) && upstream_server_is_available(model)) {
                add(list, name);
            }
        }
    }
    json_parser_free(parser);
    return good || err_set(err, ERR_UNAVAILABLE, "what the upstream answers to GET /models is no list of models");
}

bool upstream_list_read(struct upstream_list *list, const struct upstream_address *address, struct err *err) {
    struct listing listing = {.loop = loop_new(), .err = err};
    *list = (struct upstream_list){0};
    buf_init(&listing.body, BODY_MAX);
    const bool read = ask(&listing, address, err) && parse(list, buf_str(&listing.body), err);
    loop_free(listing.loop);
    buf_clear(&listing.body);
    return read;
}

bool upstream_list_has(const struct upstream_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++) {
        if (upstream_server_is_named(str_from(list->names[i]), str_from(name))) {
            return true;
        }
    }
    return false;
}
