#include "cmd/model.h"

#include "base/clock.h"
#include "cmd/json_line.h"
#include "cmd/model_text.h"
#include "cmd/table.h"
#include "provider/model_store.h"
#include "provider/model_store_list.h"
#include "provider/model_store_room.h"
#include "provider/model_store_use.h"

#include <stdio.h>

struct model_config {
    const char *config, *models;
    struct option_list names;
    uint64_t model_quota;
    bool json;
};

enum { LIST_TEXT_MAX = 4 * 1024 * 1024 };

/* --- list --- */

struct listing {
    char folder[FILE_PATH_MAX];
    struct model_store_list list;
    struct model_store_space space;
    uint64_t quota_bytes;
};

static unsigned percent_of(const struct model_store_entry *entry) {
    return entry->bytes >= entry->bytes_total ? 100 : (unsigned)(entry->bytes * 100 / entry->bytes_total);
}

static const char *state_text(const struct model_store_entry *entry, char *out, size_t out_size) {
    if (entry->state == MODEL_STORE_PARTIAL && entry->bytes_total > 0) {
        snprintf(out, out_size, "partial %u%%", percent_of(entry));
    } else {
        snprintf(out, out_size, "%s", model_store_state_name(entry->state));
    }
    return out;
}

/* "2026-01-31 23:59  pinned in use" */
static const char *used_text(const struct model_store_entry *entry, char *out, size_t out_size) {
    char used[CLOCK_TEXT_SIZE];
    clock_format_utc(entry->used_ms, used);
    used[10] = ' '; /* the 'T' between day and hour */
    snprintf(out, out_size, "%.16s  %s%s%s", entry->used_ms > 0 ? used : "never", entry->pinned ? "pinned " : "",
             entry->in_use ? "in use" : "", entry->fetching ? "being fetched" : "");
    return out;
}

static void print_list(const struct listing *listing) {
    static const struct table_column COLUMNS[] = {{.title = "ID", .width = -34},
                                                  {.title = "STATE", .width = -13},
                                                  {.title = "SIZE", .width = 10},
                                                  {.title = "LAST USED (UTC)"}};
    static const struct table TABLE = {.columns = COLUMNS, .count = COUNT_OF(COLUMNS)};
    char used[MODEL_TEXT_SIZE], quota[MODEL_TEXT_SIZE], rest[MODEL_TEXT_SIZE];
    table_print_titles(&TABLE);
    for (size_t i = 0; i < listing->list.count; i++) {
        const struct model_store_entry *entry = &listing->list.entries[i];
        char state[32], size[MODEL_TEXT_SIZE], last[64];
        const char *const cells[COUNT_OF(COLUMNS)] = {entry->id, state_text(entry, state, sizeof(state)),
                                                      model_text_bytes(entry->bytes, size),
                                                      used_text(entry, last, sizeof(last))};
        table_print_row(&TABLE, cells);
    }
    printf("\n%s%s%s in %s; room for %s more\n", model_text_bytes(listing->space.used_bytes, used),
           listing->quota_bytes > 0 ? " of " : "",
           listing->quota_bytes > 0 ? model_text_bytes(listing->quota_bytes, quota) : "", listing->folder,
           model_text_bytes(listing->space.free_bytes, rest));
}

static void write_entry(struct json_line *line, const struct model_store_entry *entry) {
    struct json_writer *writer = &line->writer;
    json_begin_object(writer);
    json_member_cstr(writer, "id", entry->id);
    json_member_cstr(writer, "state", model_store_state_name(entry->state));
    json_member_int(writer, "bytes", (int64_t)entry->bytes);
    json_line_count(line, "bytes_total", entry->bytes_total);
    json_line_time(line, "last_used_at", entry->used_ms);
    json_member_bool(writer, "pinned", entry->pinned);
    json_member_bool(writer, "in_use", entry->in_use);
    json_member_bool(writer, "fetching", entry->fetching);
    json_end_object(writer);
}

static void print_json(const struct listing *listing) {
    struct json_line line;
    json_line_begin(&line, LIST_TEXT_MAX);
    json_begin_object(&line.writer);
    json_member_cstr(&line.writer, "folder", listing->folder);
    json_write_key(&line.writer, "models");
    json_begin_array(&line.writer);
    for (size_t i = 0; i < listing->list.count; i++) {
        write_entry(&line, &listing->list.entries[i]);
    }
    json_end_array(&line.writer);
    json_member_int(&line.writer, "bytes", (int64_t)listing->space.used_bytes);
    json_line_count(&line, "quota_bytes", listing->quota_bytes);
    json_member_int(&line.writer, "free_bytes", (int64_t)listing->space.free_bytes);
    json_end_object(&line.writer);
    json_line_print(&line);
}

