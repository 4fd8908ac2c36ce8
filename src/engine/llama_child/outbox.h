/* Frames on their way to the parent. Two threads write: the reader (refusals) and the batcher (everything else). */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_OUTBOX_H
#define NATARIS_ENGINE_LLAMA_CHILD_OUTBOX_H

#include "base/buf.h"

#include <pthread.h>

struct outbox {
    int fd;
    pthread_mutex_t lock;
};

void outbox_init(struct outbox *outbox, int fd);
/* Writes whole frames and empties `frames`. Blocks while the parent does not read; ends the process when the parent is
 * gone. */
void outbox_send(struct outbox *outbox, struct buf *frames);

#endif
