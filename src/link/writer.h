/* Writes the members of a JSON message: base/json_write.h, and what the link's messages have in common. */
#ifndef NATARIS_LINK_WRITER_H
#define NATARIS_LINK_WRITER_H

#include "base/json_write.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Opens a message, and its object; the caller ends it with json_end_object. */
struct json_writer link_writer_begin(struct buf *out, const char *type);
void link_writer_count(struct json_writer *writer, const char *key, uint64_t value);
/* A number whose 0 means unknown or none, a flag that is false and an empty text are left out. */
void link_writer_known_count(struct json_writer *writer, const char *key, uint64_t value);
void link_writer_flag(struct json_writer *writer, const char *key, bool value);
void link_writer_fact(struct json_writer *writer, const char *key, struct str value);
/* At most 64 bytes. */
void link_writer_bytes(struct json_writer *writer, const char *key, const uint8_t *bytes, size_t len);

#endif
