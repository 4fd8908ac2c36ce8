#include "base/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

void random_bytes(void *out, size_t len) {
    unsigned char *place = out;
    while (len > 0) {
        int part = len < INT_MAX ? (int)len : INT_MAX;
        if (RAND_bytes(place, part) != 1) {
            fputs("nataris: the system has no randomness to give\n", stderr);
            abort();
        }
        place += part;
        len -= (size_t)part;
    }
}

/* A call of the generator costs far more than the few bytes of an id, and every request needs two ids: so each thread
 * keeps a store. Bytes given out are wiped, and a forked child starts with an empty store. */
static _Thread_local struct {
    unsigned char bytes[1024];
    size_t left;
} random_store;

static void random_store_empty(void) {
    random_store.left = 0;
}

static void random_watch_forks(void) {
    if (pthread_atfork(NULL, NULL, random_store_empty) != 0) {
        abort();
    }
}

static unsigned char random_stored_byte(void) {
    if (random_store.left == 0) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, random_watch_forks);
        random_bytes(random_store.bytes, sizeof(random_store.bytes));
        random_store.left = sizeof(random_store.bytes);
    }
    unsigned char *place = &random_store.bytes[--random_store.left];
    unsigned char byte = *place;
    *place = 0;
    return byte;
}

uint64_t random_number(void) {
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof(number); i++) {
        number = number << 8 | random_stored_byte();
    }
    return number;
}

void random_few(void *out, size_t len) {
    unsigned char *place = out;
    for (size_t i = 0; i < len; i++) {
        place[i] = random_stored_byte();
    }
}

void random_base62(char *out, size_t length) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    enum { BASE = 62, FAIR = 256 / BASE * BASE }; /* bytes from FAIR on would favour the first digits */
    for (size_t done = 0; done < length;) {
        unsigned char byte = random_stored_byte();
        if (byte < FAIR) {
            out[done++] = digits[byte % BASE];
        }
    }
    out[length] = '\0';
}
