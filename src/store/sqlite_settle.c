/* The end of a job: its record, its settlement in the ledger, its stored answer. */
#include "store/sqlite_money.h"

static bool settle_refuse(struct err *err, const struct store_job *job, const char *why) {
    return err_set(err, ERR_CONFLICT, "Job %s cannot be settled: %s", job->id, why);
}

static bool settle_check(const struct store_settlement *settlement, struct err *err) {
    const struct store_job *job = &settlement->job;
    if (job->charge_nano < 0 || job->charge_nano > STORE_AMOUNT_MAX_NANO) {
        return settle_refuse(err, job, "its charge is out of bounds");
    }
    if (job->provider_nano < 0 || job->provider_nano > job->charge_nano) {
        return settle_refuse(err, job, "the provider's part is not a part of its charge");
    }
    if (job->provider_nano > 0 && settlement->provider_account_id[0] == '\0') {
        return settle_refuse(err, job, "nobody is named who earns");
    }
    if (job->charge_nano > 0 && job->outcome == STORE_JOB_FAILED) {
        return settle_refuse(err, job, "a failure is never charged");
    }
    return true;
}

/* A stored answer that had not expired when this request came means that the request was settled already, unless the new
 * one may replace it: then only the newest is kept. */
static bool settle_make_room(struct ledger *ledger, const struct store_settlement *settlement, struct err *err) {
    struct sqlite_db *db = ledger->db;
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_EXPIRY);
    sqlite_bind_blob(&binder, settlement->answer->scope_sha256, DIGEST_SHA256_SIZE);
    if (!sqlite_next(db, SQL_ANSWER_EXPIRY, &found, err)) {
        return false;
    }
    if (!found) {
        return true;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_ANSWER_EXPIRY);
    bool expired = sqlite_read_int(&reader) <= settlement->job.created_ms;
    sqlite_reset(db, SQL_ANSWER_EXPIRY);
    if (!expired && !settlement->answer->replaces) {
        return settle_refuse(err, &settlement->job, "there is an answer under its idempotency key");
    }
    binder = sqlite_bind(db, SQL_ANSWER_DELETE);
    sqlite_bind_blob(&binder, settlement->answer->scope_sha256, DIGEST_SHA256_SIZE);
    return sqlite_run(db, SQL_ANSWER_DELETE, err);
}

static bool settle_add_answer(struct sqlite_db *db, const struct store_answer *answer, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_ADD);
    sqlite_bind_blob(&binder, answer->scope_sha256, sizeof(answer->scope_sha256));
    sqlite_bind_blob(&binder, answer->body_sha256, sizeof(answer->body_sha256));
    sqlite_bind_int(&binder, answer->expires_ms);
    sqlite_bind_int(&binder, answer->stream);
    sqlite_bind_blob(&binder, answer->content.data, answer->content.len);
    return sqlite_run(db, SQL_ANSWER_ADD, err);
}

/* Who a settlement is about. */
struct settle_parties {
    struct ledger_account *client, *earner; /* earner NULL: nobody */
    struct ledger_key *key;
};

static bool settle_find_parties(struct ledger *ledger, const struct store_settlement *settlement,
                                struct settle_parties *out, struct err *err) {
    *out = (struct settle_parties){0};
    bool ok = ledger_find_account(ledger, settlement->job.account_id, &out->client, err) &&
              ledger_find_key(ledger, settlement->job.key_id, &out->key, err) &&
              (settlement->job.provider_nano == 0 ||
               ledger_find_account(ledger, settlement->provider_account_id, &out->earner, err));
    if (!ok && err->code == ERR_NOT_FOUND) {
        err->code = ERR_CONFLICT;
    }
    return ok;
}

