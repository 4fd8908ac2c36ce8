#include "store/sqlite/settlements.h"

#include "store/ledger.h"
#include "store/sqlite/account_seal.h"
#include "store/sqlite/alerts.h"
#include "store/sqlite/answers.h"
#include "store/sqlite/escrow.h"
#include "store/sqlite/receipts.h"
#include "store/sqlite/steps.h"
#include "store/sqlite/turns.h"

static bool settle_refuse(struct err *err, const struct store_generation *job, const char *why) {
    return err_set(err, ERR_CONFLICT, "Job %s cannot be settled: %s", job->id, why);
}

/* Of either kind of credit no more is earned than was paid of it. */
static bool settle_check_kinds(const struct store_generation *job, int64_t earned_given_nano) {
    return earned_given_nano <= job->given_nano &&
           job->provider_nano - earned_given_nano <= job->charge_nano - job->given_nano;
}

static bool settle_check_given(const struct store_settlement *settlement) {
    const struct store_generation *job = &settlement->generation;
    return job->given_nano >= 0 && job->given_nano <= job->charge_nano && job->provider_given_nano >= 0 &&
           job->provider_given_nano <= job->provider_nano &&
           (settlement->part_count >= 2 || settle_check_kinds(job, job->provider_given_nano));
}

static bool settle_check_parts(const struct store_settlement *settlement, struct err *err) {
    const struct store_generation *job = &settlement->generation;
    int64_t amount_nano = 0, given_nano = 0;
    uint64_t tokens = 0;
    if (settlement->part_count < 2) {
        return true;
    }
    if (settlement->part_count > STORE_PARTS_MAX) {
        return settle_refuse(err, job, "it has too many parts");
    }
    for (size_t i = 0; i < settlement->part_count; i++) {
        const struct store_part *part = &settlement->parts[i];
        if (part->amount_nano < 0 || part->amount_nano > job->provider_nano || part->given_nano < 0 ||
            part->given_nano > part->amount_nano) {
            return settle_refuse(err, job, "a part's amount is out of bounds");
        }
        amount_nano += part->amount_nano;
        given_nano += part->given_nano;
        tokens += part->tokens;
    }
    if (job->provider_given_nano != 0 || !settle_check_kinds(job, given_nano)) {
        return settle_refuse(err, job, "more is earned of given credit, or of paid credit, than was paid of it");
    }
    return (amount_nano == job->provider_nano && tokens == job->completion_tokens) ||
           settle_refuse(err, job, "its parts do not add up");
}

static bool settle_check(const struct store_settlement *settlement, struct err *err) {
    const struct store_generation *job = &settlement->generation;
    if (job->charge_nano < 0 || job->charge_nano > STORE_AMOUNT_MAX_NANO) {
        return settle_refuse(err, job, "its charge is out of bounds");
    }
    if (job->provider_nano < 0 || job->provider_nano > job->charge_nano) {
        return settle_refuse(err, job, "the provider's part is not a part of its charge");
    }
    if (!settle_check_given(settlement)) {
        return settle_refuse(err, job, "what is given credit of it is out of bounds");
    }
    if (job->provider_nano > 0 && settlement->part_count < 2 && settlement->provider_account_id[0] == '\0') {
        return settle_refuse(err, job, "nobody is named who earns");
    }
    if (job->charge_nano > 0 && job->outcome == STORE_OUTCOME_FAILED) {
        return settle_refuse(err, job, "a failure is never charged");
    }
    return settle_check_parts(settlement, err);
}

/* A stored answer that had not expired when this request came means that the request was settled already, unless the
 * new one may replace it: then only the newest is kept. */
static bool settle_make_room(struct ledger *ledger, const struct store_settlement *settlement, struct err *err) {
    bool room;
    return sqlite_answer_room(ledger->db, settlement->answer, settlement->generation.created_ms, &room, err) &&
           (room || settle_refuse(err, &settlement->generation, "there is an answer under its idempotency key"));
}

/* Who a settlement is about. */
struct settle_parties {
    struct ledger_account *client, *earner; /* earner NULL: nobody */
    struct ledger_key *key;
    /* Of a generation of several parts, instead of `earner`: whose each part is, and what each earns of them in all. */
    struct ledger_account *part_owners[STORE_PARTS_MAX];
    struct ledger_entry earned[2 * STORE_PARTS_MAX]; /* of both kinds */
    size_t earned_count;
};

static void settle_earn(struct settle_parties *parties, struct ledger_balance *balance, int64_t amount_nano) {
    for (size_t i = 0; i < parties->earned_count; i++) {
        if (parties->earned[i].balance == balance) {
            parties->earned[i].amount_nano += amount_nano;
            return;
        }
    }
    parties->earned[parties->earned_count++] = (struct ledger_entry){balance, amount_nano};
}

