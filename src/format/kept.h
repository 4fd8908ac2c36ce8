/* What an account has kept for it and what it may have (store/kept.h), as JSON: the same for clients and the
 * operator. */
#ifndef NATARIS_FORMAT_KEPT_H
#define NATARIS_FORMAT_KEPT_H

#include "base/json_write.h"
#include "store/kept.h"

/* The member "kept" of the open object: for each kind rows and bytes, and of either the most (null: no limit). */
void kept_write(struct json_writer *writer, const struct store_kept_report *report);

#endif
