#include "gateway/descriptors.h"

#include "base/log.h"
#include "wire/limits.h"

#include <sys/resource.h>

enum { WEBHOOK_POSTS_MAX = 256, WEBHOOK_PART = 8 /* of the descriptors, one in so many */ };

void descriptors_divide(struct descriptors *descriptors, unsigned long files) {
    const unsigned long webhooks = files / WEBHOOK_PART;
    descriptors->webhooks = webhooks < WEBHOOK_POSTS_MAX ? (unsigned)webhooks : WEBHOOK_POSTS_MAX;
    const unsigned long taken = (unsigned long)LIMIT_DESCRIPTORS_KEPT + descriptors->webhooks;
    const unsigned long least = files / 4;
    const unsigned long clients = files > taken + least ? files - taken : least;
    descriptors->clients = clients < LIMIT_CONNECTIONS ? (unsigned)clients : LIMIT_CONNECTIONS;
}

void descriptors_init(struct descriptors *descriptors) {
    struct rlimit files = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    (void)getrlimit(RLIMIT_NOFILE, &files);
    const rlim_t soft = files.rlim_cur;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
        files.rlim_cur = soft;
    }
    const unsigned long many = 1UL << 20;
    descriptors_divide(descriptors, files.rlim_cur < many ? (unsigned long)files.rlim_cur : many);
    if (descriptors->clients < LIMIT_CONNECTIONS) {
        LOG_WARN_EVENT("gateway.few_descriptors", LOG_INT("files", (int64_t)files.rlim_cur),
                       LOG_INT("connections", descriptors->clients));
    }
}

unsigned descriptors_share(const struct descriptors *descriptors, unsigned wanted) {
    const unsigned half = descriptors->clients / 2;
    return wanted == 0 || wanted < half ? wanted : half;
}
