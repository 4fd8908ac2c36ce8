#include "provider/leave.h"

#include "base/file.h"
#include "link/client.h"
#include "net/ws_url.h"
#include "provider/device_key.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BACKOFF_MIN_MS = 200, BACKOFF_MAX_MS = 1000 };

/* The gateway's word for a device that is out, by whichever way (docs/PROTOCOL.md "Leaving"). */
static const char OUT[] = "removed from the network";

struct leave {
    struct link_client *link;
    struct loop_timer *timer;
    struct loop *loop;
    bool out, ending;
    struct err why; /* what was heard last */
};

static void on_closed(void *context) {
    struct leave *leave = context;
    loop_timer_free(leave->timer);
}

static void end(struct leave *leave) {
    if (!leave->ending) {
        leave->ending = true;
        loop_timer_stop(leave->timer);
        link_client_close(leave->link, on_closed, leave);
    }
}

static void on_ready(void *context, const char *provider_id) {
    struct leave *leave = context;
    (void)provider_id;
    link_client_send_word(leave->link, LINK_LEAVE);
}

static void on_status_due(void *context) {
    (void)context; /* it offers nothing any more */
}

static void on_job(void *context, uint64_t job, const struct gen_request *request) {
    (void)context;
    (void)job;
    (void)request;
}

static void on_cancel(void *context, uint64_t job) {
    (void)context;
    (void)job;
}

static void on_drain(void *context) {
    (void)context;
}

/* The timer ends what is refused, too: a link must not be closed from inside its own event. */
static void on_lost(void *context, const char *reason, bool fatal) {
    struct leave *leave = context;
    leave->out = leave->out || strstr(reason, OUT) != NULL;
    (void)err_set(&leave->why, fatal ? ERR_DENIED : ERR_UNAVAILABLE, "the gateway %s: %s",
                  fatal ? "refuses this device" : "did not confirm", reason);
    if (fatal) {
        loop_timer_start(leave->timer, 0, 0);
    }
}

static void on_time(void *context) {
    end(context);
}

static const struct link_client_events EVENTS = {.on_ready = on_ready,
                                                 .on_status_due = on_status_due,
                                                 .on_job = on_job,
                                                 .on_cancel = on_cancel,
                                                 .on_drain = on_drain,
                                                 .on_lost = on_lost};

static bool tell(const struct leave_options *options, struct link_client_config *config, struct err *err) {
    struct leave leave = {.loop = loop_new()};
    leave.timer = loop_timer_new(leave.loop, on_time, &leave);
    (void)err_set(&leave.why, ERR_UNAVAILABLE, "the gateway did not confirm; it may be too old to know how");
    const bool begun = link_client_new(&leave.link, leave.loop, config, &EVENTS, &leave, err);
    if (begun) {
        loop_timer_start(leave.timer, options->wait_ms, 0);
    } else {
        loop_timer_free(leave.timer);
    }
    loop_run(leave.loop);
    loop_free(leave.loop);
    return begun && (leave.out || err_set(err, leave.why.code, "%s", leave.why.message));
}

bool leave_network(const struct leave_options *options, struct err *err) {
    char path[FILE_PATH_MAX];
    struct ws_url url;
    struct link_client_config config = {.url = options->gateway_url,
                                        .join_token = "",
                                        .device = {.name = STR("leaving"), .agent = STR("nataris/" NATARIS_VERSION)},
                                        .backoff_min_ms = BACKOFF_MIN_MS,
                                        .backoff_max_ms = BACKOFF_MAX_MS};
    if (!file_join(path, options->data_folder, "device_key", err)) {
        return false;
    }
    if (access(path, F_OK) != 0) {
        return err_set(err, ERR_NOT_FOUND, "%s is not there: no device of this folder has joined a network", path);
    }
    if (!device_key_load(options->data_folder, config.private_key, err) ||
        !ws_url_parse(&url, options->gateway_url, err) ||
        (url.secure && !tls_context_new_client(&config.tls, options->ca_file, err))) {
        return false;
    }
    const bool out = tell(options, &config, err);
    if (config.tls != NULL) {
        tls_context_free(config.tls);
    }
    return out && (unlink(path) == 0 || err_set_errno(err, errno, "it has left, but %s cannot be removed", path));
}
