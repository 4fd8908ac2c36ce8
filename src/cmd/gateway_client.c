#include "cmd/gateway_client.h"

#include "net/http_question.h"
#include "net/ws_url.h"

#include <stdio.h>

enum { CONNECT_MS = 10 * 1000, REPLY_MS = 30 * 1000, KEY_TEXT_SIZE = 256, PATH_MAX_BYTES = 512 };

struct question {
    char url[sizeof(((struct ws_url *)0)->authority) + PATH_MAX_BYTES];
    char authorization[KEY_TEXT_SIZE];
};

static bool prepare(const struct gateway_client *client, const char *path, struct question *question, struct err *err) {
    struct ws_url parsed;
    if (!ws_url_parse(&parsed, client->url, err)) {
        return false;
    }
    snprintf(question->url, sizeof(question->url), "%s://%s%s", parsed.secure ? "https" : "http", parsed.authority,
             path);
    const struct str key = str_from(client->key);
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~') {
            return err_set(err, ERR_INVALID, "--key is no API key");
        }
    }
    return (size_t)snprintf(question->authorization, sizeof(question->authorization), "Authorization: Bearer %s",
                            client->key) < sizeof(question->authorization) ||
           err_set(err, ERR_INVALID, "--key is no API key");
}

/* No redirect is followed, since the key is for this gateway alone, and no proxy is used, as the provider's link knows
 * none. */
bool gateway_client_get(const struct gateway_client *client, const char *path, struct admin_reply *reply,
                        struct err *err) {
    struct question question = {0};
    struct http_result result;
    admin_reply_init(reply);
    if (!prepare(client, path, &question, err)) {
        return false;
    }
    const char *const headers[] = {question.authorization, NULL};
    const struct http_transfer_options options = {.url = question.url,
                                                  .headers = headers,
                                                  .ca_file = client->ca_file,
                                                  .connect_ms = CONNECT_MS,
                                                  .whole_ms = REPLY_MS,
                                                  .plain = true};
    http_question_ask(&options, &reply->text, &result);
    if (result.failure != HTTP_FAILURE_NONE) {
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", client->url, result.detail);
    }
    return admin_reply_read(reply, result.answer.status, err);
}
