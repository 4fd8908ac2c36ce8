#include "net/http_client.h"

#include "base/mem.h"
#include "net/curl_loop.h"
#include "net/deadline.h"
#include "net/lookup_queue.h"
#include "net/web_url.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

_Static_assert((int)HTTP_CLIENT_DETAIL_MAX >= (int)CURL_ERROR_SIZE, "libcurl's words fit");

struct http_client {
    struct loop *loop;
    struct curl_loop *curl;
    address_allowed *allowed;
    struct lookup_queue *lookups;
    struct http_transfer *transfers;
    size_t count;
};

enum transfer_state {
    TRANSFER_STARTING,  /* it begins at the end of this iteration */
    TRANSFER_LOOKUP,    /* the host's name is looked up */
    TRANSFER_RUNNING,   /* libcurl has it */
    TRANSFER_PAUSED,    /* likewise, and holds back a piece of the body */
    TRANSFER_ENDED,     /* on_end is due at the end of this iteration */
    TRANSFER_CANCELLED, /* its memory goes at the end of this iteration */
};

struct http_transfer {
    struct http_client *client; /* NULL: it has left it */
    enum transfer_state state;
    CURL *easy;
    struct curl_slist *headers, *pin;
    struct lookup_turn *lookup;    /* in TRANSFER_LOOKUP */
    uint64_t owner;                /* of the look-up */
    struct deadline deadline;      /* of the whole */
    struct loop_deferred deferred; /* end of the iteration: what its state says */
    const struct http_transfer_events *events;
    void *context;
    struct web_url url; /* of a client with `allowed` */
    uint64_t body_max, started_ms;
    unsigned whole_ms;
    size_t head_bytes;
    bool surplus;           /* there were too many when it was started */
    bool answered;          /* the answer's head is in the result */
    enum http_failure ours; /* why we broke it off, rather than libcurl */
    struct http_result result;
    struct http_transfer *next, *prev;
};

/* --- The end --- */

/* Nobody but libcurl may call back any more. */
static void transfer_hush(struct http_transfer *transfer) {
    if (transfer->lookup != NULL) {
        lookup_turn_cancel(transfer->lookup);
        transfer->lookup = NULL;
    }
    deadline_remove(loop_deadlines(transfer->client->loop), &transfer->deadline);
}

/* Nor libcurl. Not from inside its callbacks. */
static void transfer_detach(struct http_transfer *transfer) {
    transfer_hush(transfer);
    if (transfer->easy != NULL) {
        curl_loop_remove(transfer->client->curl, transfer->easy);
        curl_easy_cleanup(transfer->easy);
        transfer->easy = NULL;
    }
}

static void transfer_leave(struct http_transfer *transfer) {
    transfer_detach(transfer);
    DL_DELETE(transfer->client->transfers, transfer);
    transfer->client->count -= transfer->surplus ? 0 : 1;
    transfer->client = NULL;
}

static void transfer_free(struct http_transfer *transfer) {
    if (transfer->client != NULL) {
        transfer_leave(transfer);
    }
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->pin);
    free(transfer);
}

/* `detail` may be empty: then the reason stands there too. */
static void transfer_end(struct http_transfer *transfer, enum http_failure failure, const char *reason,
                         const char *detail) {
    struct http_result *result = &transfer->result;
    char words[HTTP_CLIENT_DETAIL_MAX];
    (void)snprintf(words, sizeof(words), "%s", detail[0] != '\0' ? detail : reason);
    transfer_detach(transfer); /* libcurl writes its words into the result until then */
    memcpy(result->detail, words, sizeof(words));
    result->failure = failure;
    result->reason = reason;
    result->took_ms = loop_now_ms(transfer->client->loop) - transfer->started_ms;
    transfer->state = TRANSFER_ENDED;
    loop_defer(transfer->client->loop, &transfer->deferred);
}

static void on_late(struct deadline *deadline) {
    struct http_transfer *transfer =
        (struct http_transfer *)((char *)deadline - offsetof(struct http_transfer, deadline));
    char detail[HTTP_CLIENT_DETAIL_MAX];
    (void)snprintf(detail, sizeof(detail), "there was no whole answer within %.3g seconds",
                   (double)transfer->whole_ms / 1000);
    transfer_end(transfer, HTTP_FAILURE_TIME, "there was no whole answer in time", detail);
}

