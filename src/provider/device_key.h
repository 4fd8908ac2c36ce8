/* The device's identity: an Ed25519 key made on the device, which never leaves it. */
#ifndef NATARIS_PROVIDER_DEVICE_KEY_H
#define NATARIS_PROVIDER_DEVICE_KEY_H

#include "base/digest.h"
#include "base/err.h"

/* Reads DATA/device_key (64 hex digits), or makes it and the folder at the first start. A file that others may read
 * loses these rights. ERR_INVALID when the file is damaged. */
MUST_CHECK bool device_key_load(const char *data_folder, uint8_t private_key[ED25519_KEY_SIZE], struct err *err);

#endif
