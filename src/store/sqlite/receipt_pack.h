/* The bytes of a receipt without what its generation's record says already, so that a row has it once. What comes
 * back is the very bytes, for what differs from the record is kept as it is. */
#ifndef NATARIS_STORE_SQLITE_RECEIPT_PACK_H
#define NATARIS_STORE_SQLITE_RECEIPT_PACK_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "store/generations.h"

#include <stddef.h>
#include <stdint.h>

/* So many bytes at most are in front of those of the receipt. */
enum { RECEIPT_PACK_EXTRA = 4 };

/* `out` has room for bytes.len + RECEIPT_PACK_EXTRA. Gives how many it has then. Any bytes are packed, those that are
 * no receipt, too. Of the record the id, account, model, device, purpose, outcome, time, tokens and charge are read:
 * what of them changes later comes out changed, too. */
size_t receipt_pack(const struct store_generation *record, struct str bytes, uint8_t *out);
/* out->data is on the heap, to be freed with free(); NULL after an error. ERR_INVALID: no such bytes were packed. */
MUST_CHECK bool receipt_unpack(const struct store_generation *record, struct str packed, struct str *out,
                               struct err *err);

#endif
