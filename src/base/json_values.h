/* Members whose values have a form of our own: times and amounts of money. One writer of each, so that they look the
 * same wherever they are read. */
#ifndef NATARIS_BASE_JSON_VALUES_H
#define NATARIS_BASE_JSON_VALUES_H

#include "base/json_write.h"

/* A time in UTC, "2026-01-31T23:59:59.123Z"; null for 0, which is never. */
void json_member_time(struct json_writer *writer, const char *key, int64_t wall_ms);
/* An amount of nano-dollars as an exact decimal number of USD. */
void json_member_usd(struct json_writer *writer, const char *key, int64_t nano);
/* A text; null for an empty one. */
void json_member_text(struct json_writer *writer, const char *key, struct str text);

#endif
