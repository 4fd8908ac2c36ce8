#include "webhook/http.h"

#include "base/mem.h"
#include "net/address_class.h"
#include "webhook/lookup.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

enum { HTTP_HEADERS_MAX = 64 * 1024, HTTP_KEPT_CONNECTIONS = 256 };

struct webhook_http {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer;
    bool lax;
    struct post *posts;
};

struct post {
    struct webhook_http *http;
    CURL *easy;
    struct curl_slist *headers, *resolve;
    struct webhook_lookup *lookup; /* NULL before and after it */
    struct loop_timer *timer;      /* of the whole */
    struct loop_deferred refused;  /* its URL was not understood */
    struct web_url url;
    char *url_text;
    struct str body;
    uint64_t started_ms;
    size_t header_bytes, body_bytes;
    bool cut; /* the answer was longer than what is read */
    struct webhook_answer answer;
    void (*on_answer)(void *context, const struct webhook_answer *answer);
    void *context;
    struct post *next, *prev;
};

/* --- The end --- */

static void post_free(struct post *post) {
    DL_DELETE(post->http->posts, post);
    if (post->lookup != NULL) {
        webhook_lookup_cancel(post->lookup);
    }
    if (post->easy != NULL) {
        curl_multi_remove_handle(post->http->multi, post->easy);
        curl_easy_cleanup(post->easy);
    }
    curl_slist_free_all(post->headers);
    curl_slist_free_all(post->resolve);
    loop_timer_free(post->timer);
    free(post->url_text);
    free(post);
}

static void post_end(struct post *post) {
    const struct webhook_answer answer = post->answer;
    void (*on_answer)(void *context, const struct webhook_answer *answer) = post->on_answer;
    void *context = post->context;
    const uint64_t took_ms = loop_now_ms(post->http->loop) - post->started_ms;
    post_free(post);
    struct webhook_answer told = answer;
    told.latency_ms = (uint32_t)took_ms;
    on_answer(context, &told);
}

static void post_fail(struct post *post, const char *why) {
    post->answer.status = 0;
    str_copy(post->answer.note, sizeof post->answer.note, str_from(why));
    post_end(post);
}

static void on_late(void *context) {
    struct post *post = context;
    post->answer.timed_out = true;
    post_fail(post, "there was no whole answer within 15 seconds");
}

static void on_refused(struct loop_deferred *deferred) {
    struct post *post = (struct post *)((char *)deferred - offsetof(struct post, refused));
    post_end(post);
}

/* --- libcurl's callbacks --- */

static size_t on_header(char *data, size_t size, size_t count, void *context) {
    struct post *post = context;
    (void)data;
    post->header_bytes += size * count;
    return post->header_bytes <= HTTP_HEADERS_MAX ? size * count : 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *context) {
    struct post *post = context;
    const size_t len = size * count, room = sizeof post->answer.body - post->answer.body_len;
    const size_t kept = len < room ? len : room;
    memcpy(post->answer.body + post->answer.body_len, data, kept);
    post->answer.body_len += kept;
    post->body_bytes += len;
    post->cut = post->body_bytes > WEBHOOK_HTTP_ANSWER_MAX;
    return post->cut ? 0 : len;
}

/* The last word on every address: whatever became of the name, no socket is made to another one. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    const struct post *post = context;
    if (purpose != CURLSOCKTYPE_IPCXN || (!post->http->lax && !address_is_global(&address->addr))) {
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- libcurl on the loop --- */

struct watch {
    uv_poll_t poll;
    struct webhook_http *http;
    curl_socket_t socket;
};

static void take_result(struct post *post, CURLcode code) {
    long status = 0;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(post->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(post->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    post->answer.retry_after_ms = retry_after_s < 0 || retry_after_s > 1000000 ? 0 : (int64_t)retry_after_s * 1000;
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && post->cut)) {
        post->answer.status = (int)status;
        post_end(post);
        return;
    }
    post->answer.timed_out = code == CURLE_OPERATION_TIMEDOUT;
    post_fail(post, curl_easy_strerror(code));
}

