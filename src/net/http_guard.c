#include "net/http_guard.h"

#include <string.h>

static const uint64_t GUARD_LENGTH_MAX = (uint64_t)1 << 53;

/* What a head says about its own framing. */
struct guard_facts {
    size_t headers, hosts, lengths, codings;
    bool http_1_0;
};

enum guard_class { GUARD_TOKEN = 1, GUARD_VALUE = 2, GUARD_TARGET = 4, GUARD_HOST = 8 };

/* By ASCII code: RFC 9110 5.6.2 (token), 5.5 (field value), RFC 9112 3.2 (target: visible, no fragment), RFC 3986 3.2.2
 * (host and port). Bytes from 0x80 on are obs-text, allowed in values only. */
static const unsigned char GUARD_CLASSES[128] = {
    0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,  /* 00 */
    0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  /* 10 */
    2,  15, 6,  3,  15, 15, 15, 15, 14, 14, 15, 15, 6,  15, 15, 6,  /* 20 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 14, 6,  14, 6,  6,  /* 30 */
    6,  15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 40 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 6,  14, 7,  15, /* 50 */
    7,  15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 60 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6,  7,  6,  15, 0,  /* 70 */
};

static size_t guard_span(struct str s, enum guard_class class) {
    size_t i = 0;
    for (; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (((c < 0x80 ? GUARD_CLASSES[c] : GUARD_VALUE) & class) == 0) {
            break;
        }
    }
    return i;
}

size_t http_guard_token_length(struct str s) {
    return guard_span(s, GUARD_TOKEN);
}

static struct str guard_skip(struct str s, size_t len) {
    return (struct str){.data = s.data + len, .len = s.len - len};
}

size_t http_guard_find_end(struct str data, size_t from, bool *bare_lf) {
    *bare_lf = false;
    for (size_t i = from; i < data.len; i++) {
        const char *lf = (const char *)memchr(data.data + i, '\n', data.len - i);
        if (lf == NULL) {
            return 0;
        }
        i = (size_t)(lf - data.data);
        if (i == 0 || data.data[i - 1] != '\r') {
            *bare_lf = true;
            return 0;
        }
        if (i >= 3 && data.data[i - 2] == '\n' && data.data[i - 3] == '\r') {
            return i + 1;
        }
    }
    return 0;
}

size_t http_guard_head_length(struct str data) {
    bool bare_lf;
    return http_guard_find_end(data, 0, &bare_lf);
}

static enum http_guard_verdict guard_request_line(struct str line, const struct http_guard_limits *limits,
                                                  struct guard_facts *facts, const char **why) {
    size_t method = guard_span(line, GUARD_TOKEN);
    if (method == 0 || method == line.len || line.data[method] != ' ') {
        *why = "the request line has no valid method";
        return HTTP_GUARD_BAD;
    }
    struct str rest = guard_skip(line, method + 1);
    size_t target = guard_span(rest, GUARD_TARGET);
    if (target > limits->url_bytes) {
        *why = "the URL is too long";
        return HTTP_GUARD_URI_LONG;
    }
    struct str version = guard_skip(rest, target);
    if (target == 0 || version.len != 9 || memcmp(version.data, " HTTP/", 6) != 0 || version.data[7] != '.' ||
        version.data[6] < '0' || version.data[6] > '9' || version.data[8] < '0' || version.data[8] > '9') {
        *why = "the request line is malformed";
        return HTTP_GUARD_BAD;
    }
    if (version.data[6] != '1' || version.data[8] > '1') {
        *why = "only HTTP/1.1 and HTTP/1.0 are spoken here";
        return HTTP_GUARD_VERSION;
    }
    facts->http_1_0 = version.data[8] == '0';
    return HTTP_GUARD_OK;
}

/* Spaces only: llhttp does not take tabs around a length or coding for blanks, as RFC 9110 5.6.3 would have it. */
static struct str guard_trim(struct str s) {
    while (s.len > 0 && s.data[0] == ' ') {
        s = guard_skip(s, 1);
    }
    while (s.len > 0 && s.data[s.len - 1] == ' ') {
        s.len--;
    }
    return s;
}