/* --- libcurl's callbacks --- */

static void learn_answer(struct http_transfer *transfer) {
    struct http_answer *answer = &transfer->result.answer;
    long status = 0;
    curl_off_t length = -1, retry_after_s = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    answer->status = (int)status;
    answer->length = length;
    answer->retry_after_ms = retry_after_s < 0 || retry_after_s > 1000000 ? 0 : (int64_t)retry_after_s * 1000;
    transfer->answered = true;
}

static void learn_date(struct http_answer *answer, struct str line) {
    struct str name, value;
    char text[64];
    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r')) {
        line.len--;
    }
    if (str_split(line, ':', &name, &value) && str_equal_nocase(name, STR("date")) &&
        str_copy(text, sizeof(text), str_trim(value))) {
        const time_t date = curl_getdate(text, NULL);
        answer->date_s = date > 0 ? (int64_t)date : 0;
    }
}

/* A line of a head; the first is its status line. */
static size_t on_header(char *data, size_t one, size_t len, void *context) {
    struct http_transfer *transfer = context;
    const struct str line = {data, len};
    (void)one; /* always 1 */
    transfer->head_bytes += len;
    if (str_starts_with(line, STR("HTTP/"))) {
        transfer->result.answer.date_s = 0;
    }
    learn_date(&transfer->result.answer, line);
    if (transfer->head_bytes > HTTP_CLIENT_HEAD_MAX) {
        transfer->ours = HTTP_FAILURE_OTHER;
        return 0;
    }
    return len;
}

static size_t on_body(char *data, size_t one, size_t len, void *context) {
    struct http_transfer *transfer = context;
    struct http_result *result = &transfer->result;
    (void)one; /* always 1 */
    if (transfer->state == TRANSFER_CANCELLED) {
        return 0;
    }
    if (!transfer->answered) {
        learn_answer(transfer);
    }
    if (len > transfer->body_max - result->body_bytes) {
        transfer->ours = HTTP_FAILURE_TOO_LARGE;
        return 0;
    }
    const enum http_verdict verdict =
        transfer->events->on_body == NULL
            ? HTTP_BODY_TAKEN
            : transfer->events->on_body(transfer->context, &result->answer, (struct str){data, len});
    switch (verdict) {
    case HTTP_BODY_TAKEN:
        result->body_bytes += len;
        return transfer->state == TRANSFER_CANCELLED ? 0 : len;
    case HTTP_BODY_PAUSE:
        transfer->state = transfer->state == TRANSFER_RUNNING ? TRANSFER_PAUSED : transfer->state;
        return CURL_WRITEFUNC_PAUSE;
    case HTTP_BODY_STOP:
        break;
    }
    transfer->ours = HTTP_FAILURE_STOPPED;
    return 0;
}

/* The last word on every address: whatever became of the name, no socket is made to another one. */
static curl_socket_t on_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    struct http_transfer *transfer = context;
    address_allowed *allowed = transfer->client->allowed;
    if (purpose != CURLSOCKTYPE_IPCXN || (allowed != NULL && !allowed(&address->addr))) {
        transfer->ours = HTTP_FAILURE_ADDRESS;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* --- How libcurl says that it is over --- */

static void on_done(void *private, CURLcode code) {
    struct http_transfer *transfer = private;
    long os_error = 0;
    if (transfer->state == TRANSFER_CANCELLED) {
        return;
    }
    learn_answer(transfer);
    curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os_error);
    const bool ours =
        transfer->ours != HTTP_FAILURE_NONE && (code == CURLE_WRITE_ERROR || code == CURLE_COULDNT_CONNECT);
    const enum http_failure failure = ours ? transfer->ours : http_failure_of((int)code);
    const char *reason = http_failure_reason(failure, ours, (int)code);
    transfer->result.os_error = failure == HTTP_FAILURE_CONNECT ? (int)os_error : 0;
    transfer_end(transfer, failure, reason, ours || code == CURLE_OK ? "" : transfer->result.detail);
}

