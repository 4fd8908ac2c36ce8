#include "webhook/fields.h"

#include "base/clock.h"
#include "base/json_values.h"
#include "base/money.h"
#include "net/web_url.h"
#include "store/ledger.h"
#include "wire/field.h"
#include "wire/webhook_signature.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)WEB_URL_MAX < (int)STORE_WEBHOOK_URL_MAX, "a URL fits into the store");
_Static_assert((int)WEBHOOK_KEY_SIZE == (int)STORE_WEBHOOK_SECRET_SIZE, "a secret is a key");

/* --- Reading --- */

static bool read_text(struct json_value body, const char *field, char *out, size_t out_size, bool *given,
                      struct err *err) {
    struct json_value value;
    struct str text;
    *given = json_get(body, field, &value) && json_type_of(value) != JSON_NULL;
    if (!*given) {
        return true;
    }
    if (!field_string(err, field, value, out_size - 1, &text)) {
        return false;
    }
    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL) {
        return field_invalid(err, field, "must not have a NUL.");
    }
    str_copy(out, out_size, text);
    return true;
}

/* A percent sign that is none of an encoded byte is one thing to some servers and another to others. */
static bool check_percents(const char *url, struct err *err) {
    for (const char *at = strchr(url, '%'); at != NULL; at = strchr(at + 1, '%')) {
        if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2])) {
            return field_invalid(err, "url", "must have two hex digits behind each percent sign.");
        }
    }
    return true;
}

static bool read_url(struct json_value body, bool lax, struct store_webhook_change *change, struct err *err) {
    struct web_url url;
    return read_text(body, "url", change->webhook.url, sizeof(change->webhook.url), &change->set_url, err) &&
           (!change->set_url ||
            (web_url_parse(str_from(change->webhook.url), lax, &url, err) && check_percents(change->webhook.url, err)));
}

static bool read_events(struct json_value body, struct store_webhook_change *change, struct err *err) {
    struct json_value list, item;
    struct json_iterator iterator;
    if (!json_get(body, "events", &list) || json_type_of(list) == JSON_NULL) {
        return true;
    }
    if (json_type_of(list) != JSON_ARRAY || json_count(list) == 0) {
        return field_invalid(err, "events", "must be an array of at least one event.");
    }
    change->set_events = true;
    change->webhook.events = 0;
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &item);) {
        enum store_event_kind kind;
        struct str name;
        if (!json_as_str(item, &name) || !store_event_kind_of(name, &kind)) {
            return field_invalid(err, "events",
                                 "may hold job.completed, job.failed, workflow.completed, balance.low and "
                                 "usage.threshold.");
        }
        change->webhook.events |= UINT32_C(1) << kind;
    }
    return true;
}

static bool read_amount(struct json_value value, int64_t *nano) {
    double number;
    return json_as_double(value, &number) && number * (double)MONEY_NANO_PER_USD >= 1 &&
           field_usd(value, false, nano) && *nano <= STORE_AMOUNT_MAX_NANO;
}

static bool read_balance(struct json_value body, struct store_webhook_change *change, struct err *err) {
    struct json_value value;
    change->set_balance = json_get(body, "balance_low_usd", &value) && json_type_of(value) != JSON_NULL;
    return !change->set_balance || read_amount(value, &change->webhook.balance_nano) ||
           field_invalid(err, "balance_low_usd", "must be an amount in dollars above 0, such as 4.75.");
}

static bool read_usage(struct json_value body, struct store_webhook_change *change, struct err *err) {
    static const char field[] = "usage_thresholds_usd";
    struct json_value list, item;
    struct json_iterator iterator;
    struct store_webhook *webhook = &change->webhook;
    change->set_usage = json_get(body, field, &list) && json_type_of(list) != JSON_NULL;
    if (!change->set_usage) {
        return true;
    }
    if (json_type_of(list) != JSON_ARRAY || json_count(list) > STORE_WEBHOOK_AMOUNTS_MAX) {
        return field_invalid(err, field, "must be an array of at most %d amounts.", STORE_WEBHOOK_AMOUNTS_MAX);
    }
    webhook->usage_count = 0;
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &item);) {
        int64_t amount;
        if (!read_amount(item, &amount)) {
            return field_invalid(err, field, "must hold amounts in dollars above 0, such as 4.75.");
        }
        webhook->usage_count = store_webhook_amount_add(webhook->usage_nano, webhook->usage_count, amount);
    }
    return true;
}

static bool read_status(struct json_value body, struct store_webhook_change *change, struct err *err) {
    char status[16];
    if (!read_text(body, "status", status, sizeof(status), &change->set_state, err) || !change->set_state) {
        return !change->set_state;
    }
    const bool enabled = str_equal_cstr(str_from(status), "enabled");
    change->webhook.state = enabled ? STORE_WEBHOOK_ENABLED : STORE_WEBHOOK_DISABLED;
    return enabled || str_equal_cstr(str_from(status), "disabled") ||
           field_invalid(err, "status", "must be enabled or disabled.");
}

