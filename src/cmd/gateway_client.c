#include "cmd/gateway_client.h"

#include "net/ws_url.h"

#include <curl/curl.h>
#include <stdio.h>

enum { CONNECT_TIMEOUT_S = 10, REPLY_TIMEOUT_S = 30, KEY_TEXT_SIZE = 256, PATH_MAX_BYTES = 512 };

struct question {
    char url[sizeof(((struct ws_url *)0)->authority) + PATH_MAX_BYTES];
    char authorization[KEY_TEXT_SIZE];
    char words[CURL_ERROR_SIZE];
    long status;
};

static size_t on_body(char *data, size_t one, size_t len, void *context) {
    struct admin_reply *reply = context;
    (void)one; /* always 1 */
    return buf_append(&reply->text, data, len) ? len : 0;
}

/* No redirect is followed: the key is for this gateway alone. */
static CURLcode ask(const struct gateway_client *client, struct question *question, struct admin_reply *reply) {
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, question->authorization);
    CURLcode code = CURLE_FAILED_INIT;
    if (curl != NULL && headers != NULL) {
        curl_easy_setopt(curl, CURLOPT_URL, question->url);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, question->words);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*"); /* as the provider's link, which knows no proxies */
        curl_easy_setopt(curl, CURLOPT_USERAGENT, "nataris/" NATARIS_VERSION);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REPLY_TIMEOUT_S);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
        if (client->ca_file != NULL) {
            curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file);
        }
        code = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &question->status);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return code;
}

static bool prepare(const struct gateway_client *client, const char *path, struct question *question, struct err *err) {
    struct ws_url parsed;
    if (!ws_url_parse(&parsed, client->url, err)) {
        return false;
    }
    snprintf(question->url, sizeof question->url, "%s://%s%s", parsed.secure ? "https" : "http", parsed.authority,
             path);
    const struct str key = str_from(client->key);
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] <= ' ' || key.data[i] > '~') {
            return err_set(err, ERR_INVALID, "--key is no API key");
        }
    }
    return (size_t)snprintf(question->authorization, sizeof question->authorization, "Authorization: Bearer %s",
                            client->key) < sizeof question->authorization ||
           err_set(err, ERR_INVALID, "--key is no API key");
}

bool gateway_client_get(const struct gateway_client *client, const char *path, struct admin_reply *reply,
                        struct err *err) {
    struct question question = {0};
    admin_reply_init(reply);
    if (!prepare(client, path, &question, err)) {
        return false;
    }
    const CURLcode code = ask(client, &question, reply);
    if (code != CURLE_OK) {
        return err_set(err, ERR_UNAVAILABLE, "%s: %s", client->url,
                       question.words[0] != '\0' ? question.words : curl_easy_strerror(code));
    }
    return admin_reply_read(reply, (int)question.status, err);
}
