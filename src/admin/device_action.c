#include "admin/device_action.h"

#include "wire/join_token.h"

enum { TOKEN_HOURS = 24 };

#define MS_PER_HOUR INT64_C(3600000)

_Static_assert((int)JOIN_TOKEN_SIZE <= (int)KEY_SIZE, "a join token has room among the secrets");

static bool begin(struct admin_action *out, enum store_admin_kind kind, const char *device_id, int64_t now_ms,
                  struct err *err) {
    out->admin.kind = kind;
    out->admin.now_ms = now_ms;
    return str_copy(out->admin.device.id, sizeof(out->admin.device.id), str_from(device_id)) ||
           err_set(err, ERR_NOT_FOUND, "There is no such provider.");
}

struct change_fields {
    bool verified, quarantined;
    char reason[STORE_NAME_MAX];
};

static bool is_given(struct json_value body, const char *name) {
    struct json_value value;
    return json_get(body, name, &value) && json_type_of(value) != JSON_NULL;
}

bool admin_read_device_change(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                              struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("verified"), .read = field_read_bool, .offset = offsetof(struct change_fields, verified)},
        {.name = STR("quarantined"), .read = field_read_bool, .offset = offsetof(struct change_fields, quarantined)},
        {.name = STR("reason"), .read = admin_read_line, .offset = offsetof(struct change_fields, reason)},
    };
    struct change_fields fields = {0};
    const bool verified = is_given(body, "verified");
    if (!fields_read(body, RULES, COUNT_OF(RULES), &fields, err)) {
        return false;
    }
    if (verified == is_given(body, "quarantined")) {
        return err_set_field(
            err, ERR_INVALID, verified ? "quarantined" : "verified",
            "Give either verified or quarantined, true or false: each change is an action of its own.");
    }
    if (fields.reason[0] != '\0' && !fields.quarantined) {
        return err_set_field(err, ERR_INVALID, "reason", "reason goes with quarantined: true.");
    }
    out->admin.device.verified = fields.verified;
    (void)str_copy(out->admin.note, sizeof(out->admin.note), str_from(fields.reason));
    return begin(out,
                 verified             ? STORE_ADMIN_DEVICE_VERIFY
                 : fields.quarantined ? STORE_ADMIN_DEVICE_QUARANTINE
                                      : STORE_ADMIN_DEVICE_RELEASE,
                 id, now_ms, err);
}

bool admin_read_reviews_clear(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                              struct err *err) {
    (void)body;
    return begin(out, STORE_ADMIN_REVIEWS_CLEAR, id, now_ms, err);
}

struct finding_fields {
    struct str action, escrow;
    bool remove;
    char note[STORE_NAME_MAX];
};

static bool check_finding(const struct finding_fields *fields, struct err *err) {
    const bool dismiss = str_equal_cstr(fields->action, "dismiss"), ends = fields->escrow.len > 0;
    if (!dismiss && !str_equal_cstr(fields->action, "accept")) {
        return field_invalid(err, "action", "must be accept or dismiss.");
    }
    if (ends && !str_equal_cstr(fields->escrow, "forfeit") && !str_equal_cstr(fields->escrow, "return")) {
        return field_invalid(err, "escrow", "must be return or forfeit.");
    }
    return !dismiss || (!ends && !fields->remove) ||
           field_invalid(err, fields->remove ? "remove" : "escrow", "goes with accept.");
}

bool admin_read_finding(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                        struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("action"),
         .read = field_read_str,
         .offset = offsetof(struct finding_fields, action),
         .max_bytes = 16},
        {.name = STR("escrow"),
         .read = field_read_str,
         .offset = offsetof(struct finding_fields, escrow),
         .max_bytes = 16},
        {.name = STR("remove"), .read = field_read_bool, .offset = offsetof(struct finding_fields, remove)},
        {.name = STR("note"), .read = admin_read_line, .offset = offsetof(struct finding_fields, note)},
    };
    struct finding_fields fields = {0};
    if (!fields_read(body, RULES, COUNT_OF(RULES), &fields, err)) {
        return false;
    }
    if (!check_finding(&fields, err)) {
        return false;
    }
    const bool accept = str_equal_cstr(fields.action, "accept"), forfeit = str_equal_cstr(fields.escrow, "forfeit");
    out->admin.then = !accept   ? STORE_ADMIN_ESCROW_RELEASE
                      : forfeit ? STORE_ADMIN_ESCROW_FORFEIT
                                : STORE_ADMIN_ESCROW_RETURN;
    out->admin.device.standing = fields.remove ? STORE_STANDING_REMOVED : STORE_STANDING_QUARANTINED;
    (void)str_copy(out->admin.note, sizeof(out->admin.note),
                   fields.note[0] != '\0' || !accept ? str_from(fields.note) : STR("what was found is right"));
    return begin(out, accept ? STORE_ADMIN_REVIEWS_ACCEPT : STORE_ADMIN_REVIEWS_DISMISS, id, now_ms, err);
}

bool admin_read_device_remove(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                              struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("reason"), .read = admin_read_line, .offset = offsetof(struct change_fields, reason)},
    };
    struct change_fields fields = {0};
    if (json_type_of(body) == JSON_OBJECT && !fields_read(body, RULES, COUNT_OF(RULES), &fields, err)) {
        return false;
    }
    (void)str_copy(out->admin.note, sizeof(out->admin.note), str_from(fields.reason));
    return begin(out, STORE_ADMIN_DEVICE_REMOVE, id, now_ms, err);
}

bool admin_read_device_key(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                           struct err *err) {
    static const struct field_rule RULES[] = {
        {.name = STR("hours"), .read = field_read_integer, .offset = 0, .min = 1, .max = ADMIN_TOKEN_HOURS_MAX},
    };
    struct field_integer hours = {0};
    struct store_join_token *token = &out->admin.token;
    if (!fields_read(body, RULES, COUNT_OF(RULES), &hours, err)) {
        return false;
    }
    *token = (struct store_join_token){.uses = 1,
                                       .created_ms = now_ms,
                                       .expires_ms = now_ms + (hours.given ? hours.value : TOKEN_HOURS) * MS_PER_HOUR};
    join_token_generate(out->secrets[0]);
    join_token_hash(str_from(out->secrets[0]), token->sha256);
    return begin(out, STORE_ADMIN_DEVICE_KEY, id, now_ms, err);
}

bool admin_read_token_revoke(struct json_value body, const char *id, int64_t now_ms, struct admin_action *out,
                             struct err *err) {
    (void)body;
    out->admin.kind = STORE_ADMIN_TOKEN_REVOKE;
    out->admin.now_ms = now_ms;
    return str_copy(out->admin.token.id, sizeof(out->admin.token.id), str_from(id)) ||
           err_set(err, ERR_NOT_FOUND, "There is no such join token.");
}