bool webhook_fields_read(struct json_value body, bool lax, struct store_webhook_change *change, struct err *err) {
    struct store_webhook *webhook = &change->webhook;
    return read_url(body, lax, change, err) &&
           read_text(body, "description", webhook->description, sizeof(webhook->description), &change->set_description,
                     err) &&
           read_events(body, change, err) && read_balance(body, change, err) && read_usage(body, change, err) &&
           read_status(body, change, err);
}

/* --- Writing --- */

static void member_time(struct json_writer *writer, const char *key, int64_t wall_ms) {
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    json_member_cstr(writer, key, wall_ms != 0 ? text : NULL);
}

static void write_amount(struct json_writer *writer, int64_t nano) {
    char text[MONEY_TEXT_SIZE];
    json_write_raw(writer, str_from(money_format_usd(nano, text)));
}

static const char *status_of(enum store_webhook_state state) {
    switch (state) {
    case STORE_WEBHOOK_ENABLED:
        return "enabled";
    case STORE_WEBHOOK_GONE:
        return "gone";
    case STORE_WEBHOOK_DISABLED:
    case STORE_WEBHOOK_DELETED:
        break;
    }
    return "disabled";
}

static void write_events(struct json_writer *writer, uint32_t events) {
    json_write_key(writer, "events");
    json_begin_array(writer);
    for (int kind = 0; kind < STORE_EVENT_KINDS; kind++) {
        if ((events >> kind & 1) != 0) {
            json_write_cstr(writer, store_event_name((enum store_event_kind)kind));
        }
    }
    json_end_array(writer);
}

void webhook_write(struct json_writer *writer, const struct store_webhook *webhook, bool show_secret) {
    char secret[WEBHOOK_SECRET_TEXT_SIZE];
    json_begin_object(writer);
    json_member_cstr(writer, "id", webhook->id);
    json_member_cstr(writer, "object", "webhook");
    json_member_cstr(writer, "url", webhook->url);
    json_member_cstr(writer, "description", webhook->description[0] != '\0' ? webhook->description : NULL);
    json_member_cstr(writer, "status", status_of(webhook->state));
    write_events(writer, webhook->events);
    json_member_usd(writer, "balance_low_usd", webhook->balance_nano);
    json_write_key(writer, "usage_thresholds_usd");
    json_begin_array(writer);
    for (size_t i = 0; i < webhook->usage_count; i++) {
        write_amount(writer, webhook->usage_nano[i]);
    }
    json_end_array(writer);
    if (show_secret) {
        webhook_secret_format(webhook->secret, secret);
        json_member_cstr(writer, "secret", secret);
    }
    member_time(writer, "old_secret_expires_at", webhook->old_until_ms > clock_wall_ms() ? webhook->old_until_ms : 0);
    member_time(writer, "created_at", webhook->created_ms);
    json_member_int(writer, "waiting", webhook->waiting);
    json_member_int(writer, "dropped", webhook->dropped);
    member_time(writer, "last_dropped_at", webhook->dropped_ms);
    json_end_object(writer);
}

static const char *delivery_status(enum store_delivery_state state) {
    switch (state) {
    case STORE_DELIVERY_WAITING:
        return "waiting";
    case STORE_DELIVERY_DELIVERED:
        return "delivered";
    case STORE_DELIVERY_FAILED:
        break;
    }
    return "failed";
}

void webhook_write_delivery(struct json_writer *writer, const struct store_delivery *delivery) {
    const bool tried = delivery->tried_ms != 0, waits = delivery->state == STORE_DELIVERY_WAITING;
    json_begin_object(writer);
    json_member_cstr(writer, "id", delivery->id);
    json_member_cstr(writer, "object", "webhook.delivery");
    json_member_cstr(writer, "event_id", delivery->event_id);
    json_member_cstr(writer, "event", store_event_name(delivery->kind));
    json_member_cstr(writer, "status", delivery_status(delivery->state));
    json_member_bool(writer, "requested", delivery->asked);
    json_member_int(writer, "attempts", delivery->attempts);
    member_time(writer, "created_at", delivery->created_ms);
    member_time(writer, "next_attempt_at", waits ? delivery->due_ms : 0);
    member_time(writer, "last_attempt_at", delivery->tried_ms);
    json_write_key(writer, "last_response");
    if (tried) {
        json_begin_object(writer);
        json_write_key(writer, "status");
        if (delivery->status != 0) {
            json_write_int(writer, delivery->status);
        } else {
            json_write_null(writer);
        }
        json_member_int(writer, "latency_ms", delivery->latency_ms);
        json_member_cstr(writer, "error", delivery->note[0] != '\0' ? delivery->note : NULL);
        json_member_cstr(writer, "body", delivery->response);
        json_end_object(writer);
    } else {
        json_write_null(writer);
    }
    json_end_object(writer);
}
