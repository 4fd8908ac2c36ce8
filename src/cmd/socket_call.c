#include "cmd/socket_call.h"

#include "base/file.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>

enum { CONNECT_TIMEOUT_S = 5, REPLY_TIMEOUT_S = 60 };

static size_t on_body(char *data, size_t one, size_t len, void *context) {
    struct buf *text = context;
    (void)one; /* always 1 */
    return buf_append(text, data, len) ? len : 0;
}

static bool set_options(CURL *curl, struct curl_slist *headers, const struct socket_call *call, struct err *err) {
    char url[FILE_PATH_MAX];
    if ((size_t)snprintf(url, sizeof url, "http://localhost%s", call->path) >= sizeof url) {
        return err_set(err, ERR_INVALID, "the arguments are too long");
    }
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->socket_path);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)REPLY_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call->reply);
    if (call->body.len > 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)call->body.len);
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, call->body.data);
    }
    return true;
}

static enum socket_outcome judge(CURL *curl, CURLcode code, const struct socket_call *call, int *status,
                                 struct err *err) {
    long answered = 0, os_error = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answered);
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
    if (code == CURLE_OK) {
        *status = (int)answered;
        return SOCKET_ANSWERED;
    }
    if (code == CURLE_COULDNT_CONNECT && (os_error == ECONNREFUSED || os_error == ENOENT)) {
        return SOCKET_NOBODY;
    }
    err_set(err, ERR_UNAVAILABLE, "%s: %s%s", call->socket_path, curl_easy_strerror(code),
            code == CURLE_COULDNT_CONNECT ? "" : "; look whether it was done before you try again");
    return SOCKET_FAILED;
}

enum socket_outcome socket_call(const struct socket_call *call, int *status, struct err *err) {
    enum socket_outcome outcome = SOCKET_FAILED;
    if (!file_exists(call->socket_path)) {
        return SOCKET_NOBODY;
    }
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (call->header != NULL) {
        headers = curl_slist_append(headers, call->header);
    }
    if (curl == NULL || headers == NULL) {
        err_set(err, ERR_INTERNAL, "libcurl does not start");
    } else if (set_options(curl, headers, call, err)) {
        outcome = judge(curl, curl_easy_perform(curl), call, status, err);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return outcome;
}
