#include "admin/write.h"

#include "admin/action.h"
#include "base/clock.h"
#include "base/money.h"
#include "call/fault.h"
#include "catalog/catalog.h"
#include "format/envelope.h"
#include "format/kept.h"

#include <stdio.h>

static void member_usd(struct json_writer *writer, const char *key, int64_t nano) {
    char text[MONEY_TEXT_SIZE];
    json_write_key(writer, key);
    json_write_raw(writer, str_from(money_format_usd(nano, text)));
}

/* null for 0, which stands for never. */
static void member_time(struct json_writer *writer, const char *key, int64_t wall_ms) {
    char text[CLOCK_TEXT_SIZE];
    if (wall_ms != 0) {
        clock_format_utc(wall_ms, text);
    }
    json_member_cstr(writer, key, wall_ms != 0 ? text : NULL);
}

static void account_members(struct json_writer *writer, const struct store_account *account) {
    json_member_cstr(writer, "id", account->id);
    json_member_cstr(writer, "name", account->name);
    json_member_cstr(writer, "tier", store_tier_name(account->tier));
    json_member_bool(writer, "suspended", account->suspended);
    json_member_bool(writer, "audits", !account->unaudited);
    json_member_bool(writer, "owner", account->owner);
    member_time(writer, "created_at", account->created_ms);
}

void admin_write_account(struct json_writer *writer, const struct store_account *account,
                         const struct core_account_view *view, const struct store_kept_report *kept) {
    static const struct core_account_view IDLE = {0};
    const struct core_account_view *live = view != NULL ? view : &IDLE;
    json_begin_object(writer);
    account_members(writer, account);
    member_usd(writer, "balance_usd", view != NULL ? live->balance_nano : account->balance_nano);
    member_usd(writer, "given_usd", view != NULL ? live->given_nano : account->given_nano);
    member_usd(writer, "held_usd", live->held_nano);
    json_member_int(writer, "active_requests", live->active);
    if (kept != NULL) {
        kept_write(writer, kept);
    }
    json_end_object(writer);
}

static void write_models(struct json_writer *writer, const char *models) {
    struct str id, rest = str_from(models);
    json_write_key(writer, "models");
    if (rest.len == 0) {
        json_write_null(writer); /* all */
        return;
    }
    json_begin_array(writer);
    for (bool more = true; more;) {
        more = str_split(rest, ',', &id, &rest);
        json_write_str(writer, id);
    }
    json_end_array(writer);
}

static void key_members(struct json_writer *writer, const struct store_key *key) {
    json_member_cstr(writer, "id", key->id);
    json_member_cstr(writer, "account_id", key->account_id);
    json_member_cstr(writer, "kind", admin_key_kind_name(key->kind));
    json_member_cstr(writer, "name", key->name);
    member_time(writer, "created_at", key->created_ms);
    member_time(writer, "expires_at", key->expires_ms);
    member_time(writer, "revoked_at", key->revoked_ms);
    if (key->cap_nano < 0) {
        json_member_cstr(writer, "cap_usd", NULL);
    } else {
        member_usd(writer, "cap_usd", key->cap_nano);
    }
    member_usd(writer, "spent_usd", key->spent_nano);
    write_models(writer, key->models);
}

void admin_write_key(struct json_writer *writer, const struct store_key *key) {
    json_begin_object(writer);
    key_members(writer, key);
    json_end_object(writer);
}

void admin_write_device(struct json_writer *writer, const struct store_device *device) {
    json_member_cstr(writer, "id", device->id);
    json_member_cstr(writer, "name", device->name);
    json_member_cstr(writer, "account_id", device->account_id);
    json_member_cstr(writer, "region", device->region[0] != '\0' ? device->region : NULL);
    json_member_bool(writer, "verified", device->verified);
    json_member_cstr(writer, "standing", store_standing_name(device->standing));
    json_member_cstr(writer, "standing_reason", device->standing_reason[0] != '\0' ? device->standing_reason : NULL);
    member_time(writer, "standing_since", device->standing_ms);
    json_member_bool(writer, "account_suspended", device->suspended);
    member_time(writer, "created_at", device->created_ms);
    member_time(writer, "last_kept_at", device->record.kept_ms);
}

static const char *token_state(const struct store_join_token *token, int64_t now_ms) {
    return token->revoked_ms != 0        ? "revoked"
           : token->uses == 0            ? "used"
           : token->expires_ms <= now_ms ? "expired"
           : token->suspended            ? "account suspended"
                                         : "good";
}

