#include "provider/doctor_finding.h"

#include <stdarg.h>
#include <stdio.h>

const char *doctor_level_name(enum doctor_level level) {
    switch (level) {
    case DOCTOR_OK:
        return "ok";
    case DOCTOR_WARN:
        return "warn";
    case DOCTOR_FAIL:
        break;
    }
    return "fail";
}

void doctor_say(struct doctor *doctor, const char *check, enum doctor_level level, const char *advice,
                const char *format, ...) {
    struct doctor_finding finding = {.check = check, .level = level, .advice = advice};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding.message, sizeof(finding.message), format, arguments);
    va_end(arguments);
    doctor->failed = doctor->failed || level == DOCTOR_FAIL;
    doctor->on_finding(doctor->context, &finding);
}
