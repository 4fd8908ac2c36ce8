/* GET /v1/receipts/{id}, /v1/receipts/head and /v1/receipts/chain: what a buyer can show of what was done and charged
 * (docs/RECEIPTS.md). A foreign id answers like one that is not there. */
#ifndef NATARIS_API_ROUTE_RECEIPTS_H
#define NATARIS_API_ROUTE_RECEIPTS_H

#include "api/route.h"

extern const struct route_set ROUTES_RECEIPTS;

#endif
