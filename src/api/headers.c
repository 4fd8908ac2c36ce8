#include "api/headers.h"

#include <string.h>

static const char *const key_names[] = {"Authorization", "x-api-key", "api-key"};
static const char *const other_names[] = {"Idempotency-Key", "x-stainless-retry-count", "Content-Type",
                                          "Content-Encoding"};

static bool check_once(const struct http_request *http, const char *name, struct fault *fault) {
    const struct str wanted = str_from(name);
    size_t count = 0;
    for (size_t i = 0; i < http->header_count; i++) {
        count += str_equal_nocase(http->headers[i].name, wanted) ? 1 : 0;
    }
    if (count > 1) {
        fault_set_param(fault, FAULT_INVALID_REQUEST, name, "The header %s was sent %zu times. Send it once.", name,
                        count);
    }
    return count <= 1;
}

bool headers_check(const struct http_request *http, struct fault *fault) {
    for (size_t i = 0; i < COUNT_OF(key_names); i++) {
        if (!check_once(http, key_names[i], fault)) {
            return false;
        }
    }
    for (size_t i = 0; i < COUNT_OF(other_names); i++) {
        if (!check_once(http, other_names[i], fault)) {
            return false;
        }
    }
    return true;
}

bool headers_have_key(const struct http_request *http) {
    for (size_t i = 0; i < COUNT_OF(key_names); i++) {
        if (str_trim(http_request_header(http, key_names[i])).len > 0) {
            return true;
        }
    }
    return false;
}

/* What is behind "Bearer", or the whole value. */
static struct str key_of(struct str value) {
    struct str scheme, rest;
    value = str_trim(value);
    return str_split(value, ' ', &scheme, &rest) && str_equal_nocase(scheme, STR("Bearer")) ? str_trim(rest) : value;
}

static bool write_authorization(struct str key, struct arena *arena, struct str *out) {
    static const struct str scheme = STR("Bearer ");
    char *text = arena_alloc(arena, scheme.len + key.len);
    if (text == NULL) {
        return false;
    }
    memcpy(text, scheme.data, scheme.len);
    memcpy(text + scheme.len, key.data, key.len);
    *out = (struct str){.data = text, .len = scheme.len + key.len};
    return true;
}

bool headers_read_key(const struct http_request *http, struct arena *arena, struct str *authorization,
                      struct fault *fault) {
    const char *first = NULL;
    struct str key = STR("");
    *authorization = str_trim(http_request_header(http, key_names[0]));
    for (size_t i = 0; i < COUNT_OF(key_names); i++) {
        const struct str value = str_trim(http_request_header(http, key_names[i]));
        const struct str held = key_of(value);
        if (value.len == 0) {
            continue;
        }
        if (first != NULL && !str_equal(held, key)) {
            fault_set_param(fault, FAULT_INVALID_REQUEST, key_names[i],
                            "The headers %s and %s hold different keys. Send one of them.", first, key_names[i]);
            return false;
        }
        first = key_names[i];
        key = held;
    }
    if (authorization->len == 0 && first != NULL && !write_authorization(key, arena, authorization)) {
        fault_set_too_large(fault);
        return false;
    }
    return true;
}