static bool settle_find_earners(struct ledger *ledger, const struct store_settlement *settlement,
                                struct settle_parties *out, struct err *err) {
    if (settlement->part_count < 2) {
        return settlement->generation.provider_nano == 0 ||
               ledger_find_account(ledger, settlement->provider_account_id, &out->earner, err);
    }
    for (size_t i = 0; i < settlement->part_count; i++) {
        const struct store_part *part = &settlement->parts[i];
        if (!ledger_find_account(ledger, part->account_id, &out->part_owners[i], err)) {
            return false;
        }
        settle_earn(out, &out->part_owners[i]->earnings, part->amount_nano - part->given_nano);
        settle_earn(out, &out->part_owners[i]->given, part->given_nano);
    }
    return true;
}

/* In the row of a job that one device made, for whoever looks for it: who earned from it, or whose device it was that
 * made it free. */
static int64_t settle_maker(const struct store_settlement *settlement, const struct settle_parties *parties) {
    const struct store_generation *job = &settlement->generation;
    const bool own = settlement->part_count < 2 && job->charge_nano == 0 && job->outcome != STORE_OUTCOME_FAILED &&
                     strcmp(settlement->provider_account_id, job->account_id) == 0;
    return parties->earner != NULL ? parties->earner->number : own ? parties->client->number : 0;
}

static bool settle_find_parties(struct ledger *ledger, const struct store_settlement *settlement,
                                struct settle_parties *out, struct err *err) {
    out->earner = NULL;
    out->earned_count = 0;
    bool ok = ledger_find_account(ledger, settlement->generation.account_id, &out->client, err) &&
              ledger_find_key(ledger, settlement->generation.key_id, &out->key, err) &&
              settle_find_earners(ledger, settlement, out, err);
    if (!ok && err->code == ERR_NOT_FOUND) {
        err->code = ERR_CONFLICT;
    }
    return ok;
}

/* What its row has of its receipt; nothing of one that has none. */
struct settle_receipt {
    struct receipt_next next;
    uint8_t *kept; /* on the heap; NULL: it has none */
    size_t size;
};

/* One that ends after its account was erased tells nothing of its texts either. */
static bool settle_find_receipt(struct ledger *ledger, const struct store_settlement *settlement,
                                struct ledger_account *client, struct settle_receipt *out, struct err *err) {
    static const uint8_t none[RECEIPT_SALT_SIZE] = {0};
    const struct store_generation *job = &settlement->generation;
    out->kept = NULL;
    if (settlement->receipt.len == 0) {
        return true;
    }
    if (!ledger_learn_erased(ledger, client, err) ||
        !sqlite_receipt_next(ledger->db, &ledger->receipts, job->created_ms + job->latency_ms, &out->next, err)) {
        return false;
    }
    out->kept = sqlite_receipt_pack(&out->next, client->erased ? none : settlement->receipt_salt, job,
                                    settlement->receipt, &out->size);
    return true;
}

/* `gone`: so is the conversation that it was for, and nothing is to name it any more. */
static bool settle_add_job(struct sqlite_db *db, const struct store_settlement *settlement,
                           const struct settle_parties *parties, bool gone, const struct settle_receipt *receipt,
                           struct err *err) {
    const struct store_generation *job = &settlement->generation;
    struct sqlite_binder binder = sqlite_bind(db, SQL_GENERATION_ADD);
    sqlite_bind_text(&binder, job->id);
    sqlite_bind_int(&binder, parties->client->number);
    sqlite_bind_int(&binder, parties->key->number);
    sqlite_bind_text(&binder, job->model);
    sqlite_bind_text(&binder, job->device_id);
    sqlite_bind_text(&binder, gone ? "" : job->label);
    sqlite_bind_int(&binder, job->outcome);
    sqlite_bind_int(&binder, job->prompt_tokens);
    sqlite_bind_int(&binder, job->completion_tokens);
    sqlite_bind_int(&binder, job->attempts);
    sqlite_bind_int(&binder, job->ttft_ms);
    sqlite_bind_int(&binder, job->latency_ms);
    sqlite_bind_int(&binder, job->created_ms);
    sqlite_bind_int(&binder, job->charge_nano);
    sqlite_bind_int(&binder, job->provider_nano);
    sqlite_bind_int(&binder, settle_maker(settlement, parties));
    sqlite_bind_int(&binder, job->purpose);
    sqlite_bind_int(&binder, job->kind);
    sqlite_bind_int(&binder, job->given_nano);
    sqlite_bind_int(&binder, job->provider_given_nano);
    if (receipt->kept != NULL) {
        sqlite_bind_int(&binder, receipt->next.day_number);
        sqlite_bind_int(&binder, receipt->next.link.place);
        sqlite_bind_blob(&binder, receipt->kept, receipt->size);
    } else {
        sqlite_bind_null(&binder);
        sqlite_bind_null(&binder);
        sqlite_bind_null(&binder);
    }
    return sqlite_run(db, SQL_GENERATION_ADD, err);
}

