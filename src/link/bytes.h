/* Numbers in the binary messages: without sign, the highest byte first. */
#ifndef NATARIS_LINK_BYTES_H
#define NATARIS_LINK_BYTES_H

#include "base/str.h"

#include <stdint.h>

/* Each writes its 2, 4 or 8 bytes and gives what follows them. */
uint8_t *link_put_u16(uint8_t *out, uint32_t value);
uint8_t *link_put_u32(uint8_t *out, uint32_t value);
uint8_t *link_put_u64(uint8_t *out, uint64_t value);
uint8_t *link_put_str(uint8_t *out, struct str bytes);

uint32_t link_get_u16(const char *bytes);
uint32_t link_get_u32(const char *bytes);
uint64_t link_get_u64(const char *bytes);

#endif