void admin_write_token(struct json_writer *writer, const struct store_join_token *token, int64_t now_ms) {
    json_begin_object(writer);
    json_member_cstr(writer, "id", token->id);
    json_member_cstr(writer, "account_id", token->account_id);
    json_member_cstr(writer, "replaces_key_of", token->device_id[0] != '\0' ? token->device_id : NULL);
    json_member_int(writer, "uses_left", token->uses);
    json_member_cstr(writer, "state", token_state(token, now_ms));
    member_time(writer, "created_at", token->created_ms);
    member_time(writer, "expires_at", token->expires_ms);
    member_time(writer, "revoked_at", token->revoked_ms);
    json_end_object(writer);
}

void admin_write_review(struct json_writer *writer, const struct store_review *review,
                        const struct admin_backend *backend) {
    json_begin_object(writer);
    json_member_int(writer, "number", review->number);
    member_time(writer, "at", review->created_ms);
    json_member_cstr(writer, "provider_id", review->device_id);
    json_member_cstr(writer, "name", review->device_name);
    json_member_cstr(writer, "reason", review->reason);
    json_member_cstr(writer, "job_id", review->generation_id[0] != '\0' ? review->generation_id : NULL);
    if (backend->review_write != NULL) {
        backend->review_write(backend->context, review, writer);
    }
    json_end_object(writer);
}

void admin_write_audit(struct json_writer *writer, const struct store_audit *line) {
    json_begin_object(writer);
    json_member_int(writer, "number", line->number);
    member_time(writer, "at", line->created_ms);
    json_member_cstr(writer, "actor", line->actor);
    json_member_cstr(writer, "action", line->action);
    json_member_cstr(writer, "subject", line->subject);
    member_usd(writer, "amount_usd", line->amount_nano);
    json_member_cstr(writer, "note", line->note);
    json_end_object(writer);
}

void admin_write_escrow(struct json_writer *writer, const struct store_escrow *row) {
    json_begin_object(writer);
    json_member_cstr(writer, "provider_id", row->device_id);
    json_member_cstr(writer, "name", row->name);
    json_member_cstr(writer, "account_id", row->account_id);
    json_member_int(writer, "jobs", row->generations);
    member_usd(writer, "paid_usd", row->paid_nano);
    member_usd(writer, "given_usd", row->given_nano);
    member_time(writer, "since", row->since_ms);
    json_member_bool(writer, "in_review", row->in_review);
    json_end_object(writer);
}

static void member_ripens(struct json_writer *writer, const struct store_owed *owed) {
    json_write_key(writer, "ripens");
    json_begin_array(writer);
    for (size_t i = 0; i < owed->day_count; i++) {
        json_begin_object(writer);
        member_time(writer, "by", owed->days[i].ripe_ms);
        member_usd(writer, "amount_usd", owed->days[i].amount_nano);
        json_end_object(writer);
    }
    json_end_array(writer);
}

void admin_write_earnings(struct json_writer *writer, const char *account_id, const struct store_earnings *earnings,
                          const struct store_owed *owed) {
    json_begin_object(writer);
    json_member_cstr(writer, "account_id", account_id);
    member_usd(writer, "given_usd", earnings->given_nano);
    member_usd(writer, "payable_usd", owed->suspended ? 0 : owed->payable_nano);
    member_usd(writer, "ripening_usd", owed->ripening_nano);
    member_usd(writer, "escrow_usd", owed->escrow_nano);
    member_usd(writer, "given_escrow_usd", owed->given_escrow_nano);
    member_ripens(writer, owed);
    member_usd(writer, "earned_usd", earnings->earned_nano);
    member_usd(writer, "paid_usd", earnings->paid_nano);
    member_usd(writer, "owed_usd", owed->earnings_nano);
    json_member_int(writer, "jobs", earnings->generations);
    json_member_int(writer, "tokens", earnings->tokens);
    json_end_object(writer);
}

static const char *secret_of(const char *const secrets[2], enum store_key_kind kind) {
    return secrets != NULL ? secrets[kind] : NULL;
}

static void member_warnings(struct json_writer *writer, struct str unknown_models) {
    struct str model;
    char text[STORE_MODEL_MAX + 128];
    if (unknown_models.len == 0) {
        return;
    }
    json_write_key(writer, "warnings");
    json_begin_array(writer);
    for (bool more = true; more;) {
        more = str_split(unknown_models, ',', &model, &unknown_models);
        (void)snprintf(text, sizeof(text), "Neither the catalog nor any provider that is connected has a model '%.*s'.",
                       STR_ARG(model));
        json_write_cstr(writer, text);
    }
    json_end_array(writer);
}

static void device_members(struct json_writer *writer, const struct store_device *device) {
    json_member_cstr(writer, "id", device->id);
    json_member_cstr(writer, "name", device->name);
    json_member_bool(writer, "verified", device->verified);
}

static void escrow_members(struct json_writer *writer, const struct store_admin *result) {
    member_usd(writer, "amount_usd", result->amount_nano);
    member_usd(writer, "given_usd", result->given_nano);
    json_member_cstr(writer, "note", result->note);
}