/* --- The beginning --- */

static void transfer_run(struct http_transfer *transfer) {
    if (curl_loop_add(transfer->client->curl, transfer->easy)) {
        transfer->state = TRANSFER_RUNNING;
    } else {
        transfer_end(transfer, HTTP_FAILURE_OTHER, "libcurl does not take it", "");
    }
}

static void on_addresses(void *context, const char *addresses, const struct err *err) {
    struct http_transfer *transfer = context;
    char pin[WEB_URL_HOST_MAX + ADDRESS_LOOKUP_TEXT_MAX + 16];
    transfer->lookup = NULL;
    if (addresses == NULL) {
        const enum http_failure failure = err->code == ERR_DENIED ? HTTP_FAILURE_ADDRESS : HTTP_FAILURE_NAME;
        transfer_end(transfer, failure, http_failure_reason(failure, true, CURLE_OK), "");
        return;
    }
    /* "+": libcurl forgets it after a minute; strangers have many names. */
    (void)snprintf(pin, sizeof(pin), "+%s:%u:%s", transfer->url.host, transfer->url.port, addresses);
    transfer->pin = curl_slist_append(NULL, pin);
    curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->pin);
    transfer_run(transfer);
}

static void transfer_begin(struct http_transfer *transfer) {
    struct http_client *client = transfer->client;
    if (transfer->surplus) {
        transfer_end(transfer, HTTP_FAILURE_OTHER, "there are too many transfers at once", "");
    } else if (transfer->easy == NULL) {
        transfer_end(transfer, HTTP_FAILURE_OTHER, "libcurl does not start", "");
    } else if (client->allowed == NULL || transfer->url.is_address) {
        transfer_run(transfer);
    } else if (transfer->url.host[0] == '\0') {
        transfer_end(transfer, HTTP_FAILURE_REQUEST, "the URL is none that is understood", transfer->result.detail);
    } else {
        transfer->state = TRANSFER_LOOKUP;
        transfer->lookup = lookup_queue_ask(client->lookups, transfer->owner, transfer->url.host, client->allowed,
                                            on_addresses, transfer);
    }
}

/* What was held back comes from inside, and libcurl forgets what became of it there. */
static void transfer_unpause(struct http_transfer *transfer) {
    const CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
    if (code != CURLE_OK) {
        on_done(transfer, code);
    }
}

static void on_deferred(struct loop_deferred *deferred) {
    struct http_transfer *transfer =
        (struct http_transfer *)((char *)deferred - offsetof(struct http_transfer, deferred));
    switch (transfer->state) {
    case TRANSFER_STARTING:
        transfer_begin(transfer);
        return;
    case TRANSFER_LOOKUP:
    case TRANSFER_PAUSED:
        return;
    case TRANSFER_RUNNING: /* http_transfer_resume */
        transfer_unpause(transfer);
        return;
    case TRANSFER_ENDED:
        transfer_leave(transfer);
        transfer->events->on_end(transfer->context, &transfer->result);
        break;
    case TRANSFER_CANCELLED:
        break;
    }
    transfer_free(transfer);
}

static void set_protocols(CURL *easy, bool plain) {
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, plain ? (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS) : CURLPROTO_HTTPS);
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTPS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* cancelling does not wait for a name server */
#endif
}

static void set_way(CURL *easy, const struct http_transfer_options *options) {
    if (!options->proxy) {
        curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* not the environment's either */
    }
    if (options->unix_path != NULL) {
        curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_path);
    }
    if (options->ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, options->ca_file);
    }
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, options->redirects_max > 0 ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)options->redirects_max);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)options->slow_bytes_per_s);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)options->slow_s);
}

