#include "net/curl_loop.h"

#include "base/mem.h"

#include <stdlib.h>

enum { CURL_LOOP_KEPT_CONNECTIONS = 256 };

struct curl_loop {
    struct loop *loop;
    CURLM *multi;
    struct loop_timer *timer;
    void (*on_done)(void *private, CURLcode code);
};

/* One of libcurl's sockets. */
struct curl_watch {
    uv_poll_t poll;
    struct curl_loop *curl;
    curl_socket_t socket;
};

static void tell_what_is_done(struct curl_loop *curl) {
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(curl->multi, &left)) != NULL) {
        const CURLcode code = message->data.result; /* the message goes with its handle */
        void *private = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&private);
        if (message->msg == CURLMSG_DONE && private != NULL) {
            curl->on_done(private, code);
        }
    }
}

static void act(struct curl_loop *curl, curl_socket_t socket, int flags) {
    int running;
    curl_multi_socket_action(curl->multi, socket, flags, &running);
    tell_what_is_done(curl);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
    const struct curl_watch *watch = poll->data;
    const int flags =
        ((events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0) | ((events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0);
    act(watch->curl, watch->socket, status < 0 ? CURL_CSELECT_ERR : flags);
}

static void on_timer(void *context) {
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timer(CURLM *multi, long after_ms, void *context) {
    struct curl_loop *curl = context;
    (void)multi;
    if (after_ms < 0) {
        loop_timer_stop(curl->timer);
    } else {
        loop_timer_start(curl->timer, (uint64_t)after_ms, 0);
    }
    return 0;
}

static void on_watch_closed(uv_handle_t *handle) {
    free(handle->data);
}

static struct curl_watch *watch_new(struct curl_loop *curl, curl_socket_t socket) {
    struct curl_watch *watch = MEM_NEW(struct curl_watch);
    watch->curl = curl;
    watch->socket = socket;
    if (uv_poll_init_socket(loop_uv(curl->loop), &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    curl_multi_assign(curl->multi, socket, watch);
    return watch;
}

static int set_watch(CURL *easy, curl_socket_t socket, int what, void *context, void *assigned) {
    struct curl_loop *curl = context;
    struct curl_watch *watch = assigned;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            curl_multi_assign(curl->multi, socket, NULL);
            uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        }
        return 0;
    }
    watch = watch != NULL ? watch : watch_new(curl, socket);
    if (watch == NULL) {
        return -1;
    }
    const int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) | ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    uv_poll_start(&watch->poll, events, on_poll);
    return 0;
}

bool curl_loop_new(struct curl_loop **out, struct loop *loop, void (*on_done)(void *private, CURLcode code),
                   struct err *err) {
    *out = NULL;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    }
    CURLM *multi = curl_multi_init();
    if (multi == NULL) {
        curl_global_cleanup();
        return err_set(err, ERR_INTERNAL, "libcurl does not start");
    }
    struct curl_loop *curl = MEM_NEW(struct curl_loop);
    curl->loop = loop;
    curl->multi = multi;
    curl->on_done = on_done;
    curl->timer = loop_timer_new(loop, on_timer, curl);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, set_watch);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, curl);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, curl);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)CURL_LOOP_KEPT_CONNECTIONS);
    *out = curl;
    return true;
}

void curl_loop_free(struct curl_loop *curl) {
    curl_multi_cleanup(curl->multi);
    loop_timer_free(curl->timer);
    curl_global_cleanup();
    free(curl);
}

bool curl_loop_add(struct curl_loop *curl, CURL *easy) {
    return curl_multi_add_handle(curl->multi, easy) == CURLM_OK;
}

void curl_loop_remove(struct curl_loop *curl, CURL *easy) {
    curl_multi_remove_handle(curl->multi, easy);
}
