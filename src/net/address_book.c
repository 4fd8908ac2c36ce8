#include "net/address_book.h"

#include "base/bucket.h"
#include "base/mem.h"
#include "base/random.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

enum {
    BOOK_SECOND_MS = 1000,
    BOOK_MINUTE_MS = 60 * 1000,
    BOOK_BURST_S = 2,
    BOOK_RESTING_MAX = 64 * 1024, /* addresses without a connection, remembered for what they did */
    BOOK_SWEEP = 2,               /* of them are looked at whenever one more comes to rest */
    ADDRESS_V6_PREFIX = 8,        /* bytes of an address of IPv6 that are one customer's */
};

struct address_key {
    uint8_t bytes[ADDRESS_KEY_SIZE];
};

struct address_place {
    UT_hash_handle hh;
    struct address_key key; /* with the book's seed in it */
    struct address_book *book;
    size_t holders;
    unsigned connections;
    size_t body_bytes;
    struct bucket opened, failed;
    struct address_place *prev, *next; /* those without a holder, by when they came to rest */
};

struct address_book {
    struct address_limits limits;
    struct bucket_rate new_connections, failed_keys;
    struct address_key proxies[ADDRESS_PROXIES_MAX];
    size_t proxy_count;
    struct address_key seed; /* so that nobody can choose addresses that fall into one chain of the table */
    struct address_place *places, *resting;
    size_t resting_count;
    bool closed; /* it goes with the last place that is held */
};

/* An address of IPv4 as RFC 4291 2.5.5.2 maps it, which is also how a socket for both tells it. */
static bool address_whole(const struct sockaddr *address, struct address_key *out) {
    if (address->sa_family == AF_INET6) {
        memcpy(out->bytes, &((const struct sockaddr_in6 *)address)->sin6_addr, sizeof(out->bytes));
        return true;
    }
    *out = (struct address_key){.bytes = {[10] = 0xff, [11] = 0xff}};
    if (address->sa_family == AF_INET) {
        memcpy(&out->bytes[12], &((const struct sockaddr_in *)address)->sin_addr, 4);
    }
    return address->sa_family == AF_INET;
}

static struct address_key address_customer(const struct sockaddr *address) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address_key key;
    if (address_whole(address, &key) && memcmp(key.bytes, mapped, sizeof(mapped)) != 0) {
        memset(&key.bytes[ADDRESS_V6_PREFIX], 0, sizeof(key.bytes) - ADDRESS_V6_PREFIX);
    }
    return key;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80" */
static bool address_parse(struct str text, struct sockaddr_storage *out, char name[ADDRESS_TEXT_SIZE]) {
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct str host = str_trim(text), rest;
    const bool bracketed = host.len > 0 && host.data[0] == '[';
    if (bracketed) {
        (void)str_split((struct str){.data = host.data + 1, .len = host.len - 1}, ']', &host, &rest);
    } else if (memchr(host.data, '.', host.len) != NULL && memchr(host.data, ':', host.len) != NULL &&
               memchr(host.data, ':', host.len) > memchr(host.data, '.', host.len)) {
        (void)str_split(host, ':', &host, &rest);
    }
    *out = (struct sockaddr_storage){0};
    if (host.len == 0 || !str_copy(name, ADDRESS_TEXT_SIZE, host)) {
        return false;
    }
    if (!bracketed && inet_pton(AF_INET, name, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof(v4));
        return true;
    }
    memcpy(out, &v6, sizeof(v6));
    return inet_pton(AF_INET6, name, &((struct sockaddr_in6 *)out)->sin6_addr) == 1;
}

static bool book_add_proxies(struct address_book *book, const char *proxies, struct err *err) {
    struct str rest = str_from(proxies), item;
    for (bool more = rest.len > 0; more;) {
        struct sockaddr_storage address;
        char name[ADDRESS_TEXT_SIZE];
        more = str_split(rest, ',', &item, &rest);
        if (book->proxy_count == ADDRESS_PROXIES_MAX) {
            return err_set(err, ERR_INVALID, "at most %d proxies can be trusted", ADDRESS_PROXIES_MAX);
        }
        if (!address_parse(item, &address, name) ||
            !address_whole((const struct sockaddr *)&address, &book->proxies[book->proxy_count++])) {
            return err_set(err, ERR_INVALID, "the trusted proxy '%.*s' is no numeric address", STR_ARG(str_trim(item)));
        }
    }
    return true;
}

bool address_book_new(struct address_book **out, const struct address_limits *limits, const char *proxies,
                      struct err *err) {
    struct address_book *book = MEM_NEW(struct address_book);
    book->limits = *limits;
    book->new_connections =
        bucket_rate_of(limits->new_connections, BOOK_SECOND_MS, BOOK_BURST_S * (uint64_t)limits->new_connections);
    book->failed_keys = bucket_rate_of(limits->failed_keys, BOOK_MINUTE_MS, limits->failed_keys);
    random_bytes(book->seed.bytes, sizeof(book->seed.bytes));
    if (proxies != NULL && !book_add_proxies(book, proxies, err)) {
        free(book);
        return false;
    }
    *out = book;
    return true;
}

