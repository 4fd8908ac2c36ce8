/* One line for each finished request. Prompts, answers, keys and unknown paths stay out of it. */
#ifndef NATARIS_API_ACCESS_LOG_H
#define NATARIS_API_ACCESS_LOG_H

#include "api/request.h"
#include "call/call.h"

void access_log(const struct api_request *request, int status);
/* `outcome`: "completed", a fault's name, or "abandoned"; usage NULL when unknown. */
void access_log_call(const struct api_request *request, const struct call *call, bool streamed, int status,
                     const char *outcome, const struct gen_usage *usage);

#endif
