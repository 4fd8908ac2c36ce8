#include "cmd/socket_call.h"

#include "base/file.h"
#include "net/http_question.h"

#include <errno.h>
#include <stdio.h>

enum { CONNECT_MS = 5 * 1000, REPLY_MS = 60 * 1000 };

static enum socket_outcome judge(const struct socket_call *call, const struct http_result *result, int *status,
                                 struct err *err) {
    const bool connected = result->failure != HTTP_FAILURE_CONNECT;
    if (result->failure == HTTP_FAILURE_NONE) {
        *status = result->answer.status;
        return SOCKET_ANSWERED;
    }
    if (!connected && (result->os_error == ECONNREFUSED || result->os_error == ENOENT)) {
        return SOCKET_NOBODY;
    }
    err_set(err, ERR_UNAVAILABLE, "%s: %s%s", call->socket_path, result->reason,
            connected ? "; look whether it was done before you try again" : "");
    return SOCKET_FAILED;
}

enum socket_outcome socket_call(const struct socket_call *call, int *status, struct err *err) {
    const char *const headers[] = {"Content-Type: application/json", call->header, NULL};
    struct http_result result;
    char url[FILE_PATH_MAX];
    if (!file_exists(call->socket_path)) {
        return SOCKET_NOBODY;
    }
    if ((size_t)snprintf(url, sizeof(url), "http://localhost%s", call->path) >= sizeof(url)) {
        err_set(err, ERR_INVALID, "the arguments are too long");
        return SOCKET_FAILED;
    }
    const struct http_transfer_options options = {.method = call->method,
                                                  .url = url,
                                                  .unix_path = call->socket_path,
                                                  .headers = headers,
                                                  .body = call->body,
                                                  .connect_ms = CONNECT_MS,
                                                  .whole_ms = REPLY_MS,
                                                  .plain = true};
    http_question_ask(&options, call->reply, &result);
    return judge(call, &result, status, err);
}
