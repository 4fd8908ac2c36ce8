/* POST /v1/messages/count_tokens: how many tokens a message's prompt has. */
#ifndef NATARIS_API_ROUTE_COUNT_TOKENS_H
#define NATARIS_API_ROUTE_COUNT_TOKENS_H

#include "api/route.h"

extern const struct route_set ROUTES_COUNT_TOKENS;

#endif
