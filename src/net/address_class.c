#include "net/address_class.h"

#include "base/compiler.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t network;
    unsigned bits;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct range4 refused4[] = {
    {V4(0, 0, 0, 0), 8},       /* "this network" */
    {V4(10, 0, 0, 0), 8},      /* private */
    {V4(100, 64, 0, 0), 10},   /* behind a carrier's NAT */
    {V4(127, 0, 0, 0), 8},     /* loopback */
    {V4(169, 254, 0, 0), 16},  /* link-local, and the metadata of clouds */
    {V4(172, 16, 0, 0), 12},   /* private */
    {V4(192, 0, 0, 0), 24},    /* protocol assignments */
    {V4(192, 0, 2, 0), 24},    /* documentation */
    {V4(192, 88, 99, 0), 24},  /* 6to4 relays */
    {V4(192, 168, 0, 0), 16},  /* private */
    {V4(198, 18, 0, 0), 15},   /* benchmarks */
    {V4(198, 51, 100, 0), 24}, /* documentation */
    {V4(203, 0, 113, 0), 24},  /* documentation */
    {V4(224, 0, 0, 0), 4},     /* multicast */
    {V4(240, 0, 0, 0), 4},     /* reserved, and broadcast */
};

struct range6 {
    uint8_t network[16];
    unsigned bits;
};

/* Of 2000::/3; all else is refused as a whole: loopback, mapped and compatible IPv4, 64:ff9b::/96, fc00::/7, fe80::/10,
 * ff00::/8 and what is not given out. */
static const struct range6 refused6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocol assignments: Teredo, ORCHID, benchmarks */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4 */
    {{0x3f, 0xfe}, 16},             /* the 6bone that was */
    {{0x3f, 0xff}, 20},             /* documentation */
};

static bool is_global4(uint32_t address) {
    for (size_t i = 0; i < COUNT_OF(refused4); i++) {
        if ((address ^ refused4[i].network) >> (32 - refused4[i].bits) == 0) {
            return false;
        }
    }
    return true;
}

static bool in_range6(const uint8_t address[16], const struct range6 *range) {
    const unsigned whole = range->bits / 8, rest = range->bits % 8;
    return memcmp(address, range->network, whole) == 0 &&
           (rest == 0 || (address[whole] ^ range->network[whole]) >> (8 - rest) == 0);
}

static bool is_global6(const uint8_t address[16]) {
    if (address[0] >> 5 != 1) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(refused6); i++) {
        if (in_range6(address, &refused6[i])) {
            return false;
        }
    }
    return true;
}

bool address_is_global(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof(in));
        return is_global4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof(in6));
        return in6.sin6_scope_id == 0 && is_global6(in6.sin6_addr.s6_addr);
    }
    return false;
}
