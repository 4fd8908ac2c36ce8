#include "net/web_url.h"

#include "net/address_class.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>

enum { LABEL_MAX = 63, PORT_MAX = 65535, PORT_HTTPS = 443, PORT_HTTP = 80 };

static bool refuse(struct err *err, const char *why) {
    return err_set_field(err, ERR_INVALID, "url", "url %s.", why);
}

/* Visible ASCII without what browsers and libraries disagree about. */
static bool is_plain(struct str text) {
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c > '~' || strchr("\\\"<>^`{|}#", c) != NULL) {
            return false;
        }
    }
    return true;
}

static bool take_scheme(struct str *rest, bool lax, struct web_url *out) {
    static const struct str https = STR("https://"), http = STR("http://");
    const struct str head = {.data = rest->data, .len = rest->len < https.len ? rest->len : https.len};
    out->tls = str_equal_nocase(head, https);
    const size_t len = out->tls ? https.len : http.len;
    if (!out->tls &&
        (!lax || rest->len < http.len || !str_equal_nocase((struct str){.data = rest->data, .len = http.len}, http))) {
        return false;
    }
    *rest = (struct str){.data = rest->data + len, .len = rest->len - len};
    return true;
}

/* Splits HOST[:PORT] or [ADDRESS][:PORT]; `port` is empty when there is none. */
static bool split_authority(struct str text, struct str *host, struct str *port, bool *bracketed) {
    *port = STR("");
    *bracketed = text.len > 0 && text.data[0] == '[';
    if (!*bracketed) {
        return !str_split(text, ':', host, port) || port->len > 0;
    }
    struct str inside = {.data = text.data + 1, .len = text.len - 1};
    if (!str_split(inside, ']', host, port)) {
        return false;
    }
    if (port->len == 0) {
        return true;
    }
    const bool colon = port->data[0] == ':';
    *port = (struct str){.data = port->data + 1, .len = port->len - 1};
    return colon && port->len > 0;
}

static bool check_label(struct str label) {
    if (label.len == 0 || label.len > LABEL_MAX || label.data[0] == '-' || label.data[label.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        const unsigned char c = (unsigned char)label.data[i];
        if (!isalnum(c) && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}

/* A last label that begins with a digit is part of a number somewhere: 2130706433, 0x7f.1, 127.1, 0177.0.0.1. */
static bool check_name(const char *host, bool lax) {
    struct str label, rest = str_from(host);
    bool more = true, dotted = false;
    while (more) {
        more = str_split(rest, '.', &label, &rest);
        dotted = dotted || more;
        if (!check_label(label)) {
            return false;
        }
    }
    return !isdigit((unsigned char)label.data[0]) && (dotted || lax);
}

static void set_address(struct web_url *out, int family) {
    out->is_address = true;
    out->address.ss_family = (sa_family_t)family;
    struct sockaddr_in *in = (struct sockaddr_in *)&out->address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->address;
    if (family == AF_INET) {
        inet_pton(AF_INET, out->host, &in->sin_addr);
        in->sin_port = htons((uint16_t)out->port);
    } else {
        inet_pton(AF_INET6, out->host, &in6->sin6_addr);
        in6->sin6_port = htons((uint16_t)out->port);
    }
}

static bool read_host(struct str host, bool bracketed, bool lax, struct web_url *out, struct err *err) {
    struct in6_addr probe; /* inet_pton reads the usual forms only: four decimal numbers without leading zeros */
    if (!str_copy(out->host, sizeof(out->host), host) || host.len == 0) {
        return refuse(err, "must have a host of at most 253 characters");
    }
    for (char *at = out->host; *at != '\0'; at++) {
        *at = (char)tolower((unsigned char)*at);
    }
    const int family = bracketed ? AF_INET6 : AF_INET;
    if (inet_pton(family, out->host, &probe) == 1) {
        set_address(out, family);
        return lax || address_is_global((const struct sockaddr *)&out->address) ||
               refuse(err, "must not point into a private or special network");
    }
    return (!bracketed && check_name(out->host, lax)) || refuse(err, "must name a host of the public internet");
}

static bool read_port(struct str text, bool lax, struct web_url *out, struct err *err) {
    uint64_t port = out->tls ? PORT_HTTPS : PORT_HTTP;
    if (text.len > 0 && (!str_parse_u64(text, PORT_MAX, &port) || port == 0)) {
        return refuse(err, "has a port that is not a number from 1 to 65535");
    }
    out->port = (unsigned)port;
    return lax || port == PORT_HTTPS || port >= WEB_URL_PORT_MIN ||
           refuse(err, "must have the port 443, or one of 1024 and above");
}

bool web_url_parse(struct str text, bool lax, struct web_url *out, struct err *err) {
    struct str rest = text, host, port;
    bool bracketed;
    *out = (struct web_url){0};
    if (text.len > WEB_URL_MAX || !is_plain(text)) {
        return refuse(err, "must be plain ASCII of at most 2048 characters, without a fragment");
    }
    if (!take_scheme(&rest, lax, out)) {
        return refuse(err, "must begin with https://");
    }
    struct str authority = {.data = rest.data, .len = 0};
    while (authority.len < rest.len && strchr("/?", rest.data[authority.len]) == NULL) {
        authority.len++;
    }
    if (memchr(authority.data, '@', authority.len) != NULL || memchr(authority.data, '%', authority.len) != NULL ||
        !split_authority(authority, &host, &port, &bracketed)) {
        return refuse(err, "must have a plain host, and no user or password");
    }
    return read_port(port, lax, out, err) && read_host(host, bracketed, lax, out, err);
}
