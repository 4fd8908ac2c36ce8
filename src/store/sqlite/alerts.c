#include "store/sqlite/alerts.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/money.h"
#include "store/month.h"
#include "store/sqlite/events.h"
#include "store/sqlite/webhooks.h"

#include <stdlib.h>

enum {
    ALERTS_MAX = STORE_WEBHOOKS_MAX * (STORE_WEBHOOK_AMOUNTS_MAX + 1),
    ALERT_DATA_MAX = 512,
};

struct ledger_alert {
    int64_t webhook, amount_nano;
    enum store_event_kind kind;
};

struct ledger_alerts {
    bool counts; /* what the account spends in a month is kept: once it had a threshold, for ever */
    int64_t month_from_ms, month_to_ms, spent_nano;
    size_t count;
    struct ledger_alert items[]; /* so many */
};

static void alerts_set_month(struct ledger_alerts *alerts, int64_t wall_ms, int64_t spent_nano) {
    const int64_t month = store_month_of(wall_ms);
    alerts->month_from_ms = store_month_start(month);
    alerts->month_to_ms = store_month_start(month + 1);
    alerts->spent_nano = spent_nano;
}

static bool alerts_read_items(struct sqlite_db *db, int64_t account_number, struct ledger_alert items[ALERTS_MAX],
                              size_t *count, struct err *err) {
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_WEBHOOK_ALERTS);
    sqlite_bind_int(&binder, account_number);
    *count = 0;
    while ((ok = sqlite_next(db, SQL_WEBHOOK_ALERTS, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_WEBHOOK_ALERTS);
        int64_t webhook = sqlite_read_int(&reader), amounts[STORE_WEBHOOK_AMOUNTS_MAX];
        uint32_t events = (uint32_t)sqlite_read_int(&reader);
        int64_t balance_nano = sqlite_read_int(&reader);
        char text[STORE_WEBHOOK_AMOUNTS_MAX * 20];
        sqlite_read_text(&reader, text, sizeof(text));
        if ((events >> STORE_EVENT_BALANCE_LOW & 1) != 0 && *count < ALERTS_MAX) {
            items[(*count)++] = (struct ledger_alert){webhook, balance_nano, STORE_EVENT_BALANCE_LOW};
        }
        size_t amount_count =
            (events >> STORE_EVENT_USAGE_THRESHOLD & 1) != 0 ? sqlite_amounts_parse(text, amounts) : 0;
        for (size_t i = 0; i < amount_count && *count < ALERTS_MAX; i++) {
            items[(*count)++] = (struct ledger_alert){webhook, amounts[i], STORE_EVENT_USAGE_THRESHOLD};
        }
    }
    sqlite_reset(db, SQL_WEBHOOK_ALERTS);
    return ok;
}

static bool alerts_save_month(struct ledger *ledger, const struct ledger_account *account, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_MONTH_SET);
    sqlite_bind_int(&binder, account->number);
    sqlite_bind_int(&binder, account->alerts->month_from_ms);
    sqlite_bind_int(&binder, account->alerts->spent_nano);
    return sqlite_run(ledger->db, SQL_MONTH_SET, err);
}

/* For an account that gets its first threshold: what it had spent this month before the job that is being settled,
 * whose row is there already. */
static bool alerts_sum_month(struct ledger *ledger, const struct ledger_account *account,
                             const struct store_generation *job, struct err *err) {
    struct ledger_alerts *alerts = account->alerts;
    bool found;
    alerts_set_month(alerts, job->created_ms, 0);
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_MONTH_SUM);
    sqlite_bind_int(&binder, account->number);
    sqlite_bind_int(&binder, store_month_of(job->created_ms));
    sqlite_bind_int(&binder, ledger->first_job);
    if (!sqlite_next(ledger->db, SQL_MONTH_SUM, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(ledger->db, SQL_MONTH_SUM);
    alerts->spent_nano = sqlite_read_int(&reader) - job->charge_nano;
    sqlite_reset(ledger->db, SQL_MONTH_SUM);
    alerts->counts = true;
    return true;
}

static bool alerts_read_month(struct ledger *ledger, const struct ledger_account *account,
                              const struct store_generation *job, struct err *err) {
    struct ledger_alerts *alerts = account->alerts;
    bool wanted = false;
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_MONTH_GET);
    sqlite_bind_int(&binder, account->number);
    if (!sqlite_next(ledger->db, SQL_MONTH_GET, &alerts->counts, err)) {
        return false;
    }
    if (alerts->counts) {
        struct sqlite_reader reader = sqlite_read(ledger->db, SQL_MONTH_GET);
        int64_t from_ms = sqlite_read_int(&reader);
        alerts_set_month(alerts, from_ms, sqlite_read_int(&reader));
        sqlite_reset(ledger->db, SQL_MONTH_GET);
        return true;
    }
    for (size_t i = 0; i < alerts->count; i++) {
        wanted = wanted || alerts->items[i].kind == STORE_EVENT_USAGE_THRESHOLD;
    }
    return !wanted || alerts_sum_month(ledger, account, job, err);
}

