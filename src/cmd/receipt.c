#include "cmd/receipt.h"

#include "base/file.h"
#include "base/key_file.h"
#include "cmd/admin_command.h"
#include "cmd/data_folder.h"
#include "cmd/json_line.h"
#include "store/receipts.h"
#include "wire/receipt_file.h"

#include <stdlib.h>
#include <string.h>

static const char LOSS[] = "receipts are signed by a new key, which those who have kept the old one do not know";

struct receipt_config {
    struct admin_options admin;
    const char *id, *day;
};

bool receipt_key_load(const char *data_folder, uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    char path[FILE_PATH_MAX];
    return file_join(path, data_folder, "receipt_key", err) && key_file_load(path, LOSS, private_key, err);
}

/* A command makes no key: a folder without one has no receipts either. */
static bool key_of(const char *data_folder, uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    char path[FILE_PATH_MAX];
    return file_join(path, data_folder, "receipt_key", err) && key_file_read(path, LOSS, private_key, err);
}

static void print_receipt(const struct store_receipt *receipt, const uint8_t private_key[ED25519_KEY_SIZE],
                          struct receipt_file *file) {
    uint8_t hash[DIGEST_SHA256_SIZE];
    struct json_line line;
    file->link = receipt->link;
    file->has_salt = store_receipt_has_salt(receipt);
    memcpy(file->salt, receipt->salt, sizeof(file->salt));
    receipt_hash(&file->link, receipt->bytes, hash);
    receipt_sign(private_key, hash, &file->gateway);
    json_line_begin(&line, RECEIPT_FILE_BYTES);
    receipt_file_write(file, &line.writer);
    json_line_print(&line);
}

static bool show(struct store *store, const char *id, const uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    struct store_receipt receipt = {0};
    struct receipt_file file = {0};
    if (!store_receipt_get(store, id, &receipt, err)) {
        return false;
    }
    bool ok =
        receipt.kept || err_set(err, ERR_NOT_FOUND,
                                "%s has no receipt: it failed and cost nothing, or it is of the time before there "
                                "were receipts",
                                id);
    if (ok && receipt_read_bytes(receipt.bytes, &file.receipt, err)) {
        print_receipt(&receipt, private_key, &file);
    } else {
        ok = false;
    }
    free((void *)(uintptr_t)receipt.bytes.data);
    return ok;
}

static int run_show(const void *parsed) {
    const struct receipt_config *config = parsed;
    uint8_t private_key[ED25519_KEY_SIZE];
    struct store *store = NULL;
    struct err err = {0};
    const bool ok = data_folder_open_store(config->admin.data, &store, &err) &&
                    key_of(config->admin.data, private_key, &err) && show(store, config->id, private_key, &err);
    store_close(store);
    return ok ? COMMAND_OK : command_fail(&err);
}

static bool head(struct store *store, int64_t day, const uint8_t private_key[ED25519_KEY_SIZE], struct err *err) {
    struct receipt_head_file file;
    struct json_line line;
    if (!store_receipt_head_get(store, day, &file.head, err)) {
        return false;
    }
    receipt_head_sign(private_key, &file.head, &file.gateway);
    json_line_begin(&line, RECEIPT_FILE_BYTES);
    receipt_head_file_write(&file, &line.writer);
    json_line_print(&line);
    return true;
}

static int run_head(const void *parsed) {
    const struct receipt_config *config = parsed;
    uint8_t private_key[ED25519_KEY_SIZE];
    struct store *store = NULL;
    struct err err = {0};
    int64_t day = STORE_RECEIPTS_NEWEST;
    if (config->day != NULL && !receipt_day_read(str_from(config->day), &day)) {
        err_set(&err, ERR_INVALID, "--day is a day in UTC, such as 2026-11-30");
        return command_misused(&err);
    }
    const bool ok = data_folder_open_store(config->admin.data, &store, &err) &&
                    key_of(config->admin.data, private_key, &err) && head(store, day, private_key, &err);
    store_close(store);
    return ok ? COMMAND_OK : command_fail(&err);
}

/* Both print JSON in any case: that is what a receipt is. */
static const struct option SHOW_OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "of the request, job, or step of a workflow",
     offsetof(struct receipt_config, id)},
    ADMIN_OPTIONS(struct receipt_config),
};
static const struct option HEAD_OPTIONS[] = {
    {"day", OPTION_TEXT, "DAY", NULL, "such as 2026-11-30, in UTC; default: the last one that has receipts",
     offsetof(struct receipt_config, day)},
    ADMIN_OPTIONS(struct receipt_config),
};

const struct command COMMAND_RECEIPT_SHOW = {.name = "receipt show",
                                             .summary = "Print the signed receipt of a request, as JSON",
                                             .options = {SHOW_OPTIONS, COUNT_OF(SHOW_OPTIONS)},
                                             .config_size = sizeof(struct receipt_config),
                                             .run = run_show};
const struct command COMMAND_RECEIPT_HEAD = {.name = "receipt head",
                                             .summary = "Print the signed head of a day's receipts, as JSON",
                                             .options = {HEAD_OPTIONS, COUNT_OF(HEAD_OPTIONS)},
                                             .config_size = sizeof(struct receipt_config),
                                             .run = run_head};