static int run_list(const void *parsed) {
    const struct model_config *config = parsed;
    const struct model_store_room room = {.quota_bytes = config->model_quota};
    struct listing listing = {.quota_bytes = config->model_quota};
    struct err err = {0};
    if (!model_text_folder(listing.folder, config->models, &err)) {
        return command_fail(&err);
    }
    if (file_exists(listing.folder) && (!model_store_list_read(&listing.list, listing.folder, &err) ||
                                        !model_store_measure(&listing.space, listing.folder, &room, &err))) {
        model_store_list_clear(&listing.list);
        return command_fail(&err);
    }
    if (config->json) {
        print_json(&listing);
    } else if (listing.list.count == 0) {
        printf("No models in %s. 'nataris catalog' lists what 'nataris model pull' can fetch.\n", listing.folder);
    } else {
        print_list(&listing);
    }
    model_store_list_clear(&listing.list);
    return COMMAND_OK;
}

/* --- rm, pin, unpin --- */

typedef bool change_one(const char *folder, const char *id, struct err *err);

static bool remove_one(const char *folder, const char *id, struct err *err) {
    return model_store_remove(folder, id, true, err);
}

static bool pin_one(const char *folder, const char *id, struct err *err) {
    return model_store_pin(folder, id, true, err);
}

static bool unpin_one(const char *folder, const char *id, struct err *err) {
    return model_store_pin(folder, id, false, err);
}

/* All that can be done is done; the status is that of the worst. */
static int change_each(const struct model_config *config, change_one *change, const char *done) {
    char folder[FILE_PATH_MAX];
    struct err err = {0};
    int status = COMMAND_OK;
    if (config->names.count == 0) {
        err_set(&err, ERR_INVALID, "NAME is missing: 'nataris model list' has the models here");
        return command_misused(&err);
    }
    if (!model_text_folder(folder, config->models, &err)) {
        return command_fail(&err);
    }
    for (size_t i = 0; i < config->names.count; i++) {
        const char *id = model_text_id(config->names.items[i]);
        if (change(folder, id, &err)) {
            printf("%s is %s.\n", id, done);
        } else {
            status = command_fail(&err);
        }
    }
    return status;
}

static int run_rm(const void *parsed) {
    return change_each(parsed, remove_one, "removed");
}

static int run_pin(const void *parsed) {
    return change_each(parsed, pin_one, "pinned");
}

static int run_unpin(const void *parsed) {
    return change_each(parsed, unpin_one, "not pinned");
}

#define AT(member) offsetof(struct model_config, member)
static const struct option LIST_OPTIONS[] = {
    OPTION_MODELS(struct model_config),
    {"model-quota", OPTION_BYTES, "SIZE", "0", "quota of the folder, such as 20G, to compare with; 0: none",
     AT(model_quota)},
    {"json", OPTION_FLAG, NULL, NULL, "machine-readable output", AT(json)},
    OPTION_CONFIG_FILE(struct model_config, config),
};
static const struct option CHANGE_OPTIONS[] = {
    {"name", OPTION_ARGUMENT_LIST, "NAME", NULL, "id or alias of a model that is here", AT(names)},
    OPTION_MODELS(struct model_config),
    OPTION_CONFIG_FILE(struct model_config, config),
};
#undef AT

const struct command COMMAND_MODEL_LIST = {.name = "model list",
                                           .summary = "Show the models on this device",
                                           .options = {LIST_OPTIONS, COUNT_OF(LIST_OPTIONS)},
                                           .config_size = sizeof(struct model_config),
                                           .run = run_list};
const struct command COMMAND_MODEL_RM = {.name = "model rm",
                                         .summary = "Remove models from this device, and what came of them",
                                         .options = {CHANGE_OPTIONS, COUNT_OF(CHANGE_OPTIONS)},
                                         .config_size = sizeof(struct model_config),
                                         .run = run_rm};
const struct command COMMAND_MODEL_PIN = {.name = "model pin",
                                          .summary = "Keep models when room for others is needed",
                                          .options = {CHANGE_OPTIONS, COUNT_OF(CHANGE_OPTIONS)},
                                          .config_size = sizeof(struct model_config),
                                          .run = run_pin};
const struct command COMMAND_MODEL_UNPIN = {.name = "model unpin",
                                            .summary = "Let models go when room for others is needed",
                                            .options = {CHANGE_OPTIONS, COUNT_OF(CHANGE_OPTIONS)},
                                            .config_size = sizeof(struct model_config),
                                            .run = run_unpin};