static bool settle_add_job(struct sqlite_db *db, const struct store_job *job, const struct settle_parties *parties,
                           struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_ADD);
    sqlite_bind_text(&binder, job->id);
    sqlite_bind_int(&binder, parties->client->number);
    sqlite_bind_int(&binder, parties->key->number);
    sqlite_bind_text(&binder, job->model);
    sqlite_bind_text(&binder, job->device_id);
    sqlite_bind_text(&binder, job->label);
    sqlite_bind_int(&binder, job->outcome);
    sqlite_bind_int(&binder, job->prompt_tokens);
    sqlite_bind_int(&binder, job->completion_tokens);
    sqlite_bind_int(&binder, job->attempts);
    sqlite_bind_int(&binder, job->ttft_ms);
    sqlite_bind_int(&binder, job->latency_ms);
    sqlite_bind_int(&binder, job->created_ms);
    sqlite_bind_int(&binder, job->charge_nano);
    sqlite_bind_int(&binder, job->provider_nano);
    sqlite_bind_int(&binder, parties->earner == NULL ? 0 : parties->earner->number);
    return sqlite_run(db, SQL_JOB_ADD, err);
}

/* The order matters: what may be refused comes before or with the job's row, whose id is unique; behind it a refusal
 * would leave half a settlement, so it is an error that rolls the whole group back. */
bool sqlite_settle(struct ledger *ledger, const struct store_settlement *settlement, struct err *err) {
    const struct store_job *job = &settlement->job;
    struct settle_parties parties;
    if (!settle_check(settlement, err) || !settle_find_parties(ledger, settlement, &parties, err)) {
        return false;
    }
    struct ledger_transaction transaction = {
        .kind = LEDGER_SETTLEMENT,
        .created_ms = job->created_ms,
        .note = "",
        .entries = {{&parties.client->wallet, -job->charge_nano},
                    {parties.earner == NULL ? NULL : &parties.earner->earnings, job->provider_nano},
                    {&ledger->network[LEDGER_REVENUE], job->charge_nano - job->provider_nano}},
    };
    if (!ledger_check_bounds(ledger, &transaction, err) ||
        (settlement->answer != NULL && !settle_make_room(ledger, settlement, err)) ||
        !settle_add_job(ledger->db, job, &parties, err)) {
        return false;
    }
    transaction.job_number = sqlite_last_number(ledger->db);
    if (settlement->answer != NULL && !settle_add_answer(ledger->db, settlement->answer, err)) {
        err->code = err->code == ERR_CONFLICT ? ERR_INTERNAL : err->code;
        return false;
    }
    ledger_settle(ledger, &transaction);
    if (job->charge_nano > 0) {
        ledger_spend(ledger, parties.key, job->charge_nano);
    }
    return true;
}

bool sqlite_answers_expire(struct sqlite_db *db, int64_t now_ms, int64_t limit, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_EXPIRE);
    sqlite_bind_int(&binder, now_ms);
    sqlite_bind_int(&binder, limit);
    return sqlite_run(db, SQL_ANSWER_EXPIRE, err);
}

void sqlite_job_read(struct sqlite_db *db, enum sql sql, struct store_job *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    sqlite_read_text(&reader, out->key_id, sizeof(out->key_id));
    sqlite_read_text(&reader, out->label, sizeof(out->label));
    sqlite_read_text(&reader, out->model, sizeof(out->model));
    sqlite_read_text(&reader, out->device_id, sizeof(out->device_id));
    out->outcome = (enum store_job_outcome)sqlite_read_int(&reader);
    out->prompt_tokens = (uint32_t)sqlite_read_int(&reader);
    out->completion_tokens = (uint32_t)sqlite_read_int(&reader);
    out->attempts = (uint32_t)sqlite_read_int(&reader);
    out->ttft_ms = (uint32_t)sqlite_read_int(&reader);
    out->latency_ms = (uint32_t)sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
    out->charge_nano = sqlite_read_int(&reader);
    out->provider_nano = sqlite_read_int(&reader);
}

bool sqlite_job_each(struct sqlite_db *db, bool (*row)(void *context, const struct store_job *job), void *context,
                     struct err *err) {
    bool ok, found;
    struct store_job job;
    while ((ok = sqlite_next(db, SQL_JOB_EACH, &found, err)) && found) {
        sqlite_job_read(db, SQL_JOB_EACH, &job);
        if (!row(context, &job)) {
            break;
        }
    }
    sqlite_reset(db, SQL_JOB_EACH);
    return ok;
}