/* The one that has rested for longest is forgotten. */
static void book_forget_oldest(struct address_book *book) {
    struct address_place *oldest = book->resting;
    assert(book->places != NULL); /* it is in the table */
    DL_DELETE(book->resting, oldest);
    book->resting_count--;
    HASH_DEL(book->places, oldest);
    free(oldest);
}

void address_book_free(struct address_book *book) {
    if (book == NULL) {
        return;
    }
    while (book->resting != NULL) {
        book_forget_oldest(book);
    }
    book->closed = true;
    if (book->places == NULL) {
        free(book);
    }
}

bool address_book_is_proxy(const struct address_book *book, const struct sockaddr *address) {
    struct address_key key;
    if (book->proxy_count == 0 || !address_whole(address, &key)) {
        return false;
    }
    for (size_t i = 0; i < book->proxy_count; i++) {
        if (memcmp(&key, &book->proxies[i], sizeof(key)) == 0) {
            return true;
        }
    }
    return false;
}

bool address_book_forwarded(const struct address_book *book, struct str forwarded, struct sockaddr_storage *out,
                            char text[ADDRESS_TEXT_SIZE]) {
    while (forwarded.len > 0) {
        size_t start = forwarded.len;
        while (start > 0 && forwarded.data[start - 1] != ',') {
            start--;
        }
        const struct str last = {.data = forwarded.data + start, .len = forwarded.len - start};
        if (!address_parse(last, out, text)) {
            return false;
        }
        if (!address_book_is_proxy(book, (const struct sockaddr *)out)) {
            return true;
        }
        forwarded.len = start > 0 ? start - 1 : 0;
    }
    return false;
}

/* Nothing is remembered of it that would make a difference. */
static bool place_is_blank(const struct address_place *place, uint64_t now_ms) {
    return bucket_is_empty(&place->opened, now_ms) && bucket_is_empty(&place->failed, now_ms);
}

struct address_place *address_book_hold(struct address_book *book, const struct sockaddr *address) {
    struct address_key key = address_customer(address);
    struct address_place *place;
    for (size_t i = 0; i < sizeof(key.bytes); i++) {
        key.bytes[i] ^= book->seed.bytes[i];
    }
    HASH_FIND(hh, book->places, &key, sizeof(key), place);
    if (place == NULL) {
        place = MEM_NEW(struct address_place);
        place->key = key;
        place->book = book;
        HASH_ADD(hh, book->places, key, sizeof(place->key), place);
    } else if (place->holders == 0) {
        DL_DELETE(book->resting, place);
        book->resting_count--;
    }
    place->holders++;
    return place;
}

void address_place_hold(struct address_place *place) {
    place->holders++;
}

void address_place_release(struct address_place *place, uint64_t now_ms) {
    if (place == NULL || --place->holders > 0) {
        return;
    }
    struct address_book *book = place->book;
    DL_APPEND(book->resting, place);
    book->resting_count++;
    if (book->closed) {
        address_book_free(book);
        return;
    }
    for (size_t i = 0; i < BOOK_SWEEP && book->resting != NULL; i++) {
        if (place_is_blank(book->resting, now_ms) || book->resting_count > BOOK_RESTING_MAX) {
            book_forget_oldest(book);
        }
    }
}

bool address_place_open(struct address_place *place, uint64_t now_ms) {
    const struct address_book *book = place->book;
    if ((book->limits.connections > 0 && place->connections >= book->limits.connections) ||
        bucket_wait_ms(&place->opened, &book->new_connections, 1, now_ms) > 0) {
        return false;
    }
    bucket_add(&place->opened, &book->new_connections, 1, now_ms);
    place->connections++;
    return true;
}

void address_place_close(struct address_place *place, bool proven) {
    place->connections--;
    if (proven) {
        bucket_return(&place->opened, &place->book->new_connections, 1);
    }
}

bool address_place_take(struct address_place *place, size_t bytes) {
    const size_t limit = place->book->limits.body_bytes;
    if (limit > 0 && (place->body_bytes > limit || bytes > limit - place->body_bytes)) {
        return false;
    }
    place->body_bytes += bytes;
    return true;
}

void address_place_give(struct address_place *place, size_t bytes) {
    place->body_bytes -= bytes;
}

uint64_t address_place_key_wait_ms(const struct address_place *place, uint64_t now_ms) {
    return bucket_wait_ms(&place->failed, &place->book->failed_keys, 1, now_ms);
}

void address_place_key_failed(struct address_place *place, uint64_t now_ms) {
    if (address_place_key_wait_ms(place, now_ms) == 0) {
        bucket_add(&place->failed, &place->book->failed_keys, 1, now_ms);
    }
}

size_t address_book_count(const struct address_book *book) {
    return HASH_COUNT(book->places);
}
