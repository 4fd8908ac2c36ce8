/* nataris receipt show|head: what a gateway's data folder has of the chain of receipts, as the API would tell it. Both
 * read the store itself; a gateway may be running. */
#ifndef NATARIS_CMD_RECEIPT_H
#define NATARIS_CMD_RECEIPT_H

#include "base/digest.h"
#include "cmd/command.h"

/* The gateway's private key that signs receipts, DATA/receipt_key; made at the first start. */
MUST_CHECK bool receipt_key_load(const char *data_folder, uint8_t private_key[ED25519_KEY_SIZE], struct err *err);

extern const struct command COMMAND_RECEIPT_SHOW;
extern const struct command COMMAND_RECEIPT_HEAD;

#endif
