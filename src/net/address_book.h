/* What each address takes before it has shown a key that is good: connections, new connections in a second, bytes of
 * bodies that wait for their key, wrong keys in a minute. An address is one of IPv4, or the /64 of one of IPv6, which
 * is what one customer has. All of it costs a look into a hash table for each connection. One thread; the time is
 * handed in, monotonic. */
#ifndef NATARIS_NET_ADDRESS_BOOK_H
#define NATARIS_NET_ADDRESS_BOOK_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { ADDRESS_KEY_SIZE = 16, ADDRESS_PROXIES_MAX = 32, ADDRESS_TEXT_SIZE = 46 };

struct address_limits {       /* of one address; 0: no limit */
    unsigned connections;     /* open at once and not proven */
    unsigned new_connections; /* a second, those that prove themselves not counted; two seconds' worth at once */
    size_t body_bytes;
    unsigned failed_keys; /* a minute, and as many at once */
};

struct address_book;
struct address_place; /* one address; borrowed from the book for as long as it is held */

/* `proxies`: addresses separated by commas, whose connections are many clients'; NULL: none. ERR_INVALID names the one
 * that is no address. */
MUST_CHECK bool address_book_new(struct address_book **out, const struct address_limits *limits, const char *proxies,
                                 struct err *err);
/* What is still held stays until it is released. NULL is fine. */
void address_book_free(struct address_book *book);
/* Whether connections from there are those of a proxy, which says whose they are. */
bool address_book_is_proxy(const struct address_book *book, const struct sockaddr *address);
/* The client that a proxy names in X-Forwarded-For: the last of the list that is no proxy itself, since what stands
 * before it is the client's own words. False: there is none, or it is no address. */
MUST_CHECK bool address_book_forwarded(const struct address_book *book, struct str forwarded,
                                       struct sockaddr_storage *out, char text[ADDRESS_TEXT_SIZE]);

/* Held until address_place_release. */
struct address_place *address_book_hold(struct address_book *book, const struct sockaddr *address);
void address_place_hold(struct address_place *place);
void address_place_release(struct address_place *place, uint64_t now_ms); /* NULL is fine */
/* One more connection; false when it has too many, or they come too fast. */
MUST_CHECK bool address_place_open(struct address_place *place, uint64_t now_ms);
/* It is closed, or (`proven`) has shown that it is somebody known. */
void address_place_close(struct address_place *place, bool proven);
/* So many more bytes of a body; false when that is too many. */
MUST_CHECK bool address_place_take(struct address_place *place, size_t bytes);
void address_place_give(struct address_place *place, size_t bytes);
/* 0: it may send another wrong key; else in so many ms. */
uint64_t address_place_key_wait_ms(const struct address_place *place, uint64_t now_ms);
void address_place_key_failed(struct address_place *place, uint64_t now_ms);
/* How many addresses are remembered. */
size_t address_book_count(const struct address_book *book);

#endif
