#include "conversation/stored.h"

enum store_role conversation_stored_role(enum gen_role role) {
    switch (role) {
    case GEN_ROLE_SYSTEM:
        break;
    case GEN_ROLE_USER:
        return STORE_ROLE_USER;
    case GEN_ROLE_ASSISTANT:
        return STORE_ROLE_ASSISTANT;
    case GEN_ROLE_TOOL:
        return STORE_ROLE_TOOL;
    }
    return STORE_ROLE_SYSTEM;
}

enum gen_role conversation_gen_role(enum store_role role) {
    switch (role) {
    case STORE_ROLE_SYSTEM:
        break;
    case STORE_ROLE_USER:
        return GEN_ROLE_USER;
    case STORE_ROLE_ASSISTANT:
        return GEN_ROLE_ASSISTANT;
    case STORE_ROLE_TOOL:
        return GEN_ROLE_TOOL;
    }
    return GEN_ROLE_SYSTEM;
}
