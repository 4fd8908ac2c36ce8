#include "cmd/local_provider.h"

#include "base/environment.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A provider without a gateway ends within 2 s, its engines' children included. */
enum { KILL_AFTER_MS = 5000, ARGUMENTS_MAX = 20 + 4 * OPTION_LIST_MAX };

struct local_provider {
    struct loop *loop;
    const struct local_provider_options *options;
    struct local_provider_events events;
    void *context;
    char program[FILE_PATH_MAX];
    uv_process_t process;
    struct loop_timer *timer; /* to start it again, or to kill it */
    bool running;             /* the child lives */
    bool process_open;        /* its handle is not closed yet */
    bool settled, stopping;
};

static size_t add_list(char **arguments, size_t count, const char *name, const struct option_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        arguments[count++] = (char *)(uintptr_t)name;
        arguments[count++] = (char *)(uintptr_t)list->items[i];
    }
    return count;
}

static size_t add_text(char **arguments, size_t count, const char *name, const char *value) {
    const struct option_list list = {.items = {value}, .count = value != NULL ? 1 : 0};
    return add_list(arguments, count, name, &list);
}

static size_t fill_arguments(const struct local_provider *provider, char **arguments) {
    const struct local_provider_options *options = provider->options;
    const char *fixed[] = {provider->program,    "provider", "--gateway",     options->gateway_url, "--data",
                           options->data_folder, "--engine", options->engine, "--log-level",        options->log_level,
                           "--join-file",        "-",        "--with-parent"};
    size_t count = 0;
    for (; count < COUNT_OF(fixed); count++) {
        arguments[count] = (char *)(uintptr_t)fixed[count]; /* execve's argv is not const, yet never written to */
    }
    count = add_list(arguments, count, "--model", options->models);
    count = add_list(arguments, count, "--first-of", options->first_of);
    if (options->upstream != NULL) {
        count = add_text(arguments, count, "--url", options->upstream->url);
        count = add_text(arguments, count, "--upstream-key-file", options->upstream->key_file);
    }
    if (options->quiet) {
        arguments[count++] = (char *)(uintptr_t) "--quiet";
    }
    arguments[count] = NULL;
    return count;
}

/* Where its folders, python3 and certificates are, how it gets out of this network, and what a debug build wants.
 * Options meant for `up` are not the provider's; what else an owner has there (keys of other services) is nobody's. */
static char **make_environment(void) {
    static const char *const KEPT[] = {"HOME",
                                       "PATH",
                                       "TMPDIR",
                                       "TZ",
                                       "LANG",
                                       "LC_*",
                                       "XDG_*",
                                       "PIP_*",
                                       "http_proxy",
                                       "https_proxy",
                                       "all_proxy",
                                       "no_proxy",
                                       "HTTP_PROXY",
                                       "HTTPS_PROXY",
                                       "ALL_PROXY",
                                       "NO_PROXY",
                                       "SSL_CERT_FILE",
                                       "SSL_CERT_DIR",
                                       "REQUESTS_CA_BUNDLE",
                                       "CURL_CA_BUNDLE",
                                       "ASAN_OPTIONS",
                                       "LSAN_OPTIONS",
                                       "TSAN_OPTIONS",
                                       "UBSAN_OPTIONS",
                                       "NATARIS_MODELS",
                                       "NATARIS_SHARE",
                                       NULL};
    static const char *const EXTRA[] = {NULL};
    return environment_make(KEPT, EXTRA);
}

/* The reading end of a pipe that holds the token: arguments can be read by every user of the machine, the environment
 * by every process of this one and by what is started from there. A token is far shorter than a pipe is long. Negative:
 * no descriptor is left, and the provider says that it has no token if it still needs one. */
static int token_pipe(const char *token) {
    int ends[2];
    const size_t length = strlen(token);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return -1;
    }
    const bool written = write(ends[1], token, length) == (ssize_t)length;
    close(ends[1]);
    if (!written) {
        close(ends[0]);
        return -1;
    }
    fcntl(ends[0], F_SETFL, 0);
    return ends[0];
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal_number);
static void on_process_closed(uv_handle_t *handle);

