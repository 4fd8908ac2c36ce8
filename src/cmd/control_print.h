/* What `nataris provider status` tells a person. */
#ifndef NATARIS_CMD_CONTROL_PRINT_H
#define NATARIS_CMD_CONTROL_PRINT_H

#include "base/json_read.h"

/* The answer of GET /status, on stdout. */
void control_print_status(struct json_value status);

#endif