static void take_results(struct webhook_http *http) {
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(http->multi, &left)) != NULL) {
        struct post *post = NULL;
        const CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&post);
        if (message->msg == CURLMSG_DONE && post != NULL) {
            take_result(post, code);
        }
    }
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    const struct watch *watch = poll->data;
    struct webhook_http *http = watch->http;
    int running;
    const int flags = status < 0 ? CURL_CSELECT_ERR
                                 : ((events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) |
                                       ((events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
    curl_multi_socket_action(http->multi, watch->socket, flags, &running);
    take_results(http);
}

static void on_timer(void *context) {
    struct webhook_http *http = context;
    int running;
    curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    take_results(http);
}

static int set_timer(CURLM *multi, long after_ms, void *context) {
    struct webhook_http *http = context;
    (void)multi;
    if (after_ms < 0) {
        loop_timer_stop(http->timer);
    } else {
        loop_timer_start(http->timer, (uint64_t)after_ms, 0);
    }
    return 0;
}

static void on_watch_closed(uv_handle_t *handle) {
    free(handle->data);
}

static int set_watch(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned) {
    struct webhook_http *http = context;
    struct watch *watch = assigned;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            curl_multi_assign(http->multi, socket, NULL);
            uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        }
        return 0;
    }
    if (watch == NULL) {
        watch = MEM_NEW(struct watch);
        watch->http = http;
        watch->socket = socket;
        if (uv_poll_init_socket(loop_uv(http->loop), &watch->poll, socket) != 0) {
            free(watch);
            return -1;
        }
        watch->poll.data = watch;
        curl_multi_assign(http->multi, socket, watch);
    }
    const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

/* --- Sending --- */

static void set_options(struct post *post) {
    CURL *easy = post->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, post);
    curl_easy_setopt(easy, CURLOPT_URL, post->url_text);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, post->http->lax ? "http,https" : "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* the environment's is not ours */
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)WEBHOOK_HTTP_WHOLE_MS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "Nataris-Webhooks/1.0");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(easy, CURLOPT_RESOLVE, post->resolve);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body.data);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, post);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, post);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, post);
}

static void post_begin(struct post *post) {
    post->easy = curl_easy_init();
    if (post->easy == NULL) {
        post_fail(post, "out of memory");
        return;
    }
    set_options(post);
    curl_multi_add_handle(post->http->multi, post->easy);
}

static void on_addresses(void *context, const char *addresses, const struct err *err) {
    struct post *post = context;
    post->lookup = NULL;
    if (addresses == NULL) {
        post_fail(post, err->message);
        return;
    }
    char pin[WEB_URL_HOST_MAX + WEBHOOK_ADDRESSES_MAX + 16];
    (void)snprintf(pin, sizeof pin, "%s:%u:%s", post->url.host, post->url.port, addresses);
    post->resolve = curl_slist_append(NULL, pin);
    post_begin(post);
}

static void add_headers(struct post *post, const struct webhook_message *message) {
    static const char *const always[] = {"Content-Type: application/json", "Expect:"};
    for (size_t i = 0; i < COUNT_OF(always); i++) {
        post->headers = curl_slist_append(post->headers, always[i]);
    }
    for (size_t i = 0; i < COUNT_OF(message->headers); i++) {
        post->headers = curl_slist_append(post->headers, message->headers[i]);
    }
}

void webhook_http_post(struct webhook_http *http, const struct webhook_message *message,
                       void (*on_answer)(void *context, const struct webhook_answer *answer), void *context) {
    struct post *post = MEM_NEW(struct post);
    struct err err = {0};
    post->http = http;
    post->url_text = mem_strdup(message->url);
    post->body = message->body;
    post->started_ms = loop_now_ms(http->loop);
    post->on_answer = on_answer;
    post->context = context;
    post->timer = loop_timer_new(http->loop, on_late, post);
    loop_timer_start(post->timer, WEBHOOK_HTTP_WHOLE_MS, 0);
    DL_APPEND(http->posts, post);
    add_headers(post, message);
    if (!web_url_parse(str_from(message->url), http->lax, &post->url, &err)) {
        str_copy(post->answer.note, sizeof post->answer.note, str_from(err.message));
        post->refused.run = on_refused;
        loop_defer(http->loop, &post->refused);
    } else if (post->url.is_address) {
        post_begin(post);
    } else {
        post->lookup = webhook_lookup_start(http->loop, &post->url, http->lax, on_addresses, post);
    }
}

/* --- Life --- */

bool webhook_http_new(struct webhook_http **out, struct loop *loop, bool lax, struct err *err) {
    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    }
    CURLM *multi = curl_multi_init();
    if (multi == NULL) {
        curl_global_cleanup();
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    }
    struct webhook_http *http = MEM_NEW(struct webhook_http);
    http->loop = loop;
    http->lax = lax;
    http->multi = multi;
    http->timer = loop_timer_new(loop, on_timer, http);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)HTTP_KEPT_CONNECTIONS);
    *out = http;
    return true;
}

void webhook_http_free(struct webhook_http *http) {
    struct post *post, *next;
    if (http == NULL) {
        return;
    }
    DL_FOREACH_SAFE (http->posts, post, next) {
        post_free(post);
    }
    curl_multi_cleanup(http->multi);
    loop_timer_free(http->timer);
    curl_global_cleanup();
    free(http);
}
