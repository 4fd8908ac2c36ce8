#include "net/address_lookup.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct address_lookup {
    uv_getaddrinfo_t request;
    address_allowed *allowed;
    bool cancelled;
    struct loop_deferred deferred; /* for a failure before the lookup began */
    void (*on_result)(void *context, const char *addresses, const struct err *err);
    void *context;
};

static void lookup_end(struct address_lookup *lookup, const char *addresses, const struct err *err) {
    const struct address_lookup ended = *lookup;
    free(lookup);
    if (!ended.cancelled) {
        ended.on_result(ended.context, addresses, err);
    }
}

static void lookup_fail(struct address_lookup *lookup, enum err_code code, const char *why) {
    struct err err = {0};
    err_set(&err, code, "%s", why);
    lookup_end(lookup, NULL, &err);
}

static bool add_address(const struct addrinfo *info, char out[ADDRESS_LOOKUP_TEXT_MAX]) {
    char text[INET6_ADDRSTRLEN];
    const void *address = info->ai_family == AF_INET ? (const void *)&((struct sockaddr_in *)info->ai_addr)->sin_addr
                                                     : (const void *)&((struct sockaddr_in6 *)info->ai_addr)->sin6_addr;
    const size_t len = strlen(out);
    if (inet_ntop(info->ai_family, address, text, sizeof(text)) == NULL ||
        len + strlen(text) + 2 > ADDRESS_LOOKUP_TEXT_MAX) {
        return false;
    }
    (void)snprintf(out + len, ADDRESS_LOOKUP_TEXT_MAX - len, "%s%s", len > 0 ? "," : "", text);
    return true;
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
    struct address_lookup *lookup = request->data;
    char addresses[ADDRESS_LOOKUP_TEXT_MAX] = "";
    bool allowed = true;
    for (const struct addrinfo *info = status == 0 ? found : NULL; info != NULL; info = info->ai_next) {
        allowed = allowed && (lookup->allowed == NULL || lookup->allowed(info->ai_addr));
        if (!add_address(info, addresses)) {
            break; /* so many are enough; none of them is one that was not looked at */
        }
    }
    uv_freeaddrinfo(status == 0 ? found : NULL);
    if (status != 0 || addresses[0] == '\0') {
        lookup_fail(lookup, ERR_UNAVAILABLE, "the host's name was not found");
    } else if (!allowed) {
        lookup_fail(lookup, ERR_DENIED, "the host's address is not allowed");
    } else {
        lookup_end(lookup, addresses, NULL);
    }
}

static void on_not_begun(struct loop_deferred *deferred) {
    struct address_lookup *lookup =
        (struct address_lookup *)((char *)deferred - offsetof(struct address_lookup, deferred));
    lookup_fail(lookup, ERR_UNAVAILABLE, "the host's name could not be looked up");
}

struct address_lookup *
address_lookup_start(struct loop *loop, const char *host, address_allowed *allowed,
                     void (*on_result)(void *context, const char *addresses, const struct err *err), void *context) {
    static const struct addrinfo HINTS = {.ai_socktype = SOCK_STREAM};
    struct address_lookup *lookup = MEM_NEW(struct address_lookup);
    lookup->allowed = allowed;
    lookup->on_result = on_result;
    lookup->context = context;
    lookup->request.data = lookup;
    lookup->deferred.run = on_not_begun;
    if (uv_getaddrinfo(loop_uv(loop), &lookup->request, on_resolved, host, NULL, &HINTS) != 0) {
        loop_defer(loop, &lookup->deferred);
    }
    return lookup;
}

void address_lookup_cancel(struct address_lookup *lookup) {
    lookup->cancelled = true;
    (void)uv_cancel((uv_req_t *)&lookup->request); /* one that a thread has begun goes on, and is not listened to */
}