/* With its receipt. */
static bool settle_add_received(struct ledger *ledger, const struct store_settlement *settlement,
                                const struct settle_parties *parties, bool gone, int64_t *number, struct err *err) {
    struct settle_receipt receipt;
    if (!settle_find_receipt(ledger, settlement, parties->client, &receipt, err)) {
        return false;
    }
    const bool ok = settle_add_job(ledger->db, settlement, parties, gone, &receipt, err);
    const bool kept = receipt.kept != NULL;
    free(receipt.kept);
    if (!ok) {
        return false;
    }
    *number = sqlite_last_number(ledger->db);
    return !kept || sqlite_no_refusal(sqlite_receipt_added(ledger->db, &ledger->receipts, &receipt.next, *number,
                                                           settlement->receipt, err),
                                      err);
}

static bool settle_add_parts(struct sqlite_db *db, const struct store_settlement *settlement,
                             const struct settle_parties *parties, int64_t job_number, struct err *err) {
    for (size_t i = 0; i < settlement->part_count && settlement->part_count > 1; i++) {
        const struct store_part *part = &settlement->parts[i];
        const bool last = i + 1 == settlement->part_count;
        struct sqlite_binder binder = sqlite_bind(db, SQL_GENERATION_PART_ADD);
        sqlite_bind_int(&binder, job_number);
        sqlite_bind_int(&binder, parties->part_owners[i]->number);
        sqlite_bind_text(&binder, part->device_id);
        sqlite_bind_int(&binder, last ? settlement->generation.prompt_tokens : 0);
        sqlite_bind_int(&binder, part->tokens);
        sqlite_bind_int(&binder, part->amount_nano);
        sqlite_bind_int(&binder, part->given_nano);
        if (!sqlite_run(db, SQL_GENERATION_PART_ADD, err)) {
            return false;
        }
    }
    return true;
}

/* The conversation that a settlement belongs to; `gone`: it had one. `unkept`: its answer is not to be kept, for its
 * account was erased, or has no room for one that it did not ask to be kept. */
struct settle_place {
    struct turn_place turn;
    bool gone, unkept;
    bool also_unkept; /* likewise of the one beside it */
};

/* A workflow's step does nothing to the conversation, but what it says goes with it: a step that is not there any more
 * went with its workflow. */
static bool settle_find_place(struct ledger *ledger, const struct store_settlement *settlement,
                              struct settle_place *out, struct err *err) {
    const struct store_generation *job = &settlement->generation;
    bool found;
    *out = (struct settle_place){0};
    if (settlement->turn != NULL) {
        const bool ok = sqlite_turn_find(ledger, settlement->turn, &out->turn, err);
        out->gone = out->turn.number == 0;
        return ok;
    }
    if (job->purpose != STORE_PURPOSE_STEP) {
        return true;
    }
    const bool ok = sqlite_step_place(ledger->db, job->id, &out->turn, &found, err);
    out->gone = !found;
    return ok;
}

/* An answer of no conversation is its account's; of one that was erased nothing is kept. */
static bool settle_find_seal(struct ledger *ledger, const struct store_settlement *settlement,
                             const struct settle_parties *parties, struct settle_place *place, struct err *err) {
    if (settlement->answer == NULL || place->gone || place->turn.number != 0) {
        return true;
    }
    const bool ok = sqlite_account_seal(ledger->db, parties->client->number, &place->turn, err);
    place->unkept = place->also_unkept = place->turn.number == 0;
    return ok;
}

static bool settle_find_room(struct sqlite_db *db, const struct store_settlement *settlement, int64_t account_number,
                             struct settle_place *place, struct err *err) {
    const struct store_answer *answer = settlement->answer;
    bool room = true;
    if (answer == NULL) {
        return true;
    }
    if (answer->spare && !sqlite_answer_fits(db, account_number, answer, &room, err)) {
        return false;
    }
    place->unkept |= !room;
    if (answer->also == NULL || !answer->also->spare) {
        return true;
    }
    const bool ok = sqlite_answer_fits(db, account_number, answer->also, &room, err);
    place->also_unkept |= !room;
    return ok;
}

/* What may be refused before anything is written. */
static bool settle_prepare(struct ledger *ledger, const struct store_settlement *settlement,
                           const struct settle_parties *parties, struct settle_place *place, struct err *err) {
    return settle_find_place(ledger, settlement, place, err) &&
           (settlement->answer == NULL || settle_make_room(ledger, settlement, err)) &&
           settle_find_seal(ledger, settlement, parties, place, err) &&
           settle_find_room(ledger->db, settlement, parties->client->number, place, err);
}

