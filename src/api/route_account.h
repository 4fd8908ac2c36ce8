/* GET and PATCH /v1/account: what an account is, and whether its prompts may be shown to devices that score answers. */
#ifndef NATARIS_API_ROUTE_ACCOUNT_H
#define NATARIS_API_ROUTE_ACCOUNT_H

#include "api/request.h"

extern const struct route_set ROUTES_ACCOUNT;

#endif
