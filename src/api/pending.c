#include "api/pending.h"

#include "api/respond.h"
#include "base/mem.h"
#include "store/quota.h"

#include <stdlib.h>

struct pending {
    struct api_request *request; /* NULL once it is gone */
    void (*on_gone)(struct api_request *request);
};

static void client_gone(void *user) {
    struct pending *pending = user;
    struct api_request *request = pending->request;
    pending->request = NULL;
    request->api->calls->pending--;
    if (pending->on_gone != NULL) {
        pending->on_gone(request);
    }
}

struct pending *pending_new(struct api_request *request, void (*on_gone)(struct api_request *request)) {
    struct pending *pending = MEM_NEW(struct pending);
    pending->request = request;
    pending->on_gone = on_gone;
    request->api->calls->pending++;
    http_exchange_on_gone(request->exchange, client_gone, pending);
    return pending;
}

struct api_request *pending_end(struct pending *pending) {
    struct api_request *request = pending->request;
    free(pending);
    if (request != NULL) {
        request->api->calls->pending--;
        http_exchange_on_gone(request->exchange, NULL, NULL);
    }
    return request;
}

struct api_request *pending_answered(struct pending *pending, const struct err *err, const char *what,
                                     const char *param) {
    struct api_request *request = pending_end(pending);
    struct fault fault;
    if (request == NULL || err == NULL) {
        return request;
    }
    if (err->code == ERR_NOT_FOUND) {
        fault_set_param(&fault, FAULT_NOT_FOUND, param, "There is no %s with this id.", what);
    } else if (err->code == ERR_CONFLICT && !store_quota_is_past(err)) {
        fault_set(&fault, FAULT_INVALID_REQUEST, "%s.", err->message);
        fault.status = 409; /* a good request, but not now */
    } else {
        fault_from_err(&fault, err);
    }
    respond_fault(request, &fault);
    return NULL;
}
