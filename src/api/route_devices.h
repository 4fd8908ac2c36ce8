/* GET /v1/provider/devices, /v1/provider/devices/{id}: an account's own devices, and why they get nothing to do. A
 * foreign id answers like one that is not there. */
#ifndef NATARIS_API_ROUTE_DEVICES_H
#define NATARIS_API_ROUTE_DEVICES_H

#include "api/route.h"

extern const struct route_set ROUTES_DEVICES;

#endif
