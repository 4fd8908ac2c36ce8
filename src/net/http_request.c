#include "net/http_request.h"

#include "net/http_guard.h"

#include <llhttp.h>

enum { PARSE_FIRST_HEADERS = 16 };

/* llhttp calls back with spans of the head; the head is whole, so each span comes in one piece. */
struct parse {
    llhttp_t parser; /* first, so that callbacks find the rest */
    struct http_request *request;
    struct arena *arena;
    struct http_header *headers;
    size_t count, capacity;
    struct str target;
};

static int parse_on_url(llhttp_t *parser, const char *at, size_t len) {
    ((struct parse *)parser)->target = (struct str){.data = at, .len = len};
    return 0;
}

static int parse_on_name(llhttp_t *parser, const char *at, size_t len) {
    struct parse *parse = (struct parse *)parser;
    if (parse->count == parse->capacity) {
        size_t capacity = parse->capacity > 0 ? parse->capacity * 2 : PARSE_FIRST_HEADERS;
        struct http_header *headers = ARENA_ARRAY(parse->arena, struct http_header, capacity);
        if (headers == NULL) {
            return HPE_USER;
        }
        for (size_t i = 0; i < parse->count; i++) {
            headers[i] = parse->headers[i];
        }
        parse->headers = headers;
        parse->capacity = capacity;
    }
    parse->headers[parse->count++].name = (struct str){.data = at, .len = len};
    return 0;
}

static int parse_on_value(llhttp_t *parser, const char *at, size_t len) {
    struct parse *parse = (struct parse *)parser;
    parse->headers[parse->count - 1].value = str_trim((struct str){.data = at, .len = len});
    return 0;
}

/* Bodies are not llhttp's: it stops here. */
static int parse_on_head(llhttp_t *parser) {
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t PARSE_SETTINGS = {
    .on_url = parse_on_url,
    .on_header_field = parse_on_name,
    .on_header_value = parse_on_value,
    .on_headers_complete = parse_on_head,
};

static bool find_path(struct str target, struct str *rest) {
    if (target.data[0] == '/' || str_equal_cstr(target, "*")) {
        *rest = target;
        return true;
    }
    /* RFC 9112 3.2.2: absolute-form, as a proxy's client sends it. The path may be empty: then it means "/". */
    struct str scheme;
    struct str authority;
    if (!str_split(target, ':', &scheme, &authority) || !str_starts_with(authority, STR("//"))) {
        return false;
    }
    size_t i = 2;
    while (i < authority.len && authority.data[i] != '/' && authority.data[i] != '?') {
        i++;
    }
    *rest = (struct str){.data = authority.data + i, .len = authority.len - i};
    return i > 2;
}

static bool parse_target(struct http_request *request, struct str target) {
    struct str rest;
    if (!find_path(target, &rest)) {
        return false;
    }
    str_split(rest, '?', &request->path, &request->query);
    if (request->path.len == 0) {
        request->path = STR("/");
    }
    return true;
}

/* Llhttp refuses methods that it does not know, and reads some that it knows in ways of their own. Here a method is any
 * token, and routes say which they have (RFC 9110 15.5.6): so llhttp is always told POST. */
static llhttp_errno_t parse_head(llhttp_t *parser, struct str head) {
    static const struct str told = STR("POST ");
    const size_t method = http_guard_token_length(head) + 1; /* and the blank behind it, as the guard saw */
    const llhttp_errno_t error = llhttp_execute(parser, told.data, told.len);
    return error != HPE_OK ? error : llhttp_execute(parser, head.data + method, head.len - method);
}

int http_request_parse(struct http_request *request, struct arena *arena, struct str head, const char **why) {
    struct parse parse = {.request = request, .arena = arena};
    request->method = (struct str){.data = head.data, .len = http_guard_token_length(head)};
    request->head_only = str_equal(request->method, STR("HEAD"));
    if (str_equal(request->method, STR("CONNECT"))) { /* its target is no path */
        *why = "this is no proxy, and CONNECT no method of its routes";
        return 405;
    }
    llhttp_init(&parse.parser, HTTP_REQUEST, &PARSE_SETTINGS);
    if (parse_head(&parse.parser, head) != HPE_PAUSED) {
        *why = "the request head is malformed";
        return 400;
    }
    request->headers = parse.headers;
    request->header_count = parse.count;
    request->http_1_0 = parse.parser.http_minor == 0;
    request->keep_alive = request->http_1_0 ? (parse.parser.flags & F_CONNECTION_KEEP_ALIVE) != 0
                                            : (parse.parser.flags & F_CONNECTION_CLOSE) == 0;
    request->chunked = (parse.parser.flags & F_CHUNKED) != 0;
    request->content_length = (size_t)parse.parser.content_length;
    if (!parse_target(request, parse.target)) {
        *why = "the request target is malformed";
        return 400;
    }
    return 0;
}

struct str http_request_header(const struct http_request *request, const char *name) {
    struct str wanted = str_from(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (str_equal_nocase(request->headers[i].name, wanted)) {
            return request->headers[i].value;
        }
    }
    return STR("");
}
