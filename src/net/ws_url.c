#include "net/ws_url.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { PORT_PLAIN = 80, PORT_SECURE = 443, PORT_MAX = 65535 };

static bool take_scheme(struct str *rest, bool *secure, struct err *err) {
    static const struct {
        struct str prefix;
        bool secure;
    } SCHEMES[] = {{{"ws://", 5}, false}, {{"wss://", 6}, true}, {{"http://", 7}, false}, {{"https://", 8}, true}};
    for (size_t i = 0; i < COUNT_OF(SCHEMES); i++) {
        size_t len = SCHEMES[i].prefix.len;
        if (rest->len >= len && str_equal_nocase((struct str){rest->data, len}, SCHEMES[i].prefix)) {
            *secure = SCHEMES[i].secure;
            *rest = (struct str){rest->data + len, rest->len - len};
            return true;
        }
    }
    return err_set(err, ERR_INVALID, "the address must start with ws://, wss://, http:// or https://");
}

/* Blanks and control bytes would change the request that is made of the address. */
static bool check_bytes(struct str url, struct err *err) {
    for (size_t i = 0; i < url.len; i++) {
        unsigned char byte = (unsigned char)url.data[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '#' || byte == '@' || byte == '\\') {
            return err_set(err, ERR_INVALID, "the address may hold no blanks, '#', '@', '\\' or non-ASCII characters");
        }
    }
    return true;
}

/* "host", "host:port", "[v6]" or "[v6]:port" */
static bool split_host(struct str authority, struct str *host, struct str *port, struct err *err) {
    *port = (struct str){NULL, 0};
    if (authority.len > 0 && authority.data[0] == '[') {
        const char *end = memchr(authority.data, ']', authority.len);
        if (!end) {
            return err_set(err, ERR_INVALID, "the address has '[' without ']'");
        }
        *host = (struct str){authority.data + 1, (size_t)(end - authority.data) - 1};
        struct str rest = {end + 1, authority.len - host->len - 2};
        if (rest.len == 0) {
            return true;
        }
        *port = (struct str){rest.data + 1, rest.len - 1};
        return rest.data[0] == ':' || err_set(err, ERR_INVALID, "after ']' only a port may follow in the address");
    }
    struct str tail;
    if (str_split(authority, ':', host, &tail)) {
        *port = tail;
    }
    return true;
}

static bool is_separator(char c) {
    return c == '/' || c == '?';
}

static bool set_port(struct ws_url *out, struct str port, struct err *err) {
    uint64_t number = out->secure ? PORT_SECURE : PORT_PLAIN;
    if (port.data && (!str_parse_u64(port, PORT_MAX, &number) || number == 0)) {
        return err_set(err, ERR_INVALID, "the port in the address must be between 1 and 65535");
    }
    out->port = (unsigned)number;
    return true;
}

static void set_authority(struct ws_url *out) {
    bool v6 = strchr(out->host, ':') != NULL;
    unsigned usual = out->secure ? PORT_SECURE : PORT_PLAIN;
    int length = snprintf(out->authority, sizeof(out->authority), "%s%s%s", v6 ? "[" : "", out->host, v6 ? "]" : "");
    if (out->port != usual) {
        snprintf(out->authority + length, sizeof(out->authority) - (size_t)length, ":%u", out->port);
    }
}

bool ws_url_parse(struct ws_url *out, const char *url, struct err *err) {
    *out = (struct ws_url){0};
    struct str rest = str_from(url);
    if (!check_bytes(rest, err) || !take_scheme(&rest, &out->secure, err)) {
        return false;
    }
    size_t end = 0;
    while (end < rest.len && !is_separator(rest.data[end])) {
        end++;
    }
    struct str host = {NULL, 0};
    struct str port = {NULL, 0};
    if (!split_host((struct str){rest.data, end}, &host, &port, err) || !set_port(out, port, err)) {
        return false;
    }
    if (host.len == 0) {
        return err_set(err, ERR_INVALID, "the address names no host");
    }
    struct str target = {rest.data + end, rest.len - end};
    const char *slash = target.len > 0 && target.data[0] == '/' ? "" : "/";
    int length = snprintf(out->target, sizeof(out->target), "%s%.*s", slash, STR_ARG(target));
    if (!str_copy(out->host, sizeof(out->host), host) || length >= (int)sizeof(out->target)) {
        return err_set(err, ERR_INVALID, "the address is too long");
    }
    set_authority(out);
    return true;
}
