#include "gateway/audit_book.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_values.h"
#include "base/log.h"
#include "base/mem.h"
#include "wire/score.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 4096,
    NUMBER_MAX = 1 << 30,
    LINES_MAX = 100 * 1000, /* then the journal is made anew */
    KEPT_PINNED = AUDIT_KEPT / 2,
    TRIES_REST = 100, /* audits between two tries to make a journal anew that could not be written */
    ENTRIES_MANY = 4096,
    KEPT_CLEAN = 4, /* in the journal that is made anew, of a file of which nothing was found */
};

static const char DISMISSED[] = "dismissed";

void audit_key_init(struct audit_key *key, const char *device_id, const uint8_t sha256[DIGEST_SHA256_SIZE]) {
    memset(key, 0, sizeof(*key));
    (void)str_copy(key->device_id, sizeof(key->device_id), str_from(device_id));
    memcpy(key->sha256, sha256, sizeof(key->sha256));
}

const struct audit_entry *audit_book_find(const struct audit_book *book, const struct audit_key *key) {
    struct audit_entry *entry = NULL;
    HASH_FIND(hh, book->entries, key, sizeof(*key), entry);
    return entry;
}

static struct audit_entry *first_of(const struct audit_book *book, const char *device_id) {
    struct audit_entry *entry = NULL;
    HASH_FIND(by_device, book->devices, device_id, strlen(device_id), entry);
    return entry;
}

static struct audit_entry *entry_of(struct audit_book *book, const struct audit_key *key, const char *model) {
    struct audit_entry *entry = NULL;
    HASH_FIND(hh, book->entries, key, sizeof(*key), entry);
    if (entry == NULL) {
        entry = MEM_NEW(struct audit_entry);
        entry->key = *key;
        entry->kept = mem_calloc(AUDIT_KEPT, sizeof(*entry->kept));
        (void)str_copy(entry->model, sizeof(entry->model), str_from(model));
        HASH_ADD(hh, book->entries, key, sizeof(entry->key), entry);
        struct audit_entry *first = first_of(book, key->device_id);
        if (first != NULL) {
            entry->other = first->other;
            first->other = entry;
        } else {
            HASH_ADD_KEYPTR(by_device, book->devices, entry->key.device_id, strlen(entry->key.device_id), entry);
        }
    }
    return entry;
}

static void drop(struct audit_entry *entry, size_t at, size_t count) {
    entry->kept_count -= count;
    memmove(&entry->kept[at], &entry->kept[at + count], (entry->kept_count - at) * sizeof(*entry->kept));
}

/* What led to a finding stays until the operator has said what to think of it, whatever is found later. */
static void keep(struct audit_entry *entry, const struct audit_evidence *evidence) {
    if (entry->kept_count == AUDIT_KEPT) {
        drop(entry, entry->pinned, 1);
    }
    entry->kept[entry->kept_count++] = *evidence;
    if (evidence->verdict == CORE_AUDIT_FAILED && entry->pinned == 0) {
        if (entry->kept_count > KEPT_PINNED) {
            drop(entry, 0, entry->kept_count - KEPT_PINNED);
        }
        entry->pinned = entry->kept_count;
    }
}

/* The audit that was the last but `age`; NULL: it is not kept any more, or never was. */
static const struct audit_evidence *kept_at(const struct audit_entry *entry, size_t age) {
    return age < entry->kept_count ? &entry->kept[entry->kept_count - 1 - age] : NULL;
}

/* --- As JSON --- */

static void write_sums(const struct core_audit *audit, struct json_writer *writer) {
    json_write_key(writer, "sums");
    json_begin_object(writer);
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        json_member_double(writer, gen_ratio_name((enum gen_ratio)i), audit->sums[i]);
    }
    json_end_object(writer);
    json_member_int(writer, "count", audit->audits);
    json_member_int(writer, "passed", audit->passed);
    json_member_int(writer, "clean", audit->clean);
    json_member_bool(writer, "failed", audit->failed);
}

