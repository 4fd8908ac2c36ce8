#include "provider/fetch_url.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CONNECT_TIMEOUT_S = 10, SLOW_BYTES_PER_S = 1024, SLOW_S = 30, REDIRECTS_MAX = 5 };
/* A try that brings fewer bytes than that is a poor one; so many of them in a row end it. A pause follows each. */
enum { GOOD_TRY_BYTES = 64 * 1024, POOR_TRIES_MAX = 6, PAUSE_MS = 250, PAUSE_PIECE_MS = 50 };

struct url_transfer {
    CURL *curl;
    struct part_file *part;
    struct fetch_control *control;
    const struct fetch_room *room;
    uint64_t bytes; /* 0: not known yet */
    struct err *err;
    bool came;     /* bytes came in this or an earlier try: the server is there and has the file */
    bool answered; /* the answer's status was looked at */
    bool failed;   /* by us, not by libcurl: err is set */
};

static bool is_loopback(struct str url) {
    static const char *const PREFIXES[] = {"http://127.0.0.1", "http://[::1]", "http://localhost"};
    for (size_t i = 0; i < COUNT_OF(PREFIXES); i++) {
        struct str prefix = str_from(PREFIXES[i]);
        if (str_starts_with(url, prefix) && url.len > prefix.len &&
            (url.data[prefix.len] == ':' || url.data[prefix.len] == '/')) {
            return memchr(url.data, '@', url.len) == NULL; /* "http://127.0.0.1:x@elsewhere/" is elsewhere */
        }
    }
    return false;
}

/* Nothing without an end is taken: it would fill the disk. */
static bool learn_size(struct url_transfer *transfer, curl_off_t length) {
    if (length <= 0) {
        return err_set(transfer->err, ERR_UNAVAILABLE, "the server does not say how long the file is");
    }
    transfer->bytes = transfer->part->size + (uint64_t)length;
    atomic_store(&transfer->control->bytes_total, transfer->bytes);
    return transfer->room->make(transfer->room->context, (uint64_t)length, transfer->err);
}

/* The status of the answer whose body begins. A server that knows no ranges sends the whole again. */
static bool look_at_answer(struct url_transfer *transfer) {
    long status = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    transfer->answered = true;
    if (status != 206 && transfer->part->size > 0 && !part_file_restart(transfer->part, transfer->err)) {
        return false;
    }
    return transfer->bytes > 0 || learn_size(transfer, length);
}

static size_t on_body(char *data, size_t one, size_t len, void *context) {
    struct url_transfer *transfer = context;
    (void)one; /* always 1 */
    bool worked = transfer->answered || look_at_answer(transfer);
    if (worked && transfer->part->size + len > transfer->bytes) {
        worked = err_set(transfer->err, ERR_INVALID, "the file there is longer than the expected %" PRIu64 " bytes",
                         transfer->bytes);
    }
    worked = worked && part_file_append(transfer->part, data, len, transfer->err);
    transfer->failed = !worked;
    transfer->came = true;
    atomic_store(&transfer->control->bytes_done, transfer->part->size);
    return worked ? len : 0;
}

static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up) {
    const struct url_transfer *transfer = context;
    (void)down_total, (void)down, (void)up_total, (void)up;
    return atomic_load(&transfer->control->cancelled) ? 1 : 0;
}

static void set_options(CURL *curl, const char *url, struct url_transfer *transfer, char *words) {
    bool loopback = is_loopback(str_from(url));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* signals and threads do not mix */
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "nataris/" NATARIS_VERSION);
    curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES_PER_S);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SLOW_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, loopback ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS, loopback ? (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS) : CURLPROTO_HTTPS);
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTPS);
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* cancelling does not wait for a name server */
#endif
    if (loopback) {
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    }
}

enum url_outcome { URL_DONE, URL_AGAIN, URL_FAILED };

/* Breaks after which going on where it stopped makes sense. A server that was there and now is not comes back, or this
 * machine's network does. */
