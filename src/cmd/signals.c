#include "cmd/signals.h"

#include <signal.h>

static void on_signal(uv_signal_t *handle, int number) {
    const struct signals *signals = handle->data;
    (void)number;
    signals->on_stop(signals->context);
}

static void watch(struct signals *signals, struct loop *loop, uv_signal_t *handle, int number) {
    uv_signal_init(loop_uv(loop), handle);
    handle->data = signals;
    uv_signal_start(handle, on_signal, number);
    uv_unref((uv_handle_t *)handle);
}

void signals_open(struct signals *signals, struct loop *loop, void (*on_stop)(void *context), void *context) {
    signals->on_stop = on_stop;
    signals->context = context;
    signal(SIGPIPE, SIG_IGN);
    watch(signals, loop, &signals->interrupt, SIGINT);
    watch(signals, loop, &signals->terminate, SIGTERM);
}

void signals_close(struct signals *signals) {
    uv_close((uv_handle_t *)&signals->interrupt, NULL);
    uv_close((uv_handle_t *)&signals->terminate, NULL);
}
