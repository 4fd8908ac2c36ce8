#include "wire/receipt_file.h"

#include <string.h>

enum { HEX_MAX = 64 };

/* --- Writing --- */

static void member_hex(struct json_writer *writer, const char *key, const uint8_t *bytes, size_t size) {
    char hex[2 * HEX_MAX + 1];
    digest_hex(bytes, size, hex);
    json_member_cstr(writer, key, hex);
}

static void write_claim(struct json_writer *writer, const struct receipt_part *part) {
    const struct receipt_claim *claim = &part->claim;
    json_write_key(writer, "signed");
    if (!part->has_claim) {
        json_write_null(writer);
        return;
    }
    json_begin_object(writer);
    json_member_int(writer, "prompt_tokens", claim->prompt_tokens);
    json_member_int(writer, "completion_tokens", claim->completion_tokens);
    member_hex(writer, "delivered_sha256", claim->sha256, sizeof(claim->sha256));
    member_hex(writer, "signature", claim->signature, sizeof(claim->signature));
    json_end_object(writer);
}

static void write_part(struct json_writer *writer, const struct receipt_part *part) {
    json_begin_object(writer);
    json_member_str(writer, "device_id", part->device_id);
    member_hex(writer, "public_key", part->public_key, sizeof(part->public_key));
    json_member_int(writer, "attempt", part->attempt);
    json_member_int(writer, "completion_tokens", part->tokens);
    if (part->has_file) {
        member_hex(writer, "file_sha256", part->file_sha256, sizeof(part->file_sha256));
    } else {
        json_member_cstr(writer, "file_sha256", NULL);
    }
    member_hex(writer, "delivered_sha256", part->sha256, sizeof(part->sha256));
    write_claim(writer, part);
    json_end_object(writer);
}

static void write_receipt(struct json_writer *writer, const struct receipt *receipt) {
    json_begin_object(writer);
    json_member_str(writer, "id", receipt->id);
    json_member_str(writer, "account_id", receipt->account_id);
    json_member_str(writer, "model", receipt->model);
    json_member_str(writer, "purpose", receipt->purpose);
    json_member_str(writer, "outcome", receipt->outcome);
    json_member_int(writer, "created_ms", receipt->created_ms);
    json_member_str(writer, "request_of", receipt->request_of);
    member_hex(writer, "request_sha256", receipt->request_sha256, sizeof(receipt->request_sha256));
    member_hex(writer, "answer_sha256", receipt->answer_sha256, sizeof(receipt->answer_sha256));
    json_member_int(writer, "answer_bytes", (int64_t)receipt->answer_bytes);
    json_member_int(writer, "prompt_tokens", receipt->prompt_tokens);
    json_member_int(writer, "completion_tokens", receipt->completion_tokens);
    json_member_int(writer, "charge_nano_usd", receipt->charge_nano);
    member_hex(writer, "name", receipt->name, sizeof(receipt->name));
    json_write_key(writer, "devices");
    json_begin_array(writer);
    for (size_t i = 0; i < receipt->part_count; i++) {
        write_part(writer, &receipt->parts[i]);
    }
    json_end_array(writer);
    json_end_object(writer);
}

static void write_signature(struct json_writer *writer, const struct receipt_signature *gateway) {
    json_write_key(writer, "gateway");
    json_begin_object(writer);
    member_hex(writer, "public_key", gateway->public_key, sizeof(gateway->public_key));
    member_hex(writer, "signature", gateway->signature, sizeof(gateway->signature));
    json_end_object(writer);
}

static void write_day(struct json_writer *writer, int64_t day) {
    char name[RECEIPT_DAY_SIZE];
    receipt_day_name(day, name);
    json_member_cstr(writer, "day", name);
}

void receipt_file_write(const struct receipt_file *file, struct json_writer *writer) {
    json_begin_object(writer);
    json_member_cstr(writer, "object", "receipt");
    json_write_key(writer, "receipt");
    write_receipt(writer, &file->receipt);
    if (file->has_salt) {
        member_hex(writer, "salt", file->salt, sizeof(file->salt));
    } else {
        json_member_cstr(writer, "salt", NULL);
    }
    json_write_key(writer, "chain");
    json_begin_object(writer);
    write_day(writer, file->link.day);
    json_member_int(writer, "place", file->link.place);
    member_hex(writer, "previous", file->link.previous, sizeof(file->link.previous));
    json_end_object(writer);
    write_signature(writer, &file->gateway);
    json_end_object(writer);
}

