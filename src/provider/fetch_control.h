/* What the loop and the thread that fetches a model's file share. */
#ifndef NATARIS_PROVIDER_FETCH_CONTROL_H
#define NATARIS_PROVIDER_FETCH_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fetch_control {
    _Atomic bool cancelled;    /* set by the loop: end soon, whatever you do */
    _Atomic bool held;         /* set by the loop: begin no transfer until it is taken back */
    _Atomic bool transferring; /* set by the thread: bytes come from elsewhere, the two below say how many */
    _Atomic uint64_t bytes_done, bytes_total;
};

#endif
