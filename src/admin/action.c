#include "admin/action.h"

#include "base/buf.h"
#include "base/json_repeated.h"
#include "base/money.h"
#include "catalog/catalog.h"
#include "store/ledger.h"
#include "wire/field.h"
#include "wire/id.h"

#include <string.h>

enum { ID_RANDOM = 20, AMOUNT_TEXT_MAX = 64 };

#define MS_PER_DAY INT64_C(86400000)

const char *admin_key_kind_name(enum store_key_kind kind) {
    return kind == STORE_KEY_TEST ? "test" : "live";
}

/* --- Fields --- */

struct amount {
    bool given;
    int64_t nano;
};

/* A number by its shortest decimal text, or a string. rule->min 0: nothing is an amount too. */
static bool read_amount(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct amount *out = place;
    struct str text;
    struct buf digits;
    bool ok = false;
    buf_init(&digits, AMOUNT_TEXT_MAX);
    if (json_as_str(value, &text)) {
        ok = money_parse_usd(text, &out->nano);
    } else if (json_type_of(value) == JSON_NUMBER) {
        json_serialize(value, &digits);
        ok = money_parse_usd(buf_str(&digits), &out->nano);
    } else {
        return field_wrong_type(err, rule->name.data, "an amount in dollars, such as 4.75", value);
    }
    buf_clear(&digits);
    if (!ok) {
        return field_invalid(err, rule->name.data,
                             "must be an amount in dollars, such as 4.75, with at most 9 digits behind the point.");
    }
    out->given = true;
    if (out->nano < (rule->min > 0 ? 1 : 0) || out->nano > STORE_AMOUNT_MAX_NANO) {
        return field_invalid(err, rule->name.data, "must be %s 0 and at most 1000000 dollars.",
                             rule->min > 0 ? "more than" : "at least");
    }
    return true;
}

static bool read_tier(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    enum store_tier *out = place;
    struct str text;
    if (!field_string(err, rule->name.data, value, rule->max_bytes, &text)) {
        return false;
    }
    for (int i = 0; i < STORE_TIERS; i++) {
        if (str_equal_cstr(text, store_tier_name((enum store_tier)i))) {
            *out = (enum store_tier)i;
            return true;
        }
    }
    return field_invalid(err, rule->name.data, "must be free, starter, pro or unlimited.");
}

bool admin_read_body(struct json_parser *parser, struct str body, struct json_value *out, struct err *err) {
    struct str twice;
    return json_parse(parser, body, out, err) &&
           (json_type_of(*out) == JSON_OBJECT || err_set(err, ERR_INVALID, "The body must be a JSON object.")) &&
           (!json_repeated_key(*out, &twice) || err_set(err, ERR_INVALID, "The body has a key twice in one object."));
}

bool admin_read_line(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct str text;
    if (!field_string(err, rule->name.data, value, STORE_NAME_MAX - 1, &text)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f) {
            return field_invalid(err, rule->name.data, "must be one line, without control characters.");
        }
    }
    return str_copy(place, STORE_NAME_MAX, text);
}

static bool add_model(struct buf *list, struct str asked) {
    const struct catalog_model *model = catalog_find(asked);
    const struct str id = model != NULL ? str_from(model->id) : asked;
    if (id.len == 0 || id.len >= STORE_MODEL_MAX || memchr(id.data, ',', id.len) != NULL ||
        memchr(id.data, '\0', id.len) != NULL) {
        return false;
    }
    return (list->len == 0 || buf_append_cstr(list, ",")) && buf_append_str(list, id);
}

/* Model ids, aliases resolved, separated by commas. */
static bool read_models(const struct field_rule *rule, struct json_value value, void *place, struct err *err) {
    struct store_key *key = place;
    struct json_iterator iterator;
    struct json_value item;
    struct buf list;
    struct str text;
    bool ok = true;
    if (json_type_of(value) != JSON_ARRAY) {
        return field_wrong_type(err, rule->name.data, "an array of model ids", value);
    }
    buf_init(&list, sizeof(key->models) - 1);
    for (json_iterate(value, &iterator); ok && json_next(&iterator, NULL, &item);) {
        ok = json_as_str(item, &text) && add_model(&list, text);
    }
    if (ok) {
        (void)str_copy(key->models, sizeof(key->models), buf_str(&list));
    }
    buf_clear(&list);
    return ok || field_invalid(err, rule->name.data, "must be model ids, together at most %zu bytes long.",
                               sizeof(key->models) - 1);
}