void receipt_head_file_write(const struct receipt_head_file *file, struct json_writer *writer) {
    json_begin_object(writer);
    json_member_cstr(writer, "object", "receipt.head");
    write_day(writer, file->head.day);
    json_member_int(writer, "count", file->head.count);
    member_hex(writer, "head", file->head.hash, sizeof(file->head.hash));
    write_signature(writer, &file->gateway);
    json_end_object(writer);
}

/* --- Reading --- */

/* An object of so many members; `bad` names the first that was not as it has to be. */
struct reading {
    struct json_value object;
    const char *bad;
};

static struct reading begin(struct json_value object, size_t members, const char *name, const char **bad) {
    struct reading reading = {.object = object, .bad = *bad};
    if (reading.bad == NULL && (json_type_of(object) != JSON_OBJECT || json_count(object) != members)) {
        reading.bad = name;
    }
    return reading;
}

static struct json_value member(struct reading *reading, const char *key) {
    struct json_value value = reading->object;
    if (reading->bad == NULL && !json_get(reading->object, key, &value)) {
        reading->bad = key;
    }
    return value;
}

static struct str read_text(struct reading *reading, const char *key) {
    struct str text = STR("");
    const struct json_value value = member(reading, key);
    if (reading->bad == NULL && (!json_as_str(value, &text) || text.len > 255)) {
        reading->bad = key;
    }
    return reading->bad == NULL ? text : STR("");
}

static void read_word(struct reading *reading, const char *key, const char *word) {
    if (!str_equal_cstr(read_text(reading, key), word) && reading->bad == NULL) {
        reading->bad = key;
    }
}

static int64_t read_number(struct reading *reading, const char *key, int64_t max) {
    int64_t number = 0;
    const struct json_value value = member(reading, key);
    if (reading->bad == NULL && (!json_as_int64(value, &number) || number < 0 || number > max)) {
        reading->bad = key;
    }
    return number;
}

static void read_hex(struct reading *reading, const char *key, uint8_t *out, size_t size) {
    const struct str text = read_text(reading, key);
    if (reading->bad == NULL && (text.len != 2 * size || !digest_from_hex(text, out, size))) {
        reading->bad = key;
    }
}

/* Whether there is more than null. */
static bool is_given(struct reading *reading, const char *key) {
    const struct json_value value = member(reading, key);
    return reading->bad == NULL && json_type_of(value) != JSON_NULL;
}

static void read_claim(struct json_value object, struct receipt_claim *claim, const char **bad) {
    struct reading reading = begin(object, 4, "signed", bad);
    claim->prompt_tokens = (uint32_t)read_number(&reading, "prompt_tokens", UINT32_MAX);
    claim->completion_tokens = (uint32_t)read_number(&reading, "completion_tokens", UINT32_MAX);
    read_hex(&reading, "delivered_sha256", claim->sha256, sizeof(claim->sha256));
    read_hex(&reading, "signature", claim->signature, sizeof(claim->signature));
    *bad = reading.bad;
}

static void read_part(struct json_value object, struct receipt_part *part, const char **bad) {
    struct reading reading = begin(object, 7, "devices", bad);
    part->device_id = read_text(&reading, "device_id");
    read_hex(&reading, "public_key", part->public_key, sizeof(part->public_key));
    part->attempt = (uint32_t)read_number(&reading, "attempt", UINT32_MAX);
    part->tokens = (uint32_t)read_number(&reading, "completion_tokens", UINT32_MAX);
    part->has_file = is_given(&reading, "file_sha256");
    if (part->has_file) {
        read_hex(&reading, "file_sha256", part->file_sha256, sizeof(part->file_sha256));
    }
    read_hex(&reading, "delivered_sha256", part->sha256, sizeof(part->sha256));
    part->has_claim = is_given(&reading, "signed");
    if (part->has_claim) {
        read_claim(member(&reading, "signed"), &part->claim, &reading.bad);
    }
    *bad = reading.bad;
}