static bool spawn(struct local_provider *provider, struct err *err) {
    char *arguments[ARGUMENTS_MAX];
    const int token = token_pipe(provider->options->join_token);
    uv_stdio_container_t stdio[3] = {{.flags = token >= 0 ? UV_INHERIT_FD : UV_IGNORE, .data.fd = token},
                                     {.flags = UV_INHERIT_FD, .data.fd = 2},
                                     {.flags = UV_INHERIT_FD, .data.fd = 2}};
    (void)fill_arguments(provider, arguments);
    char **environment = make_environment();
    const uv_process_options_t spawn_options = {.file = provider->program,
                                                .args = arguments,
                                                .env = environment,
                                                .exit_cb = on_process_exit,
                                                .stdio_count = COUNT_OF(stdio),
                                                .stdio = stdio};
    provider->process.data = provider;
    const int result = uv_spawn(loop_uv(provider->loop), &provider->process, &spawn_options);
    environment_free(environment);
    if (token >= 0) {
        close(token);
    }
    provider->process_open = true;
    if (result != 0) {
        uv_close((uv_handle_t *)&provider->process, on_process_closed); /* the loop knows it all the same */
        return err_set(err, ERR_IO, "cannot start the provider: %s", uv_strerror(result));
    }
    provider->running = true;
    return true;
}

static void finish(struct local_provider *provider) {
    void (*on_stopped)(void *) = provider->events.on_stopped;
    void *context = provider->context;
    loop_timer_free(provider->timer);
    free(provider);
    on_stopped(context);
}

static void on_process_closed(uv_handle_t *handle) {
    struct local_provider *provider = handle->data;
    provider->process_open = false;
    if (provider->stopping) {
        finish(provider);
    }
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal_number) {
    struct local_provider *provider = process->data;
    provider->running = false;
    uv_close((uv_handle_t *)process, on_process_closed);
    if (provider->stopping) {
        return;
    }
    if (!provider->settled) {
        provider->events.on_failed(provider->context, signal_number != 0 ? 128 + signal_number : (int)status);
        return;
    }
    LOG_WARN_EVENT("up.provider_ended", LOG_INT("status", status), LOG_INT("signal", signal_number));
    loop_timer_start(provider->timer, provider->options->restart_ms, 0);
}

static void on_timer(void *context) {
    struct local_provider *provider = context;
    struct err err;
    if (provider->stopping && provider->running) {
        LOG_WARN_EVENT("up.provider_killed");
        uv_process_kill(&provider->process, SIGKILL);
    } else if (!provider->stopping && !provider->process_open && !spawn(provider, &err)) {
        LOG_ERROR_EVENT("up.provider_restart_failed", LOG_TEXT("error", err.message));
        loop_timer_start(provider->timer, provider->options->restart_ms, 0);
    }
}

static void tell_nobody(void *context) {
    (void)context;
}

bool local_provider_start(struct local_provider **out, struct loop *loop, const struct local_provider_options *options,
                          const struct local_provider_events *events, void *context, struct err *err) {
    struct local_provider *provider = MEM_NEW(struct local_provider);
    size_t size = sizeof(provider->program);
    provider->loop = loop;
    provider->options = options;
    provider->events = *events;
    provider->context = context;
    if (uv_exepath(provider->program, &size) != 0) {
        free(provider);
        return err_set(err, ERR_IO, "cannot find the path of this program");
    }
    provider->timer = loop_timer_new(loop, on_timer, provider);
    if (!spawn(provider, err)) {
        provider->stopping = true; /* it is freed when its handle is closed */
        provider->events.on_stopped = tell_nobody;
        return false;
    }
    *out = provider;
    return true;
}

void local_provider_settled(struct local_provider *provider) {
    provider->settled = true;
}

void local_provider_stop(struct local_provider *provider) {
    const bool again = provider->stopping;
    provider->stopping = true;
    loop_timer_stop(provider->timer);
    if (provider->running) {
        uv_process_kill(&provider->process, again ? SIGKILL : SIGTERM);
        loop_timer_start(provider->timer, KILL_AFTER_MS, 0);
    } else if (!provider->process_open) {
        finish(provider);
    }
}