static bool field_missing(struct err *err, const char *field) {
    return field_invalid(err, field, "is missing.");
}

/* --- Actions --- */

/* One key more, with a secret of its own. */
static struct store_key *add_key(struct admin_action *action, enum store_key_kind kind, const char *account_id) {
    struct store_key *key = &action->admin.keys[action->admin.key_count++];
    key->kind = kind;
    key->created_ms = action->admin.now_ms;
    key->cap_nano = -1;
    id_make_random("key_", ID_RANDOM, key->id);
    (void)str_copy(key->account_id, sizeof(key->account_id), str_from(account_id));
    (void)str_copy(key->name, sizeof(key->name), STR("default"));
    key_generate(kind, action->secrets[kind]);
    key_hash(str_from(action->secrets[kind]), key->sha256);
    return key;
}

static void begin(struct admin_action *out, enum store_admin_kind kind, const char *account_id, int64_t now_ms) {
    out->admin.kind = kind;
    out->admin.now_ms = now_ms;
    (void)str_copy(out->admin.account.id, sizeof(out->admin.account.id), str_from(account_id));
}

bool admin_read_account_create(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                               struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("name"), .read = admin_read_line, .offset = offsetof(struct store_account, name)},
        {.name = STR("tier"), .read = read_tier, .offset = offsetof(struct store_account, tier), .max_bytes = 32},
    };
    struct store_account *account = &out->admin.account;
    (void)id;
    begin(out, STORE_ADMIN_ACCOUNT_CREATE, "", now_ms);
    if (!fields_read(body, RULES, COUNT_OF(RULES), account, err)) {
        return false;
    }
    if (account->name[0] == '\0') {
        return field_missing(err, "name");
    }
    id_make_random("acct_", ID_RANDOM, account->id);
    account->created_ms = now_ms;
    out->admin.amount_nano = STORE_WELCOME_CREDIT_NANO;
    out->admin.given = true;
    (void)add_key(out, STORE_KEY_LIVE, account->id);
    (void)add_key(out, STORE_KEY_TEST, account->id);
    return true;
}

bool admin_read_account_change(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                               struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("tier"), .read = read_tier, .offset = offsetof(struct store_account, tier), .max_bytes = 32},
        {.name = STR("suspended"), .read = field_read_bool, .offset = offsetof(struct store_account, suspended)},
    };
    struct json_value value;
    const bool tier = json_get(body, "tier", &value) && json_type_of(value) != JSON_NULL;
    const bool suspended = json_get(body, "suspended", &value) && json_type_of(value) != JSON_NULL;
    if (tier == suspended) {
        return err_set(err, ERR_INVALID, "Give either tier or suspended: each change is an action of its own.");
    }
    begin(out, tier ? STORE_ADMIN_ACCOUNT_TIER : STORE_ADMIN_ACCOUNT_SUSPEND, id, now_ms);
    return fields_read(body, RULES, COUNT_OF(RULES), &out->admin.account, err);
}

struct key_fields {
    struct str kind;
    struct field_integer days;
    struct amount cap;
    struct store_key key; /* name and models */
};

bool admin_read_key_create(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                           struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("kind"), .read = field_read_str, .offset = offsetof(struct key_fields, kind), .max_bytes = 16},
        {.name = STR("name"), .read = admin_read_line, .offset = offsetof(struct key_fields, key.name)},
        {.name = STR("expires_in_days"),
         .read = field_read_integer,
         .offset = offsetof(struct key_fields, days),
         .min = 1,
         .max = ADMIN_KEY_DAYS_MAX},
        {.name = STR("cap_usd"), .read = read_amount, .offset = offsetof(struct key_fields, cap)},
        {.name = STR("models"), .read = read_models, .offset = offsetof(struct key_fields, key)},
    };
    struct key_fields fields = {0};
    if (!fields_read(body, RULES, COUNT_OF(RULES), &fields, err)) {
        return false;
    }
    const bool test = str_equal_cstr(fields.kind, "test");
    if (!test && !str_equal_cstr(fields.kind, "live")) {
        return field_invalid(err, "kind", "must be live or test.");
    }
    begin(out, STORE_ADMIN_KEY_CREATE, id, now_ms);
    struct store_key *key = add_key(out, test ? STORE_KEY_TEST : STORE_KEY_LIVE, id);
    if (fields.key.name[0] != '\0') {
        memcpy(key->name, fields.key.name, sizeof(key->name));
    }
    memcpy(key->models, fields.key.models, sizeof(key->models));
    key->expires_ms = fields.days.given ? now_ms + fields.days.value * MS_PER_DAY : 0;
    key->cap_nano = fields.cap.given ? fields.cap.nano : -1;
    return true;
}

