#include "link/version.h"

bool link_version_from_number(uint32_t number, enum link_version *out) {
    if (number < LINK_VERSION_1 || number > LINK_VERSION_NEWEST) {
        return false;
    }
    *out = (enum link_version)number;
    return true;
}

bool link_version_choose(const uint32_t *offered, size_t count, enum link_version *out) {
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        enum link_version version;
        if (link_version_from_number(offered[i], &version) && (!found || version > *out)) {
            *out = version;
            found = true;
        }
    }
    return found;
}
