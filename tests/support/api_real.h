/* The API's fixture on a real store, for what the store has a say in. */
#ifndef NATARIS_TESTS_SUPPORT_API_REAL_H
#define NATARIS_TESTS_SUPPORT_API_REAL_H

#define API_FIXTURE_REAL_STORE

#include "support/api_fixture.h"

/* One request and its answer: the status, and the body, which lives until the next request. `body` NULL: none. */
UNUSED static int api_real_ask(struct api_fixture *fixture, const char *line, const char *body, const char **answer) {
    api_fixture_forget(fixture);
    api_fixture_request(fixture, line, "", body);
    return api_fixture_answer(fixture, answer);
}

/* The value of a string member of an answer, the first of that name, in a static buffer. */
UNUSED static const char *api_real_member(const char *answer, const char *name) {
    static char value[512];
    char quoted[64];
    snprintf(quoted, sizeof(quoted), "\"%s\":\"", name);
    const char *at = strstr(answer, quoted);
    assert_non_null(at);
    at += strlen(quoted);
    const char *end = strchr(at, '"');
    (void)str_copy(value, sizeof(value), (struct str){at, (size_t)(end - at)});
    return value;
}

#endif
