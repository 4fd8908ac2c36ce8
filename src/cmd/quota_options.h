/* The quotas of a tier as an option of `nataris gateway`: "CONVERSATIONS,JOBS,WORKFLOWS,ANSWERS,DELIVERIES", each
 * ROWS/MIB. */
#ifndef NATARIS_CMD_QUOTA_OPTIONS_H
#define NATARIS_CMD_QUOTA_OPTIONS_H

#include "store/quota.h"

/* "1000/128,10000/256,1000/128,20000/128,10000/32"; 0 is no limit. Without the last one, that stays as it is in `out`.
 * ERR_INVALID says how it is written. */
MUST_CHECK bool quota_options_read(const char *text, struct store_amount out[STORE_KEPT_KINDS], struct err *err);

#endif
