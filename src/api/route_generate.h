/* The routes of the formats (POST /v1/chat/completions, POST /v1/inference): a request for a generation, from its body
 * to a call, through a table of stages. */
#ifndef NATARIS_API_ROUTE_GENERATE_H
#define NATARIS_API_ROUTE_GENERATE_H

#include "api/request.h"

void route_generate_handle(struct api_request *request);

#endif
