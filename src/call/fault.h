/* What a client is told when its request cannot be served: a code of the reference or of ours, words, and whether
 * trying again helps. format/envelope.h writes it; errors of functions (base/err.h) become one by fault_from_err. */
#ifndef NATARIS_CALL_FAULT_H
#define NATARIS_CALL_FAULT_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* The error codes of the reference and ours. */
enum fault_code {
    FAULT_INVALID_REQUEST,      /* 400 */
    FAULT_CONTEXT_LENGTH,       /* 400 context_length_exceeded */
    FAULT_INVALID_API_KEY,      /* 401 */
    FAULT_INSUFFICIENT_CREDITS, /* 402 */
    FAULT_FORBIDDEN,            /* 403 */
    FAULT_NOT_FOUND,            /* 404 route, or an object that is not there or somebody else's */
    FAULT_MODEL_NOT_FOUND,      /* 404 */
    /* 404 no_matching_provider: devices have the model, but none as the request wants it */
    FAULT_NO_MATCHING_PROVIDER,
    FAULT_METHOD_NOT_ALLOWED,  /* 405 */
    FAULT_REQUEST_TIMEOUT,     /* 408 */
    FAULT_CONVERSATION_BUSY,   /* 409: another call on this conversation is running */
    FAULT_CONFLICT,            /* 409 IDEMPOTENCY_CONFLICT; with a wait: the same call is still running */
    FAULT_TOO_LARGE,           /* 413 */
    FAULT_RATE_LIMIT_EXCEEDED, /* 429 */
    FAULT_INTERNAL,            /* 500 */
    FAULT_MODEL_WARMING,       /* 503 model_warming */
    FAULT_MODEL_UNAVAILABLE,   /* 503 model_unavailable */
    FAULT_UNAVAILABLE,         /* 503: draining or no attempt left */
    FAULT_CODES,               /* how many there are */
};

struct fault {
    enum fault_code code;
    int status; /* of HTTP; 0: the code's own */
    char message[ERR_MESSAGE_MAX];
    char param[ERR_FIELD_MAX]; /* the field at fault; empty: none */
    uint64_t retry_after_ms;   /* 0: the code's own */
};

/* A fault with its code's own status and wait, and no param. */
void fault_set(struct fault *fault, enum fault_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same about a field. */
void fault_set_param(struct fault *fault, enum fault_code code, const char *param, const char *format, ...)
    PRINTF_LIKE(4, 5);
/* "The request is too large." */
void fault_set_too_large(struct fault *fault);
/* What a failed function of ours means to a client. The details of what is our own fault go to the log only. */
void fault_from_err(struct fault *fault, const struct err *err);

int fault_status(const struct fault *fault);
const char *fault_name(enum fault_code code); /* as clients see it: "INVALID_REQUEST", ... */
const char *fault_type(enum fault_code code); /* OpenAI's class of it: "invalid_request_error", ... */
/* The code with that name; false: there is none. */
MUST_CHECK bool fault_code_of(struct str name, enum fault_code *out);
/* When to try again at the earliest; 0: nothing to say. */
uint64_t fault_retry_after_ms(const struct fault *fault);
/* The same in seconds, rounded up. */
uint64_t fault_retry_after_s(const struct fault *fault);
/* Whether trying again can help at all. */
bool fault_is_retryable(const struct fault *fault);

#endif
