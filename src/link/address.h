/* Where a gateway's links are. */
#ifndef NATARIS_LINK_ADDRESS_H
#define NATARIS_LINK_ADDRESS_H

#include "base/err.h"

#include <stdbool.h>

/* The gateway's address with LINK_PATH behind its own path; the caller frees it. ERR_INVALID when `url` is no address,
 * or one that needs TLS while there is none here. */
MUST_CHECK bool link_address_of(const char *url, bool has_tls, char **out, struct err *err);

#endif
