#include "store/sqlite/escrow.h"

#include "store/sqlite/devices.h"

/* States of rows, stored by number. */
enum escrow_state { ESCROW_HELD, ESCROW_RELEASED, ESCROW_RETURNED, ESCROW_FORFEITED };

static bool escrow_post(struct ledger *ledger, const struct ledger_transaction *transaction, struct err *err) {
    return ledger_check_bounds(ledger, transaction, err) && ledger_post(ledger, transaction, err);
}

bool sqlite_escrow_put(struct ledger *ledger, const struct escrow_row *row, struct err *err) {
    struct ledger_account *earner = row->earner;
    const struct ledger_transaction transaction = {
        .kind = LEDGER_ESCROW,
        .account_number = earner->number,
        .created_ms = row->held_ms,
        .note = row->generation_id,
        .entries = {{&earner->earnings, -row->paid_nano},
                    {&earner->escrow, row->paid_nano},
                    {&earner->given, -row->given_nano},
                    {&earner->given_escrow, row->given_nano}},
    };
    if (row->paid_nano == 0 && row->given_nano == 0) {
        return true;
    }
    if (!ledger_flush(ledger, err) || !escrow_post(ledger, &transaction, err)) {
        return false;
    }
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_ESCROW_ADD);
    sqlite_bind_int(&binder, row->generation_number);
    sqlite_bind_text(&binder, row->generation_id);
    sqlite_bind_text(&binder, row->device_id);
    sqlite_bind_int(&binder, earner->number);
    sqlite_bind_int(&binder, row->client_number);
    sqlite_bind_int(&binder, row->paid_nano);
    sqlite_bind_int(&binder, row->given_nano);
    sqlite_bind_int(&binder, row->created_ms);
    sqlite_bind_int(&binder, row->held_ms);
    return sqlite_run(ledger->db, SQL_ESCROW_ADD, err);
}

/* --- Taking what was earned already --- */

enum { ESCROW_ROWS_MAX = 256 };

struct earned_row {
    int64_t number, earner, client, created_ms, paid_nano, given_nano;
    char id[STORE_ID_MAX];
};

/* Of one earner, the newest first. *next: where to go on when there is more in the range than that. */
static bool earned_read(struct ledger *ledger, const struct store_escrow_hold *step, int64_t before, int64_t from,
                        struct earned_row rows[ESCROW_ROWS_MAX], size_t *count, int64_t *next, struct err *err) {
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_ESCROW_EARNED);
    sqlite_bind_text(&binder, step->device_id);
    sqlite_bind_int(&binder, step->since_ms);
    sqlite_bind_int(&binder, before);
    sqlite_bind_int(&binder, from);
    *count = 0;
    while ((ok = sqlite_next(ledger->db, SQL_ESCROW_EARNED, &found, err)) && found) {
        struct earned_row row;
        struct sqlite_reader reader = sqlite_read(ledger->db, SQL_ESCROW_EARNED);
        row.number = sqlite_read_int(&reader);
        sqlite_read_text(&reader, row.id, sizeof(row.id));
        row.earner = sqlite_read_int(&reader);
        row.client = sqlite_read_int(&reader);
        row.created_ms = sqlite_read_int(&reader);
        row.paid_nano = sqlite_read_int(&reader);
        row.given_nano = sqlite_read_int(&reader);
        if (*count == ESCROW_ROWS_MAX || (*count > 0 && rows[0].earner != row.earner)) {
            *next = row.number + 1;
            break;
        }
        rows[(*count)++] = row;
    }
    sqlite_reset(ledger->db, SQL_ESCROW_EARNED);
    return ok;
}