/* What belongs to the job's row; a refusal would leave half a settlement, so it is an error. */
static bool settle_add_rest(struct ledger *ledger, const struct store_settlement *settlement,
                            const struct settle_parties *parties, const struct settle_place *place, int64_t job_number,
                            struct err *err) {
    struct sqlite_db *db = ledger->db;
    const struct store_answer *answer = settlement->answer;
    const bool keep = answer != NULL && !place->gone && !place->unkept;
    const bool keep_also = answer != NULL && answer->also != NULL && !place->gone && !place->also_unkept;
    const bool step = settlement->generation.purpose == STORE_PURPOSE_STEP;
    return sqlite_no_refusal(
        settle_add_parts(db, settlement, parties, job_number, err) &&
            (!keep || sqlite_answer_add(db, answer, parties->client->number, &place->turn, err)) &&
            (!keep_also || sqlite_answer_add(db, answer->also, parties->client->number, &place->turn, err)) &&
            (settlement->turn == NULL || sqlite_turn_write(db, settlement->turn, &place->turn, err)) &&
            (!step || sqlite_step_paid(db, &settlement->generation, err)),
        err);
}

/* What parts under review have earned goes on from their owners into escrow. */
static bool settle_escrow(struct ledger *ledger, const struct store_settlement *settlement,
                          const struct settle_parties *parties, int64_t job_number, struct err *err) {
    const struct store_generation *job = &settlement->generation;
    struct escrow_row row = {
        .generation_number = job_number,
        .generation_id = job->id,
        .device_id = job->device_id,
        .earner = parties->earner,
        .client_number = parties->client->number,
        .paid_nano = job->provider_nano - job->provider_given_nano,
        .given_nano = job->provider_given_nano,
        .created_ms = job->created_ms,
        .held_ms = job->created_ms + job->latency_ms,
    };
    if (settlement->part_count < 2) {
        return !settlement->escrow || parties->earner == NULL || sqlite_escrow_put(ledger, &row, err);
    }
    for (size_t i = 0; i < settlement->part_count; i++) {
        const struct store_part *part = &settlement->parts[i];
        row.device_id = part->device_id;
        row.earner = parties->part_owners[i];
        row.paid_nano = part->amount_nano - part->given_nano;
        row.given_nano = part->given_nano;
        if (part->escrow && !sqlite_escrow_put(ledger, &row, err)) {
            return false;
        }
    }
    return true;
}

/* The order matters: what may be refused comes before or with the job's row, whose id is unique; behind it a refusal
 * would leave half a settlement, so it is an error that rolls the whole group back. */
static bool settle(struct store_connection *connection, const struct store_settlement *settlement, struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    const struct store_generation *job = &settlement->generation;
    struct settle_parties parties;
    struct settle_place place;
    if (!settle_check(settlement, err) || !settle_find_parties(ledger, settlement, &parties, err)) {
        return false;
    }
    struct ledger_transaction transaction = {
        .kind = LEDGER_SETTLEMENT,
        .created_ms = job->created_ms,
        .note = "",
        .entries = {{&parties.client->wallet, job->given_nano - job->charge_nano},
                    {&parties.client->given, -job->given_nano},
                    {parties.earner == NULL ? NULL : &parties.earner->earnings,
                     parties.earner == NULL ? 0 : job->provider_nano - job->provider_given_nano},
                    {parties.earner == NULL ? NULL : &parties.earner->given,
                     parties.earner == NULL ? 0 : job->provider_given_nano},
                    {&ledger->network[LEDGER_REVENUE], job->charge_nano - job->provider_nano}},
        .earners = parties.earned,
        .earner_count = parties.earned_count,
    };
    if (!ledger_check_bounds(ledger, &transaction, err) || !settle_prepare(ledger, settlement, &parties, &place, err) ||
        !settle_add_received(ledger, settlement, &parties, place.gone, &transaction.job_number, err)) {
        return false;
    }
    if (!settle_add_rest(ledger, settlement, &parties, &place, transaction.job_number, err)) {
        return false;
    }
    ledger_settle(ledger, &transaction);
    usage_totals_add(&ledger->usage, job, parties.client->number, parties.key->number);
    ledger->answers += settlement->answer != NULL ? 1 + (settlement->answer->also != NULL) : 0;
    if (job->charge_nano > 0) {
        ledger_spend(ledger, parties.key, job->charge_nano);
    }
    return alerts_settled(ledger, parties.client, job, err) &&
           sqlite_no_refusal(settle_escrow(ledger, settlement, &parties, transaction.job_number, err), err);
}

const struct store_settlement_rows sqlite_settlement_rows = {.settle = settle};
