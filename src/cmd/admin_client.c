#include "cmd/admin_client.h"

#include "api/admin.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

enum { REPLY_MAX = 8 * 1024 * 1024, REPLY_DEPTH = 8, CONNECT_TIMEOUT_S = 5, REPLY_TIMEOUT_S = 60 };

static const char ACTOR[] = "cli";

struct admin_call {
    const char *data_folder, *method, *path;
    struct str body;
    struct admin_reply *reply;
    int status;
};

bool admin_client_store_path(const char *data_folder, char out[FILE_PATH_MAX], struct err *err) {
    if (data_folder == NULL) {
        return err_set(err, ERR_INVALID, "--data DIR is needed: the gateway's data folder");
    }
    if (!file_join(out, data_folder, "nataris.db", err)) {
        return false;
    }
    return file_exists(out) ||
           err_set(err, ERR_NOT_FOUND, "%s is no data folder: start a gateway there first", data_folder);
}

/* --- Through the socket of a running gateway --- */

static size_t on_body(char *data, size_t one, size_t len, void *context) {
    struct buf *text = context;
    (void)one; /* always 1 */
    return buf_append(text, data, len) ? len : 0;
}

static bool set_options(CURL *curl, struct curl_slist *headers, const struct admin_call *call, const char *socket_path,
                        struct err *err) {
    char url[FILE_PATH_MAX];
    if ((size_t)snprintf(url, sizeof url, "http://localhost%s", call->path) >= sizeof url) {
        return err_set(err, ERR_INVALID, "the arguments are too long");
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REPLY_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &call->reply->text);
    if (call->body.len > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->body.len);
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, call->body.data);
    }
    return true;
}

enum socket_outcome { SOCKET_ANSWERED, SOCKET_NOBODY, SOCKET_FAILED };

static enum socket_outcome judge(CURL *curl, CURLcode code, struct admin_call *call, struct err *err) {
    long status = 0, os_error = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    if (code == CURLE_OK) {
        call->status = (int)status;
        return SOCKET_ANSWERED;
    }
    if (code == CURLE_COULDNT_CONNECT && (os_error == ECONNREFUSED || os_error == ENOENT)) {
        return SOCKET_NOBODY; /* the socket of a gateway that is gone */
    }
    err_set(err, ERR_UNAVAILABLE, "%s/admin.sock: %s%s", call->data_folder, curl_easy_strerror(code),
            code == CURLE_COULDNT_CONNECT ? "" : "; look whether it was done before you try again");
    return SOCKET_FAILED;
}

static enum socket_outcome call_gateway(struct admin_call *call, const char *socket_path, struct err *err) {
    enum socket_outcome outcome = SOCKET_FAILED;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "x-admin-actor: cli");
    if (curl == NULL || headers == NULL) {
        err_set(err, ERR_INTERNAL, "libcurl does not start");
    } else if (set_options(curl, headers, call, socket_path, err)) {
        outcome = judge(curl, curl_easy_perform(curl), call, err);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return outcome;
}

/* --- On the store itself --- */

static void on_answer(void *context, const struct admin_answer *answer) {
    struct admin_call *call = context;
    call->status = answer->status;
    buf_append_str(&call->reply->text, answer->body);
}

static void execute(void *context, const struct store_admin *action, admin_done *done, void *done_context) {
    struct store *store = context;
    store_admin(store, action, done, done_context);
}

static void on_broken(void *context, const struct err *err) {
    (void)context; /* the call that waits is told too */
    (void)err;
}

static void call_admin(struct admin_call *call, struct loop *loop, struct store *store) {
    const struct admin_backend backend = {.context = store, .execute = execute};
    const char *query = strchr(call->path, '?');
    const struct str path = str_from(call->path);
    const size_t path_len = query != NULL ? (size_t)(query - call->path) : path.len;
    const struct admin_request request = {.method = str_from(call->method),
                                          .path = {path.data, path_len},
                                          .query = str_from(query != NULL ? query + 1 : ""),
                                          .body = call->body,
                                          .actor = str_from(ACTOR)};
    struct admin *admin = admin_new(loop, store, &backend);
    admin_handle(admin, &request, on_answer, call);
    loop_run(loop); /* until the store has nothing left to answer */
    admin_free(admin);
}

static bool call_store(struct admin_call *call, struct err *err) {
    char path[FILE_PATH_MAX];
    struct store *store = NULL;
    if (!admin_client_store_path(call->data_folder, path, err)) {
        return false;
    }
    struct loop *loop = loop_new();
    const bool ok = store_open(&store, path, err) && store_start(store, loop_uv(loop), on_broken, NULL, err);
    if (ok) {
        call_admin(call, loop, store);
    }
    store_close(store);
    loop_run(loop);
    loop_free(loop);
    return ok;
}

/* --- Either --- */

static bool send_call(struct admin_call *call, struct err *err) {
    char socket_path[FILE_PATH_MAX];
    if (call->data_folder == NULL) {
        return err_set(err, ERR_INVALID, "--data DIR is needed: the gateway's data folder");
    }
    if (!file_join(socket_path, call->data_folder, "admin.sock", err)) {
        return false;
    }
    if (file_exists(socket_path)) {
        switch (call_gateway(call, socket_path, err)) {
        case SOCKET_ANSWERED:
            return true;
        case SOCKET_FAILED:
            return false;
        case SOCKET_NOBODY:
            break;
        }
    }
    return call_store(call, err);
}

/* The message of an error envelope. */
static bool refused(const struct admin_call *call, struct err *err) {
    struct json_value error, value;
    struct str message;
    if (json_get(call->reply->root, "error", &error) && json_get(error, "message", &value) &&
        json_as_str(value, &message)) {
        return err_set(err, ERR_INVALID, "%.*s", STR_ARG(message));
    }
    return err_set(err, ERR_INTERNAL, "the gateway answered with status %d", call->status);
}

bool admin_client_call(const char *data_folder, const char *method, const char *path, struct str body,
                       struct admin_reply *reply, struct err *err) {
    struct admin_call call = {.data_folder = data_folder, .method = method, .path = path, .body = body, .reply = reply};
    buf_init(&reply->text, REPLY_MAX);
    reply->parser = json_parser_new(REPLY_MAX, REPLY_DEPTH);
    if (!send_call(&call, err) || !json_parse(reply->parser, buf_str(&reply->text), &reply->root, err)) {
        return false;
    }
    return call.status < 400 || refused(&call, err);
}

void admin_reply_clear(struct admin_reply *reply) {
    json_parser_free(reply->parser);
    reply->parser = NULL;
    buf_clear(&reply->text);
}
