/* Ctrl-C and SIGTERM on the loop: the first asks to stop, the second insists. */
#ifndef NATARIS_CMD_SIGNALS_H
#define NATARIS_CMD_SIGNALS_H

#include "net/loop.h"

struct signals {
    uv_signal_t interrupt, terminate;
    void (*on_stop)(void *context);
    void *context;
};

/* Also ignores SIGPIPE. The struct must live until signals_close and one more iteration of the loop. */
void signals_open(struct signals *signals, struct loop *loop, void (*on_stop)(void *context), void *context);
void signals_close(struct signals *signals);

#endif
