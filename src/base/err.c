#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void err_set_message(struct err *err, enum err_code code, const char *format, va_list arguments) {
    if (err == NULL) {
        return;
    }
    err->code = code;
    err->field[0] = '\0';
    vsnprintf(err->message, sizeof(err->message), format, arguments);
}

bool err_set(struct err *err, enum err_code code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    err_set_message(err, code, format, arguments);
    va_end(arguments);
    return false;
}

bool err_set_field(struct err *err, enum err_code code, const char *field, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    err_set_message(err, code, format, arguments);
    va_end(arguments);
    if (err != NULL) {
        snprintf(err->field, sizeof(err->field), "%s", field);
    }
    return false;
}

bool err_set_errno(struct err *err, int error_number, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    err_set_message(err, ERR_IO, format, arguments);
    va_end(arguments);
    if (err != NULL) {
        /* The system's words matter more than a long path before them, so they are never the part cut off. */
        char words[ERR_MESSAGE_MAX / 2];
        snprintf(words, sizeof(words), ": %s",
                 strerrordesc_np(error_number) != NULL ? strerrordesc_np(error_number) : "unknown system error");
        size_t kept = strlen(err->message), room = sizeof(err->message) - 1 - strlen(words);
        if (kept > room) {
            kept = room;
        }
        snprintf(err->message + kept, sizeof(err->message) - kept, "%s", words);
    }
    return false;
}

void err_clear(struct err *err) {
    err->code = ERR_NONE;
    err->message[0] = '\0';
    err->field[0] = '\0';
}

const char *err_code_name(enum err_code code) {
    switch (code) {
    case ERR_NONE:
        return "none";
    case ERR_INVALID:
        return "invalid";
    case ERR_TOO_LARGE:
        return "too_large";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_DENIED:
        return "denied";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_UNSUPPORTED:
        return "unsupported";
    case ERR_UNAVAILABLE:
        return "unavailable";
    case ERR_IN_DOUBT:
        return "in_doubt";
    case ERR_TIMEOUT:
        return "timeout";
    case ERR_CLOSED:
        return "closed";
    case ERR_IO:
        return "io";
    case ERR_INTERNAL:
        return "internal";
    }
    return "unknown";
}
