#include "link/bytes.h"

#include <endian.h>
#include <string.h>

uint8_t *link_put_u16(uint8_t *out, uint32_t value) {
    const uint16_t big = htobe16((uint16_t)value);
    memcpy(out, &big, sizeof(big));
    return out + sizeof(big);
}

uint8_t *link_put_u32(uint8_t *out, uint32_t value) {
    const uint32_t big = htobe32(value);
    memcpy(out, &big, sizeof(big));
    return out + sizeof(big);
}

uint8_t *link_put_u64(uint8_t *out, uint64_t value) {
    const uint64_t big = htobe64(value);
    memcpy(out, &big, sizeof(big));
    return out + sizeof(big);
}

uint8_t *link_put_str(uint8_t *out, struct str bytes) {
    if (bytes.len > 0) {
        memcpy(out, bytes.data, bytes.len);
    }
    return out + bytes.len;
}

uint32_t link_get_u16(const char *bytes) {
    uint16_t big;
    memcpy(&big, bytes, sizeof(big));
    return be16toh(big);
}

uint32_t link_get_u32(const char *bytes) {
    uint32_t big;
    memcpy(&big, bytes, sizeof(big));
    return be32toh(big);
}

uint64_t link_get_u64(const char *bytes) {
    uint64_t big;
    memcpy(&big, bytes, sizeof(big));
    return be64toh(big);
}
