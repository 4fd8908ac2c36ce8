#include "api/route_hint.h"
#include "base/compiler.h"
#include "format/formats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct router *router;

static const char *hint(struct fault *fault, const char *method, struct str path) {
    route_hint_set(router, str_from(method), path, fault);
    assert_int_equal(fault_status(fault), 404);
    return fault->message;
}

static void test_words(void **state) {
    (void)state;
    static const struct {
        const char *method, *path, *words;
    } cases[] = {
        /* Base URLs that are pasted wrongly. */
        {"POST", "/chat/completions",
         "There is no route POST /chat/completions. Did you mean POST /v1/chat/completions?"},
        {"POST", "/v1/v1/chat/completions", "Did you mean POST /v1/chat/completions?"},
        {"POST", "/v1//chat/completions", "Did you mean POST /v1/chat/completions?"},
        {"POST", "/v1/chat/completions//", "Did you mean POST /v1/chat/completions?"},
        {"POST", "/v1/chat/completions/chat/completions", "Did you mean POST /v1/chat/completions?"},
        {"POST", "/V1/Chat/Completions", "Did you mean POST /v1/chat/completions?"},
        {"POST", "/api/v1/chat/completions", "Did you mean POST /v1/chat/completions?"},
        {"POST", "/v1beta/openai/chat/completions", "Did you mean POST /v1/chat/completions?"},
        {"POST", "/openai/deployments/x/chat/completions", "Did you mean POST /v1/chat/completions?"},
        {"GET", "/models", "Did you mean GET /v1/models?"},
        {"GET", "/v2/models/x", "Did you mean GET /v1/models/{id}?"},
        {"GET", "/jobs", "Did you mean GET /v1/jobs?"},
        {"POST", "/jobs", "Did you mean POST /v1/jobs?"},
        {"DELETE", "/conversations/conv_1", "Did you mean DELETE /v1/conversations/{id}?"},
        {"GET", "/v1/healthz", "Did you mean GET /healthz?"},
        /* Slips of the pen. */
        {"POST", "/v1/chat/completion", "Did you mean POST /v1/chat/completions?"},
        {"GET", "/v1/model", "Did you mean GET /v1/models?"},
        {"POST", "/v1/inferense", "Did you mean POST /v1/inference?"},
        {"GET", "/v1/job", "Did you mean GET /v1/jobs?"},
        /* Routes of other APIs. */
        {"POST", "/v1/messages/batches", "Use POST /v1/jobs"},
        {"POST", "/messages", "Did you mean POST /v1/messages?"},
        {"POST", "/v1/v1/messages/count_tokens", "Did you mean POST /v1/messages/count_tokens?"},
        {"POST", "/completion", "Use POST /v1/completions for a prompt"},
        {"POST", "/v1/engines/x/completions", "Did you mean POST /v1/completions?"},
        {"POST", "/v1/embeddings", "Models here only write text"},
        {"POST", "/v1/audio/transcriptions", "Models here only write text"},
        {"POST", "/v1/images/generations", "Models here only write text"},
        {"POST", "/v1/moderations", "Models here only write text"},
        {"POST", "/v1/files", "Models here only write text"},
        {"POST", "/v1/batches", "Use POST /v1/jobs"},
        {"POST", "/v1/threads", "Use POST /v1/conversations"},
        {"GET", "/props", "Use GET /v1/models."},
        {"POST", "/tokenize", "usage of each answer"},
        {"GET", "/v1/dashboard/billing/usage", "Did you mean GET /v1/usage?"},
        {"GET", "/v1/credits", "GET /v1/usage has what was used"},
        {"GET", "/livez", "Use GET /healthz."},
        {"GET", "/version", "GET /openapi.json"},
        /* Nobody's. */
        {"GET", "/", "There is no route GET /. The base URL"},
        {"GET", "/v1", "GET /openapi.json lists the routes."},
        {"GET", "/nothing/at/all", "There is no route GET /nothing/at/all. The base URL"},
        {"", "", "GET /openapi.json lists the routes."},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct fault fault;
        if (strstr(hint(&fault, cases[i].method, str_from(cases[i].path)), cases[i].words) == NULL) {
            fail_msg("%s: %s", cases[i].path, fault.message);
        }
    }
}

/* However long, the path is cut in the words, and costs no time. */
static void test_long_paths(void **state) {
    (void)state;
    static char path[4096];
    struct fault fault;
    memset(path, '/', sizeof(path));
    hint(&fault, "GET", (struct str){path, sizeof(path)});
    memset(path + 1, 'a', sizeof(path) - 1);
    for (size_t len = 1; len < 300; len++) {
        hint(&fault, "AVERYVERYLONGMETHOD", (struct str){path, len});
        assert_non_null(strstr(fault.message, "GET /openapi.json"));
        assert_int_equal(strstr(fault.message, "...") != NULL, len > 63);
    }
    assert_non_null(strstr(fault.message, "AVERYVERYLONGME /"));
}

static int setup(void **state) {
    (void)state;
    router = router_new(&FORMATS);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    router_free(router);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_long_paths)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
