#include "store/standing.h"

const char *store_standing_name(enum store_standing standing) {
    switch (standing) {
    case STORE_STANDING_SERVING:
        return "serving";
    case STORE_STANDING_QUARANTINED:
        return "quarantined";
    case STORE_STANDING_REMOVED:
        return "removed";
    }
    return "";
}
