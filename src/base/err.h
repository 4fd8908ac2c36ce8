/* The one error type, from the bottom of the program to the API's error envelope. */
#ifndef NATARIS_BASE_ERR_H
#define NATARIS_BASE_ERR_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a caller can act on; the API maps each to a status and an error code. */
enum err_code {
    ERR_NONE = 0,
    ERR_INVALID,   /* the input is wrong; `field` names the part */
    ERR_TOO_LARGE, /* a named limit was passed */
    ERR_NOT_FOUND,
    ERR_DENIED,      /* authentication or a signature failed */
    ERR_CONFLICT,    /* state does not allow it (port taken, newer schema, ...) */
    ERR_UNSUPPORTED, /* understood, but this build or peer does not do it */
    ERR_UNAVAILABLE, /* not done; may work later */
    ERR_IN_DOUBT,    /* nobody can tell whether it was done */
    ERR_TIMEOUT,
    ERR_CLOSED, /* the peer went away */
    ERR_IO,     /* the operating system said no; message carries its words */
    ERR_INTERNAL,
};

enum { ERR_MESSAGE_MAX = 256, ERR_FIELD_MAX = 160 };

struct err {
    enum err_code code;
    char message[ERR_MESSAGE_MAX]; /* one sentence for a person, no newline; never holds keys, prompts or answers */
    char field[ERR_FIELD_MAX];     /* request field such as "messages[2].role"; empty when none */
};

/* Fill `err` (may be NULL) and return false, so that a failing function ends with `return err_set(...)`. Long texts are
 * cut. */
bool err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same with the request field at fault. */
bool err_set_field(struct err *err, enum err_code code, const char *field, const char *format, ...) PRINTF_LIKE(4, 5);
/* As err_set with ": <strerror(error_number)>" appended and code ERR_IO. */
bool err_set_errno(struct err *err, int error_number, const char *format, ...) PRINTF_LIKE(3, 4);
void err_clear(struct err *err);
const char *err_code_name(enum err_code code);

#ifdef __cplusplus
}
#endif
#endif
