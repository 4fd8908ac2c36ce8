#include "cmd/quota_options.h"

enum { QUOTA_ROWS_MAX = 1000 * 1000 * 1000, QUOTA_MIB_MAX = 1024 * 1024 * 1024, MIB = 1024 * 1024 };

static bool amount_read(struct str text, struct store_amount *out) {
    struct str rows, mib;
    uint64_t a = 0, b = 0;
    if (!str_split(text, '/', &rows, &mib) || !str_parse_u64(rows, QUOTA_ROWS_MAX, &a) ||
        !str_parse_u64(mib, QUOTA_MIB_MAX, &b)) {
        return false;
    }
    *out = (struct store_amount){.rows = (int64_t)a, .bytes = (int64_t)b * MIB};
    return true;
}

bool quota_options_read(const char *text, struct store_amount out[STORE_KEPT_KINDS], struct err *err) {
    enum { LEAST = STORE_KEPT_DELIVERIES }; /* older command lines end before that one */
    struct str one, rest = str_from(text);
    bool more = true, good = true;
    size_t count = 0;
    while (good && more && count < STORE_KEPT_KINDS) {
        more = str_split(rest, ',', &one, &rest);
        good = amount_read(one, &out[count++]);
    }
    return (good && count >= LEAST && !more) ||
           err_set(
               err, ERR_INVALID,
               "quotas are five ROWS/MIB for conversations, jobs, workflows, answers and webhook deliveries, such as "
               "1000/128,10000/256,1000/128,20000/128,10000/32, not '%.64s'",
               text);
}