static void write_evidence(const struct audit_evidence *evidence, struct json_writer *writer) {
    json_member_str(writer, "job_id", str_from(evidence->generation_id));
    json_member_bool(writer, "canary", evidence->canary);
    json_member_int(writer, "tokens", evidence->found.tokens);
    json_member_int(writer, "near", evidence->near);
    json_member_int(writer, "far_tokens", evidence->far);
    json_member_bool(writer, "contradicts", evidence->found.contradicts);
    json_write_key(writer, "ratios");
    json_begin_object(writer);
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        json_member_double(writer, gen_ratio_name((enum gen_ratio)i), evidence->found.ratios[i]);
    }
    json_end_object(writer);
    json_member_cstr(writer, "verdict", core_audit_verdict_name(evidence->verdict));
}

static void write_file(const struct audit_key *key, const char *model, struct json_writer *writer) {
    char hex[DIGEST_HEX_SIZE];
    digest_hex(key->sha256, sizeof(key->sha256), hex);
    json_member_str(writer, "model", str_from(model));
    json_member_cstr(writer, "sha256", hex);
}

void audit_book_write(const struct audit_book *book, const char *device_id, struct json_writer *writer) {
    json_write_key(writer, "audits");
    json_begin_array(writer);
    for (const struct audit_entry *entry = first_of(book, device_id); entry != NULL; entry = entry->other) {
        const struct audit_evidence *evidence = NULL;
        json_begin_object(writer);
        write_file(&entry->key, entry->model, writer);
        write_sums(&entry->audit, writer);
        json_write_key(writer, "last");
        json_begin_array(writer);
        for (size_t age = 0; (evidence = kept_at(entry, age)) != NULL; age++) {
            json_begin_object(writer);
            json_member_time(writer, "at", evidence->at_ms);
            write_evidence(evidence, writer);
            json_end_object(writer);
        }
        json_end_array(writer);
        json_end_object(writer);
    }
    json_end_array(writer);
}

static double worst_sum(const struct audit_entry *entry) {
    double worst = 0;
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        worst = entry->audit.sums[i] > worst ? entry->audit.sums[i] : worst;
    }
    return worst;
}

/* One that failed before one that did not; among equals that with the greatest sum. */
static const struct audit_entry *worst_of(const struct audit_book *book, const char *device_id) {
    const struct audit_entry *worst = first_of(book, device_id);
    for (const struct audit_entry *entry = worst; entry != NULL; entry = entry->other) {
        const bool more = entry->pinned > 0 ? worst->pinned == 0 : entry->audit.failed && !worst->audit.failed;
        const bool same = (entry->pinned > 0) == (worst->pinned > 0) && entry->audit.failed == worst->audit.failed;
        worst = more || (same && worst_sum(entry) > worst_sum(worst)) ? entry : worst;
    }
    return worst;
}

void audit_book_write_finding(const struct audit_book *book, const char *device_id, struct json_writer *writer) {
    const struct audit_entry *entry = worst_of(book, device_id);
    if (entry == NULL || entry->kept_count == 0) {
        json_member_cstr(writer, "audit", NULL);
        return;
    }
    const struct audit_evidence *evidence = entry->pinned > 0 ? &entry->kept[entry->pinned - 1] : kept_at(entry, 0);
    json_write_key(writer, "audit");
    json_begin_object(writer);
    write_file(&entry->key, entry->model, writer);
    write_sums(&entry->audit, writer);
    json_write_key(writer, "finding");
    json_begin_object(writer);
    json_member_time(writer, "at", evidence->at_ms);
    write_evidence(evidence, writer);
    json_end_object(writer);
    json_end_object(writer);
}

/* --- The journal --- */

