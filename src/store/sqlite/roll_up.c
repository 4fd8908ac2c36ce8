#include "store/sqlite/roll_up.h"

#include "store/sqlite/ledger.h"

/* What a step looks at. */
struct roll_up_range {
    int64_t after, last; /* numbers: behind the one, up to the other */
    int64_t before_ms;   /* the bound, with what unfinished jobs and workflows may ask for */
    int64_t looked, old, strange;
};

/* What an unfinished job or workflow has settled already must be found when its run is settled again: a gateway that
 * was down for longer than the bound would else charge it twice. */
static bool range_bound(struct sqlite_db *db, const struct store_roll_up *step, struct roll_up_range *out,
                        struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_ROLL_UP_BOUND);
    sqlite_bind_int(&binder, step->before_ms);
    if (!sqlite_next(db, SQL_ROLL_UP_BOUND, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_ROLL_UP_BOUND);
    out->before_ms = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_ROLL_UP_BOUND);
    return true;
}

static bool range_look(struct sqlite_db *db, const struct store_roll_up *step, size_t limit, struct roll_up_range *out,
                       struct err *err) {
    bool found;
    *out = (struct roll_up_range){.after = step->after};
    if (!range_bound(db, step, out, err)) {
        return false;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_ROLL_UP_LOOK);
    sqlite_bind_int(&binder, step->after);
    sqlite_bind_int(&binder, out->before_ms);
    sqlite_bind_int(&binder, step->now_ms);
    sqlite_bind_int(&binder, (int64_t)limit);
    if (!sqlite_next(db, SQL_ROLL_UP_LOOK, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_ROLL_UP_LOOK);
    out->last = sqlite_read_int(&reader);
    out->looked = sqlite_read_int(&reader);
    out->old = sqlite_read_int(&reader);
    out->strange = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_ROLL_UP_LOOK);
    return true;
}

/* Everything that names the rows comes before the rows. */
static bool range_roll_up(struct sqlite_db *db, const struct roll_up_range *range, struct err *err) {
    static const enum sql statements[] = {SQL_ROLL_UP_JOBS,  SQL_ROLL_UP_USAGE,  SQL_ROLL_UP_EARNED_TOTALS,
                                          SQL_ROLL_UP_COUNT, SQL_ROLL_UP_EARNED, SQL_ROLL_UP_PARTS,
                                          SQL_ROLL_UP_DELETE};
    for (size_t i = 0; i < COUNT_OF(statements); i++) {
        struct sqlite_binder binder = sqlite_bind(db, statements[i]);
        sqlite_bind_int(&binder, range->after);
        sqlite_bind_int(&binder, range->last);
        sqlite_bind_int(&binder, range->before_ms);
        if (!sqlite_run(db, statements[i], err)) {
            return false;
        }
    }
    return true;
}

/* Nearly all rows lie in the order of their times, so a step that finds nothing old is the last one. Rows of the
 * future, which a clock that was wrong has left, are stepped over: they become old in their time. */
bool sqlite_roll_up(struct store_connection *connection, const struct store_roll_up *step, size_t limit, int64_t *next,
                    struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    struct roll_up_range range;
    *next = 0;
    if (!range_look(ledger->db, step, limit, &range, err)) {
        return false;
    }
    if (range.old > 0 && (!ledger_list_all(ledger, err) || !range_roll_up(ledger->db, &range, err))) {
        return sqlite_no_refusal(false, err);
    }
    if (range.old + range.strange > 0 && range.looked == (int64_t)limit) {
        *next = range.last;
    }
    return true;
}
