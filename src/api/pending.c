#include "api/pending.h"

#include "base/mem.h"

#include <stdlib.h>

struct pending {
    struct api_request *request; /* NULL once it is gone */
    void (*on_gone)(struct api_request *request);
};

static void client_gone(void *user) {
    struct pending *pending = user;
    struct api_request *request = pending->request;
    pending->request = NULL;
    request->api->pending_count--;
    if (pending->on_gone != NULL) {
        pending->on_gone(request);
    }
}

struct pending *pending_new(struct api_request *request, void (*on_gone)(struct api_request *request)) {
    struct pending *pending = MEM_NEW(struct pending);
    pending->request = request;
    pending->on_gone = on_gone;
    request->api->pending_count++;
    http_exchange_on_gone(request->exchange, client_gone, pending);
    return pending;
}

struct api_request *pending_end(struct pending *pending) {
    struct api_request *request = pending->request;
    free(pending);
    if (request != NULL) {
        request->api->pending_count--;
        http_exchange_on_gone(request->exchange, NULL, NULL);
    }
    return request;
}