static void read_parts(struct json_value array, struct receipt *receipt, const char **bad) {
    struct json_iterator iterator;
    struct json_value item;
    if (*bad == NULL && (json_type_of(array) != JSON_ARRAY || json_count(array) > RECEIPT_PARTS_MAX)) {
        *bad = "devices";
    }
    if (*bad != NULL) {
        return;
    }
    for (json_iterate(array, &iterator); json_next(&iterator, NULL, &item);) {
        read_part(item, &receipt->parts[receipt->part_count++], bad);
    }
}

static void read_receipt(struct json_value object, struct receipt *receipt, const char **bad) {
    struct reading reading = begin(object, 15, "receipt", bad);
    receipt->id = read_text(&reading, "id");
    receipt->account_id = read_text(&reading, "account_id");
    receipt->model = read_text(&reading, "model");
    receipt->purpose = read_text(&reading, "purpose");
    receipt->outcome = read_text(&reading, "outcome");
    receipt->created_ms = read_number(&reading, "created_ms", INT64_MAX);
    receipt->request_of = read_text(&reading, "request_of");
    read_hex(&reading, "request_sha256", receipt->request_sha256, sizeof(receipt->request_sha256));
    read_hex(&reading, "answer_sha256", receipt->answer_sha256, sizeof(receipt->answer_sha256));
    receipt->answer_bytes = (uint64_t)read_number(&reading, "answer_bytes", INT64_MAX);
    receipt->prompt_tokens = (uint32_t)read_number(&reading, "prompt_tokens", UINT32_MAX);
    receipt->completion_tokens = (uint32_t)read_number(&reading, "completion_tokens", UINT32_MAX);
    receipt->charge_nano = read_number(&reading, "charge_nano_usd", INT64_MAX);
    read_hex(&reading, "name", receipt->name, sizeof(receipt->name));
    read_parts(member(&reading, "devices"), receipt, &reading.bad);
    *bad = reading.bad;
}

static void read_signature(struct json_value object, struct receipt_signature *gateway, const char **bad) {
    struct reading reading = begin(object, 2, "gateway", bad);
    read_hex(&reading, "public_key", gateway->public_key, sizeof(gateway->public_key));
    read_hex(&reading, "signature", gateway->signature, sizeof(gateway->signature));
    *bad = reading.bad;
}

static int64_t read_day(struct reading *reading) {
    int64_t day = 0;
    if (!receipt_day_read(read_text(reading, "day"), &day) && reading->bad == NULL) {
        reading->bad = "day";
    }
    return day;
}

static void read_link(struct json_value object, struct receipt_link *link, const char **bad) {
    struct reading reading = begin(object, 3, "chain", bad);
    link->day = read_day(&reading);
    link->place = read_number(&reading, "place", INT64_MAX);
    read_hex(&reading, "previous", link->previous, sizeof(link->previous));
    *bad = reading.bad;
}

static bool read_ok(const char *bad, const char *what, struct err *err) {
    return bad == NULL ||
           err_set_field(err, ERR_INVALID, bad, "it is no %s: \"%s\" is missing, wrong or one too many", what, bad);
}

bool receipt_file_read(struct json_value root, struct receipt_file *out, struct err *err) {
    const char *bad = NULL;
    *out = (struct receipt_file){0};
    struct reading reading = begin(root, 5, "object", &bad);
    read_word(&reading, "object", "receipt");
    read_receipt(member(&reading, "receipt"), &out->receipt, &reading.bad);
    out->has_salt = is_given(&reading, "salt");
    if (out->has_salt) {
        read_hex(&reading, "salt", out->salt, sizeof(out->salt));
    }
    read_link(member(&reading, "chain"), &out->link, &reading.bad);
    read_signature(member(&reading, "gateway"), &out->gateway, &reading.bad);
    return read_ok(reading.bad, "receipt", err);
}

bool receipt_head_file_read(struct json_value root, struct receipt_head_file *out, struct err *err) {
    const char *bad = NULL;
    *out = (struct receipt_head_file){0};
    struct reading reading = begin(root, 5, "object", &bad);
    read_word(&reading, "object", "receipt.head");
    out->head.day = read_day(&reading);
    out->head.count = read_number(&reading, "count", INT64_MAX);
    read_hex(&reading, "head", out->head.hash, sizeof(out->head.hash));
    read_signature(member(&reading, "gateway"), &out->gateway, &reading.bad);
    return read_ok(reading.bad, "head of receipts", err);
}
