/* Bodies of the operator's requests and of webhooks: the first byte chooses which, the rest is JSON. Properties: what
 * is refused has a sentence; what is taken has amounts within their bounds and texts that are whole UTF-8 and fit; a
 * webhook that is taken can be written. */
#include "admin/device_action.h"
#include "base/json_read.h"
#include "base/utf8.h"
#include "store/ledger.h"
#include "webhook/fields.h"
#include "wire/limits.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_BYTES = 1 << 20, OUT_BYTES = 1 << 20, NOW_MS = 1790000000 };

static struct json_parser *parser;

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static void check_text(const char *text, size_t size) {
    const size_t len = strnlen(text, size);
    check(len < size && utf8_valid(text, len));
}

static void check_admin(const struct store_admin *admin) {
    check_text(admin->note, sizeof(admin->note));
    check(admin->amount_nano <= STORE_AMOUNT_MAX_NANO && admin->amount_nano >= -STORE_AMOUNT_MAX_NANO);
    for (size_t i = 0; i < COUNT_OF(admin->keys); i++) {
        check_text(admin->keys[i].name, sizeof(admin->keys[i].name));
        check(admin->keys[i].cap_nano >= -1 && admin->keys[i].expires_ms >= 0);
    }
}

static void fuzz_admin(struct json_value body, unsigned which) {
    static admin_action_read *const READERS[] = {
        admin_read_account_create, admin_read_account_change, admin_read_key_create,    admin_read_credit,
        admin_read_payout,         admin_read_account_erase,  admin_read_key_revoke,    admin_read_escrow_end,
        admin_read_device_change,  admin_read_reviews_clear,  admin_read_device_remove, admin_read_device_key,
        admin_read_token_revoke,
    };
    static struct admin_action action;
    struct err err;
    err_clear(&err);
    action = (struct admin_action){0};
    if (READERS[which % COUNT_OF(READERS)](body, "acct_x", NOW_MS, &action, &err)) {
        check_admin(&action.admin);
    } else {
        check(err.code != ERR_NONE && err.message[0] != '\0');
    }
}

static void fuzz_webhook(struct json_value body, bool lax) {
    static struct store_webhook_change change;
    struct err err;
    struct buf out;
    struct json_writer writer;
    struct json_value root;
    err_clear(&err);
    change = (struct store_webhook_change){0};
    if (!webhook_fields_read(body, lax, &change, &err)) {
        check(err.code != ERR_NONE && err.message[0] != '\0');
        return;
    }
    const struct store_webhook *webhook = &change.webhook;
    check_text(webhook->url, sizeof(webhook->url));
    check_text(webhook->description, sizeof(webhook->description));
    check(webhook->usage_count <= STORE_WEBHOOK_AMOUNTS_MAX && webhook->balance_nano >= 0);
    for (size_t i = 0; i < webhook->usage_count; i++) {
        check(webhook->usage_nano[i] > 0 && webhook->usage_nano[i] <= STORE_AMOUNT_MAX_NANO);
    }
    buf_init(&out, OUT_BYTES);
    json_writer_init(&writer, &out);
    webhook_write(&writer, webhook, true);
    check(!out.overflow && json_parse(parser, buf_str(&out), &root, NULL));
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct json_value root;
    if (parser == NULL) {
        parser = json_parser_new(JSON_BYTES, LIMIT_JSON_DEPTH);
    }
    if (size == 0 || !json_parse(parser, (struct str){(const char *)data + 1, size - 1}, &root, NULL) ||
        json_type_of(root) != JSON_OBJECT) {
        return 0;
    }
    if (data[0] >= 0xf0) {
        fuzz_webhook(root, data[0] % 2 == 0);
    } else {
        fuzz_admin(root, data[0]);
    }
    return 0;
}