static void ended_members(struct json_writer *writer, const struct store_admin *result) {
    json_member_cstr(writer, "id", result->device.id);
    escrow_members(writer, result);
}

static void finding_members(struct json_writer *writer, const struct store_admin *result) {
    device_members(writer, &result->device);
    json_member_cstr(writer, "standing", store_standing_name(result->device.standing));
    escrow_members(writer, result);
}

void admin_write_result(const struct store_admin *result, const char *const secrets[2], struct str unknown_models,
                        struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    switch (result->kind) {
    case STORE_ADMIN_ACCOUNT_CREATE:
        account_members(&writer, &result->account);
        json_member_cstr(&writer, "api_key", secret_of(secrets, STORE_KEY_LIVE));
        json_member_cstr(&writer, "test_key", secret_of(secrets, STORE_KEY_TEST));
        member_usd(&writer, "balance_usd", result->account.balance_nano);
        break;
    case STORE_ADMIN_ACCOUNT_TIER:
    case STORE_ADMIN_ACCOUNT_SUSPEND:
    case STORE_ADMIN_ACCOUNT_AUDITS:
    case STORE_ADMIN_ACCOUNT_ERASE:
        account_members(&writer, &result->account);
        member_usd(&writer, "balance_usd", result->account.balance_nano);
        break;
    case STORE_ADMIN_KEY_CREATE:
        key_members(&writer, &result->keys[0]);
        json_member_cstr(&writer, "key", secret_of(secrets, result->keys[0].kind));
        member_warnings(&writer, unknown_models);
        break;
    case STORE_ADMIN_KEY_REVOKE:
        key_members(&writer, &result->keys[0]);
        break;
    case STORE_ADMIN_CREDIT_GRANT:
    case STORE_ADMIN_CREDIT_REFUND:
    case STORE_ADMIN_PAYOUT:
        json_member_cstr(&writer, "account_id", result->account.id);
        member_usd(&writer, "amount_usd", result->amount_nano);
        if (result->kind != STORE_ADMIN_PAYOUT) {
            member_usd(&writer, "given_usd", result->given_nano);
        }
        json_member_cstr(&writer, "note", result->note);
        member_usd(&writer, "balance_usd", result->account.balance_nano);
        break;
    case STORE_ADMIN_ESCROW_RELEASE:
    case STORE_ADMIN_ESCROW_RETURN:
    case STORE_ADMIN_ESCROW_FORFEIT:
        ended_members(&writer, result);
        break;
    case STORE_ADMIN_REVIEWS_ACCEPT:
    case STORE_ADMIN_REVIEWS_DISMISS:
        finding_members(&writer, result);
        break;
    case STORE_ADMIN_DEVICE_VERIFY:
    case STORE_ADMIN_REVIEWS_CLEAR:
        device_members(&writer, &result->device);
        break;
    case STORE_ADMIN_DEVICE_REMOVE:
    case STORE_ADMIN_DEVICE_QUARANTINE:
    case STORE_ADMIN_DEVICE_RELEASE:
        device_members(&writer, &result->device);
        json_member_cstr(&writer, "standing", store_standing_name(result->device.standing));
        break;
    case STORE_ADMIN_DEVICE_KEY:
        device_members(&writer, &result->device);
        json_member_cstr(&writer, "token", secret_of(secrets, STORE_KEY_LIVE));
        member_time(&writer, "expires_at", result->token.expires_ms);
        break;
    case STORE_ADMIN_TOKEN_REVOKE:
        json_member_cstr(&writer, "id", result->token.id);
        json_member_cstr(&writer, "account_id", result->token.account_id);
        member_time(&writer, "revoked_at", result->token.revoked_ms);
        break;
    }
    json_end_object(&writer);
}

int admin_write_error(const struct err *err, struct buf *out) {
    struct fault fault;
    if (err->code == ERR_CONFLICT) {
        fault_set(&fault, FAULT_INVALID_REQUEST, "%s", err->message);
        fault.status = 409;
    } else if (err->code == ERR_UNSUPPORTED) {
        fault_set(&fault, FAULT_METHOD_NOT_ALLOWED, "%s", err->message);
    } else {
        fault_from_err(&fault, err);
    }
    envelope_write(&fault, out);
    return fault_status(&fault);
}

void admin_find_unknown_models(const struct admin_backend *backend, const struct store_key *key, struct buf *out) {
    struct str model, rest = str_from(key->models);
    for (bool more = rest.len > 0; more;) {
        more = str_split(rest, ',', &model, &rest);
        if (catalog_find(model) == NULL &&
            (backend->model_offered == NULL || !backend->model_offered(backend->context, model))) {
            (void)(out->len > 0 && buf_append_cstr(out, ",")); /* as large as all of them */
            (void)buf_append_str(out, model);
        }
    }
}
