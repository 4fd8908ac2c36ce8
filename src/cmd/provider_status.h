/* What `nataris provider status` tells a person. */
#ifndef NATARIS_CMD_PROVIDER_STATUS_H
#define NATARIS_CMD_PROVIDER_STATUS_H

#include "base/json_read.h"

/* Prints the provider's answer to GET /status on stdout. */
void provider_status_print(struct json_value status);

#endif