static void set_request(struct http_transfer *transfer, const struct http_transfer_options *options) {
    CURL *easy = transfer->easy;
    char range[32];
    const bool post = options->method != NULL ? strcmp(options->method, "POST") == 0 : options->body.len > 0;
    curl_easy_setopt(easy, CURLOPT_URL, options->url);
    curl_easy_setopt(easy, CURLOPT_USERAGENT,
                     options->user_agent != NULL ? options->user_agent : "nataris/" NATARIS_VERSION);
    if (post || options->body.len > 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)options->body.len);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, options->body.len > 0 ? options->body.data : "");
    }
    if (options->method != NULL && !post) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, options->method);
    }
    if (options->from > 0) {
        /* Not CURLOPT_RESUME_FROM: that fails when the server knows no ranges and sends all. */
        (void)snprintf(range, sizeof(range), "%" PRIu64 "-", options->from);
        curl_easy_setopt(easy, CURLOPT_RANGE, range);
    }
    transfer->headers = curl_slist_append(NULL, "Expect:"); /* nobody waits for a "100 Continue" */
    for (size_t i = 0; options->headers != NULL && options->headers[i] != NULL; i++) {
        transfer->headers = curl_slist_append(transfer->headers, options->headers[i]);
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_callbacks(struct http_transfer *transfer) {
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); /* signals and threads do not mix */
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->result.detail);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

static void read_url(struct http_transfer *transfer, const struct http_transfer_options *options) {
    struct err err;
    if (!web_url_parse(str_from(options->url), options->plain, &transfer->url, &err)) {
        transfer->url = (struct web_url){0};
        (void)snprintf(transfer->result.detail, sizeof(transfer->result.detail), "%s", err.message);
    }
}

struct http_transfer *http_transfer_start(struct http_client *client, const struct http_transfer_options *options,
                                          const struct http_transfer_events *events, void *context) {
    assert(options->whole_ms > 0 || options->slow_s > 0);
    assert(client->allowed == NULL || !options->proxy);
    struct http_transfer *transfer = MEM_NEW(struct http_transfer);
    transfer->client = client;
    transfer->easy = curl_easy_init();
    transfer->events = events;
    transfer->context = context;
    transfer->body_max = options->body_max;
    transfer->whole_ms = options->whole_ms;
    transfer->owner = options->owner;
    transfer->started_ms = loop_now_ms(client->loop);
    transfer->deadline.expired = on_late;
    transfer->deferred.run = on_deferred;
    transfer->result.answer.length = -1;
    transfer->surplus = client->count == HTTP_CLIENT_TRANSFERS_MAX;
    DL_APPEND(client->transfers, transfer);
    client->count += transfer->surplus ? 0 : 1;
    if (transfer->easy != NULL) {
        set_protocols(transfer->easy, options->plain);
        set_way(transfer->easy, options);
        set_request(transfer, options);
        set_callbacks(transfer);
    }
    if (client->allowed != NULL) {
        read_url(transfer, options);
    }
    if (options->whole_ms > 0) {
        deadline_set(loop_deadlines(client->loop), &transfer->deadline, options->whole_ms);
    }
    loop_defer(client->loop, &transfer->deferred);
    return transfer;
}

void http_transfer_resume(struct http_transfer *transfer) {
    if (transfer->state == TRANSFER_PAUSED) {
        transfer->state = TRANSFER_RUNNING;
        loop_defer(transfer->client->loop, &transfer->deferred);
    }
}

void http_transfer_cancel(struct http_transfer *transfer) {
    transfer_hush(transfer);
    transfer->state = TRANSFER_CANCELLED;
    loop_defer(transfer->client->loop, &transfer->deferred);
}

/* --- Life --- */

bool http_client_new(struct http_client **out, struct loop *loop, address_allowed *allowed, struct err *err) {
    struct curl_loop *curl;
    *out = NULL;
    if (!curl_loop_new(&curl, loop, on_done, err)) {
        return false;
    }
    *out = MEM_NEW(struct http_client);
    (*out)->loop = loop;
    (*out)->curl = curl;
    (*out)->allowed = allowed;
    (*out)->lookups = lookup_queue_new(loop, LOOKUP_SLOW_MS);
    return true;
}

void http_client_free(struct http_client *client) {
    struct http_transfer *transfer, *next;
    if (client == NULL) {
        return;
    }
    DL_FOREACH_SAFE (client->transfers, transfer, next) {
        http_transfer_cancel(transfer);
        transfer_leave(transfer); /* its memory goes when the loop turns */
    }
    lookup_queue_free(client->lookups);
    curl_loop_free(client->curl);
    free(client);
}