/* `evidence` NULL: the operator has dismissed what there was. */
static bool write_line(FILE *journal, const struct audit_entry *entry, const struct audit_evidence *evidence) {
    struct json_writer writer;
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    json_writer_init(&writer, &line);
    json_begin_object(&writer);
    json_member_int(&writer, "at_ms", evidence != NULL ? evidence->at_ms : clock_wall_ms());
    json_member_str(&writer, "device_id", str_from(entry->key.device_id));
    write_file(&entry->key, entry->model, &writer);
    if (evidence != NULL) {
        write_evidence(evidence, &writer);
    } else {
        json_member_cstr(&writer, "verdict", DISMISSED);
    }
    write_sums(&entry->audit, &writer);
    json_end_object(&writer);
    buf_append_cstr(&line, "\n");
    const bool written = !line.overflow && fwrite(line.data, 1, line.len, journal) == line.len && fflush(journal) == 0;
    buf_clear(&line);
    return written;
}

static bool read_number(struct json_value object, const char *key, double *out) {
    struct json_value value;
    return json_get(object, key, &value) && json_as_double(value, out);
}

static bool read_count(struct json_value object, const char *key, uint32_t *out) {
    double number = 0;
    if (!read_number(object, key, &number) || !(number >= 0 && number <= NUMBER_MAX)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool read_flag(struct json_value object, const char *key, bool *out) {
    struct json_value value;
    return json_get(object, key, &value) && json_as_bool(value, out);
}

static bool read_text(struct json_value object, const char *key, char *out, size_t size) {
    struct json_value value;
    struct str text;
    return json_get(object, key, &value) && json_as_str(value, &text) && str_copy(out, size, text);
}

static bool read_doubles(struct json_value object, const char *key, double out[CORE_AUDIT_SUMS]) {
    struct json_value inner;
    bool good = json_get(object, key, &inner);
    for (int i = 0; good && i < CORE_AUDIT_SUMS; i++) {
        good = read_number(inner, gen_ratio_name((enum gen_ratio)i), &out[i]);
    }
    return good;
}

static bool read_state(struct json_value line, struct core_audit *audit) {
    return read_doubles(line, "sums", audit->sums) && read_count(line, "count", &audit->audits) &&
           read_count(line, "passed", &audit->passed) && read_count(line, "clean", &audit->clean) &&
           read_flag(line, "failed", &audit->failed);
}

static bool read_evidence(struct json_value line, struct audit_evidence *evidence) {
    char verdict[16];
    double at_ms = 0;
    if (!read_text(line, "verdict", verdict, sizeof(verdict)) || strcmp(verdict, DISMISSED) == 0) {
        return false;
    }
    for (int i = CORE_AUDIT_VOID; i <= CORE_AUDIT_CLEARED; i++) {
        if (strcmp(verdict, core_audit_verdict_name((enum core_audit_verdict)i)) == 0) {
            evidence->verdict = (enum core_audit_verdict)i;
        }
    }
    const bool read = read_number(line, "at_ms", &at_ms) &&
                      read_text(line, "job_id", evidence->generation_id, sizeof(evidence->generation_id)) &&
                      read_flag(line, "canary", &evidence->canary) &&
                      read_count(line, "tokens", &evidence->found.tokens) &&
                      read_count(line, "near", &evidence->near) && read_count(line, "far_tokens", &evidence->far) &&
                      read_flag(line, "contradicts", &evidence->found.contradicts) &&
                      read_doubles(line, "ratios", evidence->found.ratios);
    evidence->at_ms = read ? (int64_t)at_ms : 0;
    return read;
}

static void take_line(struct audit_book *book, struct json_value line) {
    char device_id[STORE_ID_MAX], model[LIMIT_MODEL_ID_BYTES + 1], hex[DIGEST_HEX_SIZE];
    uint8_t sha256[DIGEST_SHA256_SIZE];
    struct core_audit audit;
    struct audit_evidence evidence = {0};
    struct audit_key key;
    if (!read_text(line, "device_id", device_id, sizeof(device_id)) ||
        !read_text(line, "model", model, sizeof(model)) || !read_text(line, "sha256", hex, sizeof(hex)) ||
        !digest_from_hex(str_from(hex), sha256, sizeof(sha256)) || !read_state(line, &audit)) {
        return;
    }
    audit_key_init(&key, device_id, sha256);
    struct audit_entry *entry = entry_of(book, &key, model);
    entry->audit = audit;
    if (read_evidence(line, &evidence)) {
        keep(entry, &evidence);
    } else {
        entry->pinned = 0;
    }
}

static void load(struct audit_book *book, struct str text) {
    struct json_parser *parser = json_parser_new(LINE_MAX_BYTES, LIMIT_JSON_DEPTH);
    while (text.len > 0) {
        struct json_value line;
        const char *end = memchr(text.data, '\n', text.len);
        const size_t length = end != NULL ? (size_t)(end - text.data) : text.len;
        if (json_parse(parser, (struct str){text.data, length}, &line, NULL)) {
            take_line(book, line);
        }
        const size_t used = end != NULL ? length + 1 : length;
        text = (struct str){text.data + used, text.len - used};
    }
    json_parser_free(parser);
}

static bool was_failed(const struct audit_entry *entry) {
    bool found = false;
    for (size_t i = 0; i < entry->kept_count; i++) {
        found = found || entry->kept[i].verdict == CORE_AUDIT_FAILED;
    }
    return found;
}

/* Of most nothing was found: where there are many of them, less of these is kept. */
static bool rewrite_entry(FILE *out, const struct audit_entry *entry, bool many) {
    const bool failed = was_failed(entry);
    const size_t most = failed || !many ? AUDIT_KEPT : KEPT_CLEAN;
    bool written = true;
    for (size_t age = entry->kept_count < most ? entry->kept_count : most; written && age-- > 0;) {
        written = write_line(out, entry, kept_at(entry, age));
    }
    return written && ((entry->kept_count > 0 && (!failed || entry->pinned > 0)) || write_line(out, entry, NULL));
}

/* What is kept, in a file of its own that then takes the journal's place. The last line of an entry has its state; the
 * others' is that state, too, since only the last one counts. */
static bool rewrite(const struct audit_book *book, const char *path, struct err *err) {
    char fresh[FILE_PATH_MAX];
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (out == NULL) {
        return err_set(err, ERR_IO, "%s cannot be written: %s", fresh, strerror(errno));
    }
    bool written = true;
    for (const struct audit_entry *entry = book->entries; written && entry != NULL; entry = entry->hh.next) {
        written = rewrite_entry(out, entry, HASH_COUNT(book->entries) > ENTRIES_MANY);
    }
    if (fclose(out) != 0 || !written || rename(fresh, path) != 0) {
        (void)err_set(err, ERR_IO, "%s cannot be written: %s", path, strerror(errno));
        (void)unlink(fresh); /* half of it is of no use, and takes room */
        return false;
    }
    return true;
}

/* Makes the journal anew, and goes on behind it. */
static bool renew(struct audit_book *book, struct err *err) {
    if (book->journal != NULL) {
        (void)fclose(book->journal);
        book->journal = NULL;
    }
    book->lines = 0;
    if (!rewrite(book, book->path, err)) {
        return false;
    }
    const int fd = open(book->path, O_WRONLY | O_APPEND | O_CLOEXEC);
    book->journal = fd >= 0 ? fdopen(fd, "a") : NULL;
    return book->journal != NULL || err_set(err, ERR_IO, "%s cannot be opened: %s", book->path, strerror(errno));
}

/* Once until it is written again. */
static void journal_fail(struct audit_book *book, const char *why) {
    if (!book->behind) {
        LOG_ERROR_EVENT("audit.journal_behind", LOG_TEXT("because", why));
    }
    book->behind = true;
}

static void journal_catch_up(struct audit_book *book) {
    struct err err = {0};
    if (!renew(book, &err)) {
        journal_fail(book, err.message);
    } else if (book->behind) {
        book->behind = false;
        LOG_INFO_EVENT("audit.journal_whole");
    }
}

static void journal_add(struct audit_book *book, const struct audit_entry *entry,
                        const struct audit_evidence *evidence) {
    if (book->path == NULL) {
        return;
    }
    if (book->paused) {
        journal_fail(book, "the disk is nearly full");
        book->skipped++;
    } else if (book->behind) {
        if (++book->tries % TRIES_REST == 1) {
            journal_catch_up(book);
        }
        book->skipped += book->behind;
    } else if (!write_line(book->journal, entry, evidence)) {
        journal_fail(book, strerror(errno));
        book->skipped++;
    } else if (++book->lines > LINES_MAX) {
        journal_catch_up(book);
    }
}

void audit_book_pause(struct audit_book *book, bool paused) {
    book->paused = paused;
    if (!paused && book->behind) {
        journal_catch_up(book);
    }
}

bool audit_book_open(struct audit_book *book, const char *path, uint32_t permille, struct err *err) {
    struct buf text;
    *book = (struct audit_book){.permille = permille};
    if (path == NULL) {
        return true;
    }
    buf_init(&text, SIZE_MAX);
    if (file_exists(path)) {
        if (!file_read(path, &text, err)) {
            buf_clear(&text);
            return false;
        }
        load(book, buf_str(&text));
    }
    buf_clear(&text);
    book->path = mem_strdup(path);
    if (!renew(book, err)) {
        audit_book_close(book);
        return false;
    }
    return true;
}

void audit_book_close(struct audit_book *book) {
    struct audit_entry *entry = book->entries;
    HASH_CLEAR(by_device, book->devices);
    HASH_CLEAR(hh, book->entries); /* its items are still linked */
    while (entry != NULL) {
        struct audit_entry *next = entry->hh.next;
        free(entry->kept);
        free(entry);
        entry = next;
    }
    if (book->journal != NULL) {
        (void)fclose(book->journal);
    }
    free(book->path);
    *book = (struct audit_book){0};
}

/* --- Audits --- */

bool audit_book_wants(const struct audit_book *book, const struct audit_key *key, uint32_t max_tokens,
                      uint32_t random) {
    static const struct core_audit UNKNOWN;
    const struct audit_entry *entry = audit_book_find(book, key);
    const struct core_audit_terms terms = {.permille = book->permille, .max_tokens = max_tokens};
    return core_audit_wants(entry != NULL ? &entry->audit : &UNKNOWN, &terms, random);
}

enum core_audit_verdict audit_book_add(struct audit_book *book, const struct audit_key *key, const char *model,
                                       const struct audit_evidence *evidence) {
    struct audit_entry *entry = entry_of(book, key, model);
    struct audit_evidence line = *evidence;
    line.verdict = core_audit_add(&entry->audit, &evidence->found);
    if (line.verdict != CORE_AUDIT_VOID) {
        keep(entry, &line);
        journal_add(book, entry, &line);
    }
    return line.verdict;
}

bool audit_book_has_failed(const struct audit_book *book, const char *device_id) {
    const struct audit_entry *entry = first_of(book, device_id);
    while (entry != NULL && !entry->audit.failed) {
        entry = entry->other;
    }
    return entry != NULL;
}

int64_t audit_book_newest_ms(const struct audit_book *book, const char *device_id) {
    int64_t newest_ms = 0;
    for (const struct audit_entry *entry = first_of(book, device_id); entry != NULL; entry = entry->other) {
        const int64_t at_ms = entry->kept_count > 0 ? entry->kept[(entry->kept_count - 1) % AUDIT_KEPT].at_ms : 0;
        newest_ms = at_ms > newest_ms ? at_ms : newest_ms;
    }
    return newest_ms;
}

void audit_book_dismiss(struct audit_book *book, const char *device_id) {
    for (struct audit_entry *entry = first_of(book, device_id); entry != NULL; entry = entry->other) {
        core_audit_dismiss(&entry->audit);
        entry->pinned = 0;
        journal_add(book, entry, NULL);
    }
}
