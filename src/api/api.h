/* The HTTP API: routes only. A route reads a request, asks a room below (calls, conversations, workflows, jobs, the
 * store) and writes what it says. */
#ifndef NATARIS_API_API_H
#define NATARIS_API_API_H

#include "api/backend.h"

struct api;
struct calls;   /* call/calls.h */
struct formats; /* format/format.h */

/* `calls` and `formats` are borrowed, the backend is copied. */
struct api *api_new(struct calls *calls, const struct formats *formats, const struct api_backend *backend);
void api_free(struct api *api); /* no call may be alive; NULL is fine */
/* The handlers for struct http_server_events; their context is the struct api. */
void api_on_head(void *context, struct http_exchange *exchange);
void api_on_request(void *context, struct http_exchange *exchange);
void api_on_refused(void *context, struct http_exchange *exchange, int status, const char *why);
/* Goes on with the jobs and workflows that were open when the gateway before this one ended. */
void api_resume(struct api *api);
/* From now on runs fail instead of beginning (call/run.h); those that run go on. */
void api_drain(struct api *api);

#endif
