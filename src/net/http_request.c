#include "net/http_request.h"

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

static int parse_on_method(llhttp_t *parser, const char *at, size_t len) {
    ((struct parse *)parser)->request->method = (struct str){.data = at, .len = len};
    return 0;
}

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
    .on_method = parse_on_method,
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

static int parse_error(llhttp_errno_t error, const char **why) {
    if (error == HPE_INVALID_METHOD || error == HPE_PAUSED_H2_UPGRADE || error == HPE_INVALID_CONSTANT) {
        *why = "the method is unknown";
        return 501;
    }
    if (error == HPE_INVALID_VERSION) {
        *why = "only HTTP/1.1 and HTTP/1.0 are spoken here";
        return 505;
    }
    *why = "the request head is malformed";
    return 400;
}

int http_request_parse(struct http_request *request, struct arena *arena, struct str head, const char **why) {
    struct parse parse = {.request = request, .arena = arena};
    llhttp_init(&parse.parser, HTTP_REQUEST, &PARSE_SETTINGS);
    llhttp_errno_t error = llhttp_execute(&parse.parser, head.data, head.len);
    if (error != HPE_PAUSED) {
        return parse_error(error, why);
    }
    request->headers = parse.headers;
    request->header_count = parse.count;
    request->http_1_0 = parse.parser.http_minor == 0;
    request->keep_alive = request->http_1_0 ? (parse.parser.flags & F_CONNECTION_KEEP_ALIVE) != 0
                                            : (parse.parser.flags & F_CONNECTION_CLOSE) == 0;
    request->head_only = parse.parser.method == HTTP_HEAD;
    request->chunked = (parse.parser.flags & F_CHUNKED) != 0;
    request->content_length = (size_t)parse.parser.content_length;
    if (parse.parser.method == HTTP_CONNECT) {
        *why = "CONNECT is not supported";
        return 501;
    }
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