bool admin_read_account_erase(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                              struct err *err) {
    (void)body;
    (void)err;
    begin(out, STORE_ADMIN_ACCOUNT_ERASE, id, now_ms);
    return true;
}

bool admin_read_key_revoke(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                           struct err *err) {
    (void)body;
    (void)err;
    begin(out, STORE_ADMIN_KEY_REVOKE, "", now_ms);
    out->admin.key_count = 1;
    out->admin.keys[0].revoked_ms = now_ms;
    return str_copy(out->admin.keys[0].id, sizeof(out->admin.keys[0].id), str_from(id));
}

struct escrow_fields {
    struct str action;
    char note[STORE_NAME_MAX];
};

bool admin_read_escrow_end(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                           struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("action"),
         .read = field_read_str,
         .offset = offsetof(struct escrow_fields, action),
         .max_bytes = 16},
        {.name = STR("note"), .read = admin_read_line, .offset = offsetof(struct escrow_fields, note)},
    };
    static const char *const ACTIONS[] = {"release", "return", "forfeit"};
    struct escrow_fields fields = {0};
    if (!fields_read(body, RULES, COUNT_OF(RULES), &fields, err)) {
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(ACTIONS); i++) {
        if (str_equal_cstr(fields.action, ACTIONS[i])) {
            begin(out, (enum store_admin_kind)(STORE_ADMIN_ESCROW_RELEASE + (int)i), "", now_ms);
            memcpy(out->admin.note, fields.note, sizeof(fields.note));
            return str_copy(out->admin.device.id, sizeof(out->admin.device.id), str_from(id));
        }
    }
    return field_invalid(err, "action", "must be release, return or forfeit.");
}

struct money_fields {
    struct str type;
    bool given;
    struct amount amount;
    char note[STORE_NAME_MAX];
};

static bool read_money(struct json_value body, struct money_fields *fields, struct admin_action *out, struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("type"), .read = field_read_str, .offset = offsetof(struct money_fields, type), .max_bytes = 16},
        {.name = STR("amount_usd"), .read = read_amount, .offset = offsetof(struct money_fields, amount), .min = 1},
        {.name = STR("given"), .read = field_read_bool, .offset = offsetof(struct money_fields, given)},
        {.name = STR("note"), .read = admin_read_line, .offset = offsetof(struct money_fields, note)},
    };
    if (!fields_read(body, RULES, COUNT_OF(RULES), fields, err)) {
        return false;
    }
    if (!fields->amount.given) {
        return field_missing(err, "amount_usd");
    }
    out->admin.amount_nano = fields->amount.nano;
    memcpy(out->admin.note, fields->note, sizeof(fields->note));
    return true;
}

bool admin_read_credit(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                       struct err *err) {
    struct money_fields fields = {0};
    if (!read_money(body, &fields, out, err)) {
        return false;
    }
    const bool grant = str_equal_cstr(fields.type, "grant");
    if (!grant && !str_equal_cstr(fields.type, "refund")) {
        return field_invalid(err, "type", "must be grant or refund.");
    }
    if (fields.given && !grant) {
        return field_invalid(err, "given", "is for grants: a refund goes back where the money came from.");
    }
    begin(out, grant ? STORE_ADMIN_CREDIT_GRANT : STORE_ADMIN_CREDIT_REFUND, id, now_ms);
    out->admin.given = fields.given;
    return true;
}

bool admin_read_payout(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                       struct err *err) {
    struct money_fields fields = {0};
    begin(out, STORE_ADMIN_PAYOUT, id, now_ms);
    return read_money(body, &fields, out, err);
}
