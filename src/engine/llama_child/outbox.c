#include "engine/llama_child/outbox.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

void outbox_init(struct outbox *outbox, int fd) {
    *outbox = (struct outbox){.fd = fd};
    pthread_mutex_init(&outbox->lock, NULL);
}

void outbox_send(struct outbox *outbox, struct buf *frames) {
    size_t sent = 0;
    pthread_mutex_lock(&outbox->lock);
    while (sent < frames->len) {
        ssize_t count = send(outbox->fd, frames->data + sent, frames->len - sent, MSG_NOSIGNAL);
        if (count >= 0) {
            sent += (size_t)count;
        } else if (errno != EINTR) {
            _exit(0); /* nobody is left to work for */
        }
    }
    pthread_mutex_unlock(&outbox->lock);
    buf_reset(frames);
}