static enum http_guard_verdict guard_framing_header(struct str name, struct str value, struct guard_facts *facts,
                                                    const char **why) {
    if (str_equal_nocase(name, STR("host"))) {
        facts->hosts++;
        *why = "the Host header is malformed";
        return guard_span(value, GUARD_HOST) == value.len ? HTTP_GUARD_OK : HTTP_GUARD_BAD;
    }
    if (str_equal_nocase(name, STR("content-length"))) {
        uint64_t length;
        facts->lengths++;
        *why = "the Content-Length header is malformed";
        return value.len <= 16 && str_parse_u64(value, GUARD_LENGTH_MAX, &length) ? HTTP_GUARD_OK : HTTP_GUARD_BAD;
    }
    if (str_equal_nocase(name, STR("transfer-encoding"))) {
        facts->codings++;
        if (value.len >= 7 && str_equal_nocase((struct str){.data = value.data, .len = 7}, STR("chunked"))) {
            *why = "chunked must be the only transfer coding";
            return value.len == 7 ? HTTP_GUARD_OK : HTTP_GUARD_BAD;
        }
        *why = "the transfer coding is unknown";
        return HTTP_GUARD_NOT_IMPLEMENTED;
    }
    return HTTP_GUARD_OK;
}

static enum http_guard_verdict guard_header(struct str line, struct guard_facts *facts, const char **why) {
    size_t name = guard_span(line, GUARD_TOKEN);
    if (name == 0 || name == line.len || line.data[name] != ':') {
        *why = "a header line has no valid name"; /* also folded lines and blanks before the colon */
        return HTTP_GUARD_BAD;
    }
    struct str value = guard_skip(line, name + 1);
    if (guard_span(value, GUARD_VALUE) != value.len) {
        *why = "a header value holds a control character";
        return HTTP_GUARD_BAD;
    }
    return guard_framing_header((struct str){.data = line.data, .len = name}, guard_trim(value), facts, why);
}

static enum http_guard_verdict guard_facts_agree(const struct guard_facts *facts, const char **why) {
    *why = NULL;
    if (facts->hosts > 1 || (facts->hosts == 0 && !facts->http_1_0)) {
        *why = "exactly one Host header is needed";
    } else if (facts->lengths > 1 || facts->codings > 1 || facts->lengths + facts->codings > 1) {
        *why = "the length of the body is given more than once";
    } else if (facts->codings > 0 && facts->http_1_0) {
        *why = "HTTP/1.0 has no transfer codings";
    }
    return *why == NULL ? HTTP_GUARD_OK : HTTP_GUARD_BAD;
}

enum http_guard_verdict http_guard_check_head(struct str head, const struct http_guard_limits *limits,
                                              const char **why) {
    struct guard_facts facts = {0};
    if (head.len > limits->head_bytes) {
        *why = "the request head is too large";
        return HTTP_GUARD_TOO_LARGE;
    }
    for (bool first = true;; first = false) {
        const char *lf = (const char *)memchr(head.data, '\n', head.len);
        size_t len = lf != NULL ? (size_t)(lf - head.data) : 0;
        if (len == 0 || head.data[len - 1] != '\r') {
            *why = "a line does not end in CR LF";
            return HTTP_GUARD_BAD;
        }
        struct str line = {.data = head.data, .len = len - 1};
        head = guard_skip(head, len + 1);
        if (line.len == 0 && !first) {
            return guard_facts_agree(&facts, why);
        }
        if (!first && ++facts.headers > limits->header_count) {
            *why = "there are too many headers";
            return HTTP_GUARD_TOO_LARGE;
        }
        enum http_guard_verdict verdict =
            first ? guard_request_line(line, limits, &facts, why) : guard_header(line, &facts, why);
        if (verdict != HTTP_GUARD_OK) {
            return verdict;
        }
    }
}

int http_guard_status(enum http_guard_verdict verdict) {
    switch (verdict) {
    case HTTP_GUARD_OK:
        return 0;
    case HTTP_GUARD_BAD:
        return 400;
    case HTTP_GUARD_TOO_LARGE:
        return 431;
    case HTTP_GUARD_URI_LONG:
        return 414;
    case HTTP_GUARD_NOT_IMPLEMENTED:
        return 501;
    case HTTP_GUARD_VERSION:
        return 505;
    }
    return 400;
}
