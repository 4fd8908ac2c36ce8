/* Calls through the API's fixture: requests, results and golden answers. */
#ifndef NATARIS_TESTS_SUPPORT_API_CALLS_H
#define NATARIS_TESTS_SUPPORT_API_CALLS_H

#include "support/api_fixture.h"

#define MODEL "nataris-demo-2m"
#define MESSAGES "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define CHAT "/v1/chat/completions"
#define PLAIN_CHAT "{\"model\":\"" MODEL "\"," MESSAGES "}"
#define STREAM_CHAT "{\"model\":\"" MODEL "\",\"stream\":true," MESSAGES "}"
#define USAGE                                                                                                          \
    "{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":3}}"
#define NATARIS                                                                                                        \
    "{\"inference_type\":\"p2p\",\"provider\":{\"id\":\"prov_1\",\"region\":\"IN\"},\"attempts\":2,\"latency_ms\":"    \
    "245,"                                                                                                             \
    "\"ttft_ms\":31}"

UNUSED static const struct call_result RESULT = {
    .finish = GEN_FINISH_STOP,
    .usage = {.prompt_tokens = 5, .completion_tokens = 2, .cached_tokens = 3},
    .provider_id = "prov_1",
    .provider_region = "IN",
    .inference_type = "p2p",
    .attempts = 2,
    .ttft_ms = 31,
    .latency_ms = 245,
};

UNUSED static void deliver(struct call *call, const char *text) {
    assert_int_equal(call->sink->deliver(call, str_from(text)), CALL_DELIVERED);
}

/* `expected` with the call's id for $ID and its time for $TIME. */
UNUSED static void assert_golden(const struct api_fixture *fixture, const char *actual, const char *expected) {
    struct buf text;
    buf_init(&text, 1 << 20);
    for (const char *at = expected; *at != '\0'; at++) {
        if (strncmp(at, "$ID", 3) == 0) {
            buf_append_cstr(&text, fixture->call_id);
            at += 2;
        } else if (strncmp(at, "$TIME", 5) == 0) {
            buf_append_u64(&text, (uint64_t)fixture->created);
            at += 4;
        } else {
            buf_append(&text, at, 1);
        }
    }
    assert_string_equal(actual, buf_cstr(&text));
    buf_clear(&text);
}

UNUSED static size_t count_of(const char *text, const char *words) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, words)) != NULL; at++) {
        count++;
    }
    return count;
}

#endif
