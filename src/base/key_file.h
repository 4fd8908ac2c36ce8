/* A private Ed25519 key in a file of its own: made at the first start, and never leaving the machine. */
#ifndef NATARIS_BASE_KEY_FILE_H
#define NATARIS_BASE_KEY_FILE_H

#include "base/digest.h"
#include "base/err.h"

/* Reads the file at `path` (64 hex digits), or makes it, with mode 0600, in a folder that is there. One that others may
 * read loses these rights. ERR_INVALID when it is damaged; `loss` says then what follows from doing without it. */
MUST_CHECK bool key_file_load(const char *path, const char *loss, uint8_t private_key[ED25519_KEY_SIZE],
                              struct err *err);
/* The same without making one: ERR_NOT_FOUND. */
MUST_CHECK bool key_file_read(const char *path, const char *loss, uint8_t private_key[ED25519_KEY_SIZE],
                              struct err *err);

#endif
