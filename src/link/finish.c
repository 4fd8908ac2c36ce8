#include "link/finish.h"

const char *link_finish_name(enum link_finish finish) {
    switch (finish) {
    case LINK_FINISH_STOP:
        return "stop";
    case LINK_FINISH_LENGTH:
        return "length";
    case LINK_FINISH_CANCELLED:
        return "cancelled";
    case LINK_FINISH_TOOL_CALLS:
        return "tool_calls";
    case LINK_FINISH_CONTENT_FILTER:
        return "content_filter";
    case LINK_FINISH_OTHER:
        break;
    }
    return "other";
}

enum link_finish link_finish_from_number(uint8_t number) {
    return number <= LINK_FINISH_CONTENT_FILTER ? (enum link_finish)number : LINK_FINISH_OTHER;
}

bool link_finish_from_name(struct str name, enum link_finish *out) {
    for (int i = LINK_FINISH_STOP; i <= LINK_FINISH_CANCELLED; i++) {
        if (str_equal_cstr(name, link_finish_name((enum link_finish)i))) {
            *out = (enum link_finish)i;
            return true;
        }
    }
    return false;
}

enum link_finish link_finish_for(enum link_version version, enum link_finish finish) {
    const bool known = finish >= LINK_FINISH_STOP && finish <= LINK_FINISH_CANCELLED;
    return version >= LINK_VERSION_2 || known ? finish : LINK_FINISH_STOP;
}

enum link_finish link_finish_from_generation(enum gen_finish finish) {
    switch (finish) {
    case GEN_FINISH_STOP:
        return LINK_FINISH_STOP;
    case GEN_FINISH_LENGTH:
        return LINK_FINISH_LENGTH;
    case GEN_FINISH_CANCELLED:
        return LINK_FINISH_CANCELLED;
    }
    return LINK_FINISH_STOP;
}
