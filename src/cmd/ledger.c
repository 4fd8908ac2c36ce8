#include "cmd/ledger.h"

#include "base/clock.h"
#include "base/money.h"
#include "cmd/admin_command.h"
#include "cmd/data_folder.h"
#include "cmd/json_line.h"
#include "store/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LEDGER_TEXT_MAX = 1024 * 1024, ENTRY_TEXT_MAX = 16 * 1024 };

struct ledger_config {
    struct admin_options admin;
    const char *format;
};

/* --- check --- */

struct ledger_check {
    bool json;
    struct buf problems; /* for --json: what does not fit is only counted */
    struct json_writer writer;
};

static void on_problem(void *context, const char *text) {
    struct ledger_check *check = context;
    if (check->json) {
        json_write_cstr(&check->writer, text);
    } else {
        printf("PROBLEM: %s\n", text);
    }
}

static void print_json_report(const struct store_ledger_report *report, const struct buf *problems) {
    struct json_line line;
    json_line_begin(&line, 2 * LEDGER_TEXT_MAX);
    json_begin_object(&line.writer);
    json_member_bool(&line.writer, "ok", report->problems == 0);
    json_member_int(&line.writer, "transactions", report->transactions);
    json_member_int(&line.writer, "entries", report->entries);
    json_member_int(&line.writer, "accounts", report->accounts);
    json_member_int(&line.writer, "receipts", report->receipts);
    json_member_int(&line.writer, "problems", report->problems);
    json_write_key(&line.writer, "messages");
    if (problems->overflow) {
        json_write_null(&line.writer);
    } else {
        json_write_raw(&line.writer, buf_str(problems));
    }
    json_end_object(&line.writer);
    json_line_print(&line);
}

static void print_report(const struct store_ledger_report *report) {
    printf("%" PRId64 " transactions, %" PRId64 " entries, %" PRId64 " ledger accounts, %" PRId64 " receipts: ",
           report->transactions, report->entries, report->accounts, report->receipts);
    if (report->problems == 0) {
        printf("everything adds up\n");
    } else {
        printf("%" PRId64 " problem%s\n", report->problems, report->problems == 1 ? "" : "s");
    }
}

static bool check_ledger(struct store *store, bool json, struct store_ledger_report *report, struct err *err) {
    struct ledger_check check = {.json = json};
    buf_init(&check.problems, LEDGER_TEXT_MAX);
    json_writer_init(&check.writer, &check.problems);
    json_begin_array(&check.writer);
    const bool ok = store_ledger_check(store, on_problem, &check, report, err);
    json_end_array(&check.writer);
    if (ok && json) {
        print_json_report(report, &check.problems);
    } else if (ok) {
        print_report(report);
    }
    buf_clear(&check.problems);
    return ok;
}

static int run_check(const void *parsed) {
    const struct ledger_config *config = parsed;
    struct store_ledger_report report = {0};
    struct store *store = NULL;
    struct err err = {0};
    const bool ok = data_folder_open_store(config->admin.data, &store, &err) &&
                    check_ledger(store, config->admin.json, &report, &err);
    store_close(store);
    if (!ok) {
        return command_fail(&err);
    }
    return report.problems == 0 ? COMMAND_OK : COMMAND_FAILED;
}

/* --- export --- */

/* RFC 4180. */
static void print_csv_text(const char *text) {
    printf(",\"");
    for (const char *c = text; *c != '\0'; c++) {
        printf(*c == '"' ? "\"\"" : "%c", *c);
    }
    printf("\"");
}

static bool print_csv(void *context, const struct store_entry *entry) {
    char amount[MONEY_TEXT_SIZE], at[CLOCK_TEXT_SIZE];
    (void)context;
    clock_format_utc(entry->created_ms, at);
    printf("%" PRId64 ",%" PRId64 ",%s,%s,%s,%s,%s", entry->number, entry->transaction, at, entry->ledger_account,
           money_format_usd(entry->amount_nano, amount), entry->kind, entry->generation_id);
    print_csv_text(entry->note);
    printf("\r\n");
    return true;
}

static void write_entry(struct json_line *line, const struct store_entry *entry) {
    struct json_writer *writer = &line->writer;
    json_begin_object(writer);
    json_member_int(writer, "number", entry->number);
    json_member_int(writer, "transaction", entry->transaction);
    json_line_time(line, "created_at", entry->created_ms);
    json_member_cstr(writer, "ledger_account", entry->ledger_account);
    json_line_usd(line, "amount_usd", entry->amount_nano);
    json_member_cstr(writer, "kind", entry->kind);
    json_member_cstr(writer, "job_id", entry->generation_id[0] != '\0' ? entry->generation_id : NULL);
    json_member_cstr(writer, "note", entry->note);
    json_end_object(writer);
}

static bool print_json(void *context, const struct store_entry *entry) {
    bool *begun = context;
    struct json_line line;
    json_line_begin(&line, ENTRY_TEXT_MAX);
    write_entry(&line, entry);
    printf("%s\n%s", *begun ? "," : "", buf_cstr(&line.text));
    *begun = true;
    buf_clear(&line.text);
    return true;
}

static bool export_entries(struct store *store, bool json, struct err *err) {
    bool begun = false;
    if (!json) {
        printf("number,transaction,created_at,ledger_account,amount_usd,kind,job_id,note\r\n");
        return store_each_entry(store, print_csv, NULL, err);
    }
    printf("[");
    const bool ok = store_each_entry(store, print_json, &begun, err);
    printf("\n]\n");
    return ok;
}

static int run_export(const void *parsed) {
    const struct ledger_config *config = parsed;
    struct store *store = NULL;
    struct err err = {0};
    const bool json = config->admin.json || strcmp(config->format, "json") == 0;
    if (!json && strcmp(config->format, "csv") != 0) {
        err_set(&err, ERR_INVALID, "--format is csv or json, not '%s'", config->format);
        return command_misused(&err);
    }
    bool ok = data_folder_open_store(config->admin.data, &store, &err) && export_entries(store, json, &err);
    store_close(store);
    if (ok && (fflush(stdout) != 0 || ferror(stdout))) {
        ok = err_set(&err, ERR_IO, "the output could not be written");
    }
    return ok ? COMMAND_OK : command_fail(&err);
}

static const struct option CHECK_OPTIONS[] = {ADMIN_OPTIONS(struct ledger_config)};
static const struct option EXPORT_OPTIONS[] = {
    {"format", OPTION_TEXT, "FORMAT", "csv", "csv or json", offsetof(struct ledger_config, format)},
    ADMIN_OPTIONS(struct ledger_config),
};

const struct command COMMAND_LEDGER_CHECK = {.name = "ledger check",
                                             .summary = "Prove that the books are right; exit status 1 if not",
                                             .options = {CHECK_OPTIONS, COUNT_OF(CHECK_OPTIONS)},
                                             .config_size = sizeof(struct ledger_config),
                                             .run = run_check};
const struct command COMMAND_LEDGER_EXPORT = {.name = "ledger export",
                                              .summary = "Write every entry of the ledger as CSV or JSON",
                                              .options = {EXPORT_OPTIONS, COUNT_OF(EXPORT_OPTIONS)},
                                              .config_size = sizeof(struct ledger_config),
                                              .run = run_export};