static int64_t lesser(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static bool earned_take(struct ledger *ledger, const struct store_escrow_hold *step, const struct earned_row *earned,
                        struct store_escrow_held *out, struct err *err) {
    struct ledger_account *earner;
    if (!ledger_find_account_by_number(ledger, earned->earner, &earner, err) ||
        !ledger_load(ledger, &earner->earnings, err) || !ledger_load(ledger, &earner->given, err)) {
        return false;
    }
    const struct escrow_row row = {
        .generation_number = earned->number,
        .generation_id = earned->id,
        .device_id = step->device_id,
        .earner = earner,
        .client_number = earned->client,
        .paid_nano = lesser(earned->paid_nano, earner->earnings.amount_nano),
        .given_nano = lesser(earned->given_nano, earner->given.amount_nano),
        .created_ms = earned->created_ms,
        .held_ms = step->now_ms,
    };
    out->account_number = (uint64_t)earned->earner;
    out->paid_nano += row.paid_nano;
    out->given_nano += row.given_nano;
    return sqlite_escrow_put(ledger, &row, err);
}

static bool newest_generation(struct ledger *ledger, int64_t *out, struct err *err) {
    bool found;
    if (!sqlite_next(ledger->db, SQL_GENERATION_LAST, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(ledger->db, SQL_GENERATION_LAST);
    *out = sqlite_read_int(&reader);
    sqlite_reset(ledger->db, SQL_GENERATION_LAST);
    return true;
}

static bool hold_inside(struct ledger *ledger, const struct store_escrow_hold *step, size_t limit,
                        struct store_escrow_held *out, struct err *err) {
    struct earned_row rows[ESCROW_ROWS_MAX];
    size_t count;
    int64_t before = step->before;
    if (!ledger_flush(ledger, err) || (before == 0 && !newest_generation(ledger, &before, err))) {
        return false;
    }
    before += step->before == 0; /* the newest one, too */
    const int64_t from = before > (int64_t)limit ? before - (int64_t)limit : 0;
    out->next = from;
    if (!earned_read(ledger, step, before, from, rows, &count, &out->next, err)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!earned_take(ledger, step, &rows[i], out, err)) {
            return false;
        }
    }
    return true;
}

static bool escrow_hold(struct store_connection *connection, const struct store_escrow_hold *step, size_t limit,
                        struct store_escrow_held *out, struct err *err) {
    *out = (struct store_escrow_held){0};
    return sqlite_no_refusal(hold_inside(ledger_of(connection), step, limit, out, err), err);
}

/* --- The operator's word --- */

struct escrow_sum {
    int64_t earner, client, paid_nano, given_nano, generations;
};

static bool escrow_sum(struct ledger *ledger, enum sql sql, const char *device_id, struct escrow_sum *out,
                       struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(ledger->db, sql);
    sqlite_bind_text(&binder, device_id);
    if (!sqlite_next(ledger->db, sql, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set(err, ERR_NOT_FOUND, "Nothing that %s earned is in escrow", device_id);
    }
    struct sqlite_reader reader = sqlite_read(ledger->db, sql);
    out->earner = sqlite_read_int(&reader);
    out->client = sqlite_read_int(&reader);
    out->paid_nano = sqlite_read_int(&reader);
    out->given_nano = sqlite_read_int(&reader);
    out->generations = sqlite_read_int(&reader);
    sqlite_reset(ledger->db, sql);
    return true;
}

static bool escrow_left(struct ledger *ledger, const char *device_id, int64_t *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_ESCROW_LEFT);
    sqlite_bind_text(&binder, device_id);
    if (!sqlite_next(ledger->db, SQL_ESCROW_LEFT, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(ledger->db, SQL_ESCROW_LEFT);
    *out = sqlite_read_int(&reader);
    sqlite_reset(ledger->db, SQL_ESCROW_LEFT);
    return true;
}

static bool escrow_mark(struct ledger *ledger, const struct store_admin *admin, const struct escrow_sum *sum,
                        enum escrow_state state, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_ESCROW_END);
    sqlite_bind_text(&binder, admin->device.id);
    sqlite_bind_int(&binder, state);
    sqlite_bind_int(&binder, admin->now_ms);
    sqlite_bind_int(&binder, sum->earner);
    sqlite_bind_int(&binder, sum->client);
    return sqlite_run(ledger->db, SQL_ESCROW_END, err);
}

/* Where the two kinds go: to the earner, or to the client; with nobody, to revenue. */
static void escrow_targets(struct ledger *ledger, struct ledger_account *earner, struct ledger_account *client,
                           enum ledger_kind kind, struct ledger_balance **paid, struct ledger_balance **given) {
    struct ledger_balance *revenue = &ledger->network[LEDGER_REVENUE];
    *paid = kind == LEDGER_RELEASE ? &earner->earnings : kind == LEDGER_RETURN ? &client->wallet : revenue;
    *given = kind == LEDGER_RELEASE ? &earner->given : kind == LEDGER_RETURN ? &client->given : revenue;
}

bool sqlite_escrow_end(struct ledger *ledger, const struct store_admin *admin, struct store_admin *moved,
                       struct err *err) {
    const bool back = admin->kind == STORE_ADMIN_ESCROW_RETURN;
    const enum ledger_kind kind = back                                        ? LEDGER_RETURN
                                  : admin->kind == STORE_ADMIN_ESCROW_RELEASE ? LEDGER_RELEASE
                                                                              : LEDGER_FORFEIT;
    struct escrow_sum sum = {0};
    struct ledger_account *earner = NULL, *client = NULL;
    struct ledger_balance *paid, *given;
    if (!escrow_sum(ledger, back ? SQL_ESCROW_NEXT : SQL_ESCROW_ALL, admin->device.id, &sum, err) ||
        !ledger_find_account_by_number(ledger, sum.earner, &earner, err) ||
        (back && !ledger_find_account_by_number(ledger, sum.client, &client, err))) {
        return false;
    }
    escrow_targets(ledger, earner, client, kind, &paid, &given);
    const struct ledger_transaction transaction = {
        .kind = kind,
        .account_number = earner->number,
        .created_ms = admin->now_ms,
        .note = admin->note[0] != '\0' ? admin->note : admin->device.id,
        .entries = {{&earner->escrow, -sum.paid_nano},
                    {paid, sum.paid_nano},
                    {&earner->given_escrow, -sum.given_nano},
                    {given, sum.given_nano}},
    };
    (void)str_copy(moved->account.id, sizeof(moved->account.id), str_from(back ? client->id : earner->id));
    moved->amount_nano = sum.paid_nano + sum.given_nano;
    moved->given_nano = sum.given_nano;
    return escrow_post(ledger, &transaction, err) &&
           escrow_mark(ledger, admin, &sum, (enum escrow_state)(kind - LEDGER_ESCROW), err) &&
           escrow_left(ledger, admin->device.id, &moved->left, err);
}

/* --- The desk --- */

static bool escrow_page(struct store_connection *connection, const char *after, size_t limit, struct store_escrow *rows,
                        size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_ESCROW_PAGE);
    sqlite_bind_text(&binder, after);
    sqlite_bind_int(&binder, (int64_t)limit);
    *count = 0;
    while ((ok = sqlite_next(db, SQL_ESCROW_PAGE, &found, err)) && found) {
        struct store_escrow *row = &rows[(*count)++];
        struct sqlite_reader reader = sqlite_read(db, SQL_ESCROW_PAGE);
        sqlite_read_text(&reader, row->device_id, sizeof(row->device_id));
        sqlite_read_text(&reader, row->account_id, sizeof(row->account_id));
        row->generations = sqlite_read_int(&reader);
        row->paid_nano = sqlite_read_int(&reader);
        row->given_nano = sqlite_read_int(&reader);
        row->since_ms = sqlite_read_int(&reader);
        row->in_review = sqlite_read_int(&reader) != 0;
        sqlite_read_text(&reader, row->name, sizeof(row->name));
    }
    return ok;
}

const struct store_escrow_rows sqlite_escrow_rows = {.hold = escrow_hold, .page = escrow_page};