static bool is_break(const struct url_transfer *transfer, CURLcode code) {
    if (transfer->came && (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)) {
        return true;
    }
    return code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING ||
           code == CURLE_OPERATION_TIMEDOUT || code == CURLE_SEND_ERROR || code == CURLE_HTTP2_STREAM;
}

static enum url_outcome judge(struct url_transfer *transfer, CURLcode code, uint64_t before, const char *words) {
    long status = 0;
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK) {
        return URL_DONE;
    }
    if (transfer->failed) {
        return URL_FAILED;
    }
    if (atomic_load(&transfer->control->cancelled)) {
        err_set(transfer->err, ERR_CLOSED, "stopped");
        return URL_FAILED;
    }
    err_set(transfer->err, ERR_UNAVAILABLE, "%s", words[0] != '\0' ? words : curl_easy_strerror(code));
    if (status == 416 && before > 0) { /* what we have is longer than the file there */
        return part_file_restart(transfer->part, transfer->err) ? URL_AGAIN : URL_FAILED;
    }
    return is_break(transfer, code) ? URL_AGAIN : URL_FAILED;
}

static enum url_outcome transfer_once(const char *url, struct url_transfer *transfer) {
    char words[CURL_ERROR_SIZE] = "";
    char range[32];
    uint64_t before = transfer->part->size;
    transfer->curl = curl_easy_init();
    if (transfer->curl == NULL) {
        err_set(transfer->err, ERR_INTERNAL, "libcurl does not start");
        return URL_FAILED;
    }
    transfer->answered = transfer->failed = false;
    set_options(transfer->curl, url, transfer, words);
    if (before > 0) {
        /* Not CURLOPT_RESUME_FROM: that fails when the server knows no ranges, where we begin again. */
        snprintf(range, sizeof range, "%" PRIu64 "-", before);
        curl_easy_setopt(transfer->curl, CURLOPT_RANGE, range);
    }
    CURLcode code = curl_easy_perform(transfer->curl);
    enum url_outcome outcome = judge(transfer, code, before, words);
    curl_easy_cleanup(transfer->curl);
    return outcome;
}

static void pause_a_while(const struct fetch_control *control, unsigned poor_tries) {
    for (unsigned ms = 0; ms < PAUSE_MS * poor_tries && !atomic_load(&control->cancelled); ms += PAUSE_PIECE_MS) {
        nanosleep(&(struct timespec){.tv_nsec = PAUSE_PIECE_MS * 1000000L}, NULL);
    }
}

static bool transfer_until_done(const char *url, struct url_transfer *transfer) {
    enum url_outcome outcome = URL_AGAIN;
    unsigned poor_tries = 0;
    while (outcome == URL_AGAIN && poor_tries < POOR_TRIES_MAX) {
        uint64_t before = transfer->part->size;
        pause_a_while(transfer->control, poor_tries);
        outcome = transfer_once(url, transfer);
        bool good = transfer->part->size >= before + GOOD_TRY_BYTES;
        poor_tries = good ? 0 : poor_tries + 1;
    }
    return outcome == URL_DONE;
}

bool fetch_url(const char *url, uint64_t bytes, struct part_file *part, const struct fetch_room *room,
               struct fetch_control *control, struct err *err) {
    struct url_transfer transfer = {.part = part, .control = control, .room = room, .bytes = bytes, .err = err};
    if (bytes > 0 && part->size > bytes && !part_file_restart(part, err)) {
        return false;
    }
    if (bytes > 0 && part->size == bytes) {
        return true; /* it was complete, but not yet checked, when the program ended */
    }
    if (bytes > 0 && !room->make(room->context, bytes - part->size, err)) {
        return false;
    }
    atomic_store(&control->bytes_done, part->size);
    atomic_store(&control->bytes_total, bytes);
    atomic_store(&control->transferring, true);
    bool worked = transfer_until_done(url, &transfer);
    atomic_store(&control->transferring, false);
    return worked;
}
