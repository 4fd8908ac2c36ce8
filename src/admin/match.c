#include "admin/match.h"

bool admin_match(const char *pattern, struct str path, char id[STORE_ID_MAX]) {
    struct str wanted, given, pattern_rest = str_from(pattern), path_rest = path;
    bool more_wanted = true, more_given = true;
    while (more_wanted) {
        more_wanted = str_split(pattern_rest, '/', &wanted, &pattern_rest);
        more_given = str_split(path_rest, '/', &given, &path_rest);
        if (str_equal_cstr(wanted, "{id}") ? given.len == 0 || !str_copy(id, STORE_ID_MAX, given)
                                           : !str_equal(wanted, given)) {
            return false;
        }
        if (more_wanted != more_given) {
            return false;
        }
    }
    return true;
}
