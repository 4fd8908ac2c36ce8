/* A URL that a stranger told, and the addresses it may stand for. The first byte chooses. Properties: what is taken is
 * what libcurl, which goes there, understands by it: the same scheme, host and port, and nobody's user; a strict one
 * never points inside; no form of IPv6 that carries an IPv4 address is of the public internet. */
#include "net/address_class.h"
#include "net/web_url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_HTTPS = 443 };

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static void check_part(CURLU *url, CURLUPart part, const char *expected) {
    char *text = NULL;
    const CURLUcode code = curl_url_get(url, part, &text, CURLU_DEFAULT_PORT);
    check(expected == NULL ? code != CURLUE_OK : code == CURLUE_OK && strcmp(text, expected) == 0);
    curl_free(text);
}

/* What web_url.c took `text` for, and what libcurl takes it for. */
static void check_same(const char *text, const struct web_url *read) {
    CURLU *url = curl_url();
    char port[16], host[WEB_URL_HOST_MAX + 2];
    check(url != NULL);
    snprintf(port, sizeof(port), "%u", read->port);
    snprintf(host, sizeof(host), strchr(read->host, ':') != NULL ? "[%s]" : "%s", read->host);
    if (curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK) { /* what it refuses, it does not go to */
        char *named = NULL;
        check_part(url, CURLUPART_SCHEME, read->tls ? "https" : "http");
        check_part(url, CURLUPART_PORT, port);
        check_part(url, CURLUPART_USER, NULL);
        check_part(url, CURLUPART_PASSWORD, NULL);
        check(curl_url_get(url, CURLUPART_HOST, &named, 0) == CURLUE_OK);
        check(read->is_address ? strlen(named) > 0 : strcasecmp(named, host) == 0);
        if (read->is_address && read->address.ss_family == AF_INET) {
            check(strcmp(named, host) == 0);
        }
        curl_free(named);
    }
    curl_url_cleanup(url);
}

static void check_read(const struct web_url *read) {
    check(read->port >= 1 && read->port <= 65535 && read->host[0] != '\0');
    for (const char *at = read->host; *at != '\0'; at++) {
        check(*at > ' ' && *at <= '~' && !isupper((unsigned char)*at) && strchr("/@%\\?#", *at) == NULL);
    }
}

static void check_strict(const struct web_url *read) {
    check(read->tls && (read->port == PORT_HTTPS || read->port >= WEB_URL_PORT_MIN));
    check(read->is_address ? address_is_global((const struct sockaddr *)&read->address)
                           : strchr(read->host, '.') != NULL);
}

static void fuzz_url(struct str text, bool lax) {
    struct web_url read;
    struct err err;
    err_clear(&err);
    if (!web_url_parse(text, lax, &read, &err)) {
        check(err.code == ERR_INVALID && err.message[0] != '\0' && strcmp(err.field, "url") == 0);
        return;
    }
    check(text.len <= WEB_URL_MAX);
    check_read(&read);
    if (!lax) {
        check_strict(&read);
    }
    char *copy = malloc(text.len + 1);
    check(copy != NULL);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    check(strlen(copy) == text.len);
    check_same(copy, &read);
    free(copy);
}

/* Of RFC 6890 and IANA's registry, in another way than address_class.c: first and last of each. */
static bool is_special4(uint32_t address) {
    static const uint32_t RANGES[][2] = {
        {0x00000000, 0x00ffffff}, {0x0a000000, 0x0affffff}, {0x64400000, 0x647fffff}, {0x7f000000, 0x7fffffff},
        {0xa9fe0000, 0xa9feffff}, {0xac100000, 0xac1fffff}, {0xc0000200, 0xc00002ff}, {0xc0a80000, 0xc0a8ffff},
        {0xc6120000, 0xc613ffff}, {0xc6336400, 0xc63364ff}, {0xcb007100, 0xcb0071ff}, {0xe0000000, 0xffffffff},
    };
    for (size_t i = 0; i < COUNT_OF(RANGES); i++) {
        if (address >= RANGES[i][0] && address <= RANGES[i][1]) {
            return true;
        }
    }
    return false;
}

static bool is_global6(const uint8_t bytes[16]) {
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    memcpy(&in6.sin6_addr, bytes, 16);
    const bool global = address_is_global((const struct sockaddr *)&in6);
    in6.sin6_scope_id = 1;
    check(!address_is_global((const struct sockaddr *)&in6));
    return global;
}

static void fuzz_address(const uint8_t *data, size_t size) {
    static const uint8_t CARRIERS[][16] = {{0},
                                           {[10] = 0xff, [11] = 0xff},
                                           {[8] = 0xff, [9] = 0xff},
                                           {0x00, 0x64, 0xff, 0x9b},
                                           {0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}};
    uint8_t bytes[16] = {0};
    memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
    struct sockaddr_in in = {.sin_family = AF_INET};
    memcpy(&in.sin_addr, bytes, 4);
    const bool global = address_is_global((const struct sockaddr *)&in);
    check(!global || !is_special4(ntohl(in.sin_addr.s_addr)));
    check(!is_global6(bytes) || (bytes[0] & 0xe0) == 0x20);
    for (size_t i = 0; i < COUNT_OF(CARRIERS); i++) {
        uint8_t carrier[16];
        memcpy(carrier, CARRIERS[i], sizeof(carrier));
        memcpy(carrier + 12, bytes, 4);
        check(!is_global6(carrier));
    }
    uint8_t six_to_four[16] = {0x20, 0x02}, teredo[16] = {0x20, 0x01, 0, 0};
    memcpy(six_to_four + 2, bytes, 14);
    memcpy(teredo + 4, bytes, 12);
    check(!is_global6(six_to_four) && !is_global6(teredo));
    in.sin_family = (sa_family_t)(bytes[0] << 8 | bytes[1]);
    check(in.sin_family == AF_INET || in.sin_family == AF_INET6 || !address_is_global((const struct sockaddr *)&in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    if (data[0] % 4 == 0) {
        fuzz_address(data + 1, size - 1);
        return 0;
    }
    char *copy = malloc(size); /* at least one byte */
    check(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    fuzz_url((struct str){copy, size - 1}, data[0] % 2 == 0);
    free(copy);
    return 0;
}
