#include "webhook/lookup.h"

#include "base/mem.h"
#include "net/address_class.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct webhook_lookup {
    uv_getaddrinfo_t request;
    struct loop *loop;
    bool lax, cancelled;
    struct loop_deferred deferred; /* for a failure before the look-up began */
    void (*on_result)(void *context, const char *addresses, const struct err *err);
    void *context;
};

static void finish(struct webhook_lookup *lookup, const char *addresses, const struct err *err) {
    if (!lookup->cancelled) {
        lookup->on_result(lookup->context, addresses, err);
    }
    free(lookup);
}

static void fail(struct webhook_lookup *lookup, enum err_code code, const char *why) {
    struct err err = {0};
    err_set(&err, code, "%s", why);
    finish(lookup, NULL, &err);
}

static bool add_address(const struct addrinfo *info, char out[WEBHOOK_ADDRESSES_MAX]) {
    char text[INET6_ADDRSTRLEN];
    const void *address = info->ai_family == AF_INET ? (const void *)&((struct sockaddr_in *)info->ai_addr)->sin_addr
                                                     : (const void *)&((struct sockaddr_in6 *)info->ai_addr)->sin6_addr;
    const size_t len = strlen(out);
    if (inet_ntop(info->ai_family, address, text, sizeof text) == NULL ||
        len + strlen(text) + 2 > WEBHOOK_ADDRESSES_MAX) {
        return false;
    }
    (void)snprintf(out + len, WEBHOOK_ADDRESSES_MAX - len, "%s%s", len > 0 ? "," : "", text);
    return true;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    struct webhook_lookup *lookup = request->data;
    char addresses[WEBHOOK_ADDRESSES_MAX] = "";
    bool allowed = true;
    for (const struct addrinfo *info = status == 0 ? found : NULL; info != NULL; info = info->ai_next) {
        allowed = allowed && (lookup->lax || address_is_global(info->ai_addr));
        if (!add_address(info, addresses)) {
            break; /* so many are enough; none of them is one that was not looked at */
        }
    }
    uv_freeaddrinfo(status == 0 ? found : NULL);
    if (status != 0 || addresses[0] == '\0') {
        fail(lookup, ERR_UNAVAILABLE, "the host's name was not found");
    } else if (!allowed) {
        fail(lookup, ERR_DENIED, "the host's address is not one of the public internet");
    } else {
        finish(lookup, addresses, NULL);
    }
}

static void on_failed(struct loop_deferred *deferred) {
    struct webhook_lookup *lookup =
        (struct webhook_lookup *)((char *)deferred - offsetof(struct webhook_lookup, deferred));
    fail(lookup, ERR_UNAVAILABLE, "the host's name could not be looked up");
}

struct webhook_lookup *
webhook_lookup_start(struct loop *loop, const struct web_url *url, bool lax,
                     void (*on_result)(void *context, const char *addresses, const struct err *err), void *context) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = url->is_address ? AI_NUMERICHOST : 0};
    struct webhook_lookup *lookup = MEM_NEW(struct webhook_lookup);
    lookup->loop = loop;
    lookup->lax = lax;
    lookup->on_result = on_result;
    lookup->context = context;
    lookup->request.data = lookup;
    lookup->deferred.run = on_failed;
    if (uv_getaddrinfo(loop_uv(loop), &lookup->request, on_resolved, url->host, NULL, &hints) != 0) {
        loop_defer(loop, &lookup->deferred);
    }
    return lookup;
}

void webhook_lookup_cancel(struct webhook_lookup *lookup) {
    lookup->cancelled = true;
    uv_cancel((uv_req_t *)&lookup->request); /* one that a thread has begun goes on, and is not listened to */
}