static bool alerts_read(struct ledger *ledger, struct ledger_account *account, const struct store_generation *job,
                        struct err *err) {
    struct ledger_alert items[ALERTS_MAX];
    size_t count;
    if (!alerts_read_items(ledger->db, account->number, items, &count, err)) {
        return false;
    }
    struct ledger_alerts *alerts = mem_calloc(1, sizeof(*alerts) + count * sizeof(alerts->items[0]));
    alerts->count = count;
    for (size_t i = 0; i < count; i++) {
        alerts->items[i] = items[i];
    }
    account->alerts = alerts;
    if (!alerts_read_month(ledger, account, job, err)) {
        ledger_forget_alerts(account);
        return false;
    }
    return true;
}

static void member_usd(struct json_writer *writer, const char *key, int64_t nano) {
    char text[MONEY_TEXT_SIZE];
    json_write_key(writer, key);
    json_write_raw(writer, str_from(money_format_usd(nano, text)));
}

static void member_time(struct json_writer *writer, const char *key, int64_t wall_ms) {
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    json_member_cstr(writer, key, text);
}

static bool alert_tell(struct ledger *ledger, const struct ledger_account *account, const struct ledger_alert *alert,
                       int64_t now_ms, struct err *err) {
    const struct ledger_alerts *alerts = account->alerts;
    struct json_writer writer;
    struct buf data;
    buf_init(&data, ALERT_DATA_MAX);
    json_writer_init(&writer, &data);
    json_begin_object(&writer);
    member_usd(&writer, "threshold_usd", alert->amount_nano);
    if (alert->kind == STORE_EVENT_BALANCE_LOW) {
        member_usd(&writer, "balance_usd", account->wallet.amount_nano + account->given.amount_nano);
    } else {
        member_usd(&writer, "spent_usd", alerts->spent_nano);
        member_time(&writer, "period_start", alerts->month_from_ms);
        member_time(&writer, "period_end", alerts->month_to_ms - 1000);
    }
    json_end_object(&writer);
    const struct store_event event = {account->id, alert->kind, now_ms, buf_str(&data)};
    const struct sqlite_event_target target = {.account_number = account->number, .webhook = alert->webhook};
    bool ok = sqlite_event_add(ledger, &event, &target, NULL, err);
    buf_clear(&data);
    return ok;
}

static bool crossed_down(int64_t before, int64_t after, int64_t amount) {
    return before >= amount && after < amount;
}

static bool alerts_run(struct ledger *ledger, struct ledger_account *account, const struct store_generation *job,
                       struct err *err) {
    struct ledger_alerts *alerts = account->alerts;
    if (!ledger_load(ledger, &account->wallet, err) || !ledger_load(ledger, &account->given, err)) {
        return false;
    }
    const int64_t balance = account->wallet.amount_nano + account->given.amount_nano, charge = job->charge_nano;
    const int64_t now_ms = job->created_ms + job->latency_ms;
    /* A job of a month that has passed counts there, where nobody waits for it any more. */
    const bool counted = alerts->counts && job->created_ms >= alerts->month_from_ms;
    if (counted) {
        if (job->created_ms >= alerts->month_to_ms) {
            alerts_set_month(alerts, job->created_ms, 0);
        }
        alerts->spent_nano += charge;
        if (!alerts_save_month(ledger, account, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < alerts->count; i++) {
        const struct ledger_alert *alert = &alerts->items[i];
        const bool crossed = alert->kind == STORE_EVENT_BALANCE_LOW
                                 ? crossed_down(balance + charge, balance, alert->amount_nano)
                                 : counted && alerts->spent_nano >= alert->amount_nano &&
                                       alerts->spent_nano - charge < alert->amount_nano;
        if (crossed && !alert_tell(ledger, account, alert, now_ms, err)) {
            return false;
        }
    }
    return true;
}

bool alerts_settled(struct ledger *ledger, struct ledger_account *account, const struct store_generation *job,
                    struct err *err) {
    if (job->charge_nano == 0) {
        return true;
    }
    /* A refusal would leave half a settlement. */
    return sqlite_no_refusal((account->alerts != NULL || alerts_read(ledger, account, job, err)) &&
                                 alerts_run(ledger, account, job, err),
                             err);
}
