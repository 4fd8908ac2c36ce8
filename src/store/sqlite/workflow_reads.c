#include "store/sqlite/workflow_reads.h"

#include "base/mem.h"
#include "store/sqlite/steps.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEPS_FIRST = 16,
    OPEN_FIRST = 64,
    HISTORY_WORKFLOWS = 200, /* the newest: further back nobody looks for steps */
    HISTORY_SAMPLES = 200,
};

/* A workflow that is being read. */
struct workflow_row {
    struct workflow_place at;
    struct store_workflow_found *found;
};

/* An empty one is a text that is not there yet, or no more. */
static bool text_open(const struct turn_place *place, struct str stored, char *out, size_t *length, struct err *err) {
    *length = stored.len;
    if (stored.len == 0) {
        return true;
    }
    if (place->number != 0) {
        return sqlite_open_sealed(place->secret, stored, out, length, err);
    }
    memcpy(out, stored.data, stored.len);
    return true;
}

static bool text_read(struct sqlite_reader *reader, struct workflow_row *row, struct str *out, struct err *err) {
    const struct str stored = sqlite_read_bytes(reader);
    char *text = arena_alloc(&row->found->texts, stored.len + 1);
    *out = STR("");
    if (text == NULL) {
        return err_set(err, ERR_INTERNAL, "The workflow %s is too large", row->found->workflow.id);
    }
    out->data = text;
    return text_open(&row->at.place, stored, text, &out->len, err);
}

static bool task_read(struct sqlite_reader *reader, const struct turn_place *place, struct store_workflow *out,
                      struct err *err) {
    char text[STORE_WORKFLOW_TASK_MAX + SEAL_EXTRA];
    size_t length = 0;
    const struct str stored = sqlite_read_bytes(reader);
    if (stored.len > sizeof(text)) {
        return err_set(err, ERR_INTERNAL, "A task is too long: the database was changed");
    }
    const bool ok = text_open(place, stored, text, &length, err);
    (void)str_copy(out->task, sizeof(out->task), (struct str){text, ok ? length : 0});
    return ok;
}

static bool workflow_read(struct sqlite_reader *reader, struct workflow_place *at, struct store_workflow *out,
                          struct err *err) {
    *out = (struct store_workflow){.request = STR(""), .answer = STR(""), .error = STR(""), .extra = STR("")};
    *at = (struct workflow_place){.number = sqlite_read_int(reader)};
    at->place.number = sqlite_read_int(reader);
    sqlite_read_blob(reader, at->place.secret, sizeof(at->place.secret));
    sqlite_read_text(reader, out->id, sizeof(out->id));
    sqlite_read_text(reader, out->account_id, sizeof(out->account_id));
    sqlite_read_text(reader, out->key_id, sizeof(out->key_id));
    out->test = sqlite_read_int(reader) != 0;
    out->kind = (enum store_workflow_kind)sqlite_read_choice(reader, STORE_WORKFLOW_KINDS);
    out->chosen = sqlite_read_int(reader) != 0;
    at->status = out->status = (enum store_workflow_status)sqlite_read_choice(reader, STORE_WORKFLOW_STATUSES);
    sqlite_read_text(reader, out->model, sizeof(out->model));
    out->max_steps = (uint32_t)sqlite_read_int(reader);
    out->max_cost_nano = sqlite_read_int(reader);
    sqlite_read_text(reader, out->conversation_id, sizeof(out->conversation_id));
    out->created_ms = sqlite_read_int(reader);
    out->ended_ms = sqlite_read_int(reader);
    out->steps_executed = (uint32_t)sqlite_read_int(reader);
    out->prompt_tokens = (uint32_t)sqlite_read_int(reader);
    out->completion_tokens = (uint32_t)sqlite_read_int(reader);
    out->cost_nano = sqlite_read_int(reader);
    sqlite_read_blob(reader, out->body_sha256, sizeof(out->body_sha256));
    return task_read(reader, &at->place, out, err);
}

static bool no_such_workflow(const char *field, struct err *err) {
    return err_set_field(err, ERR_NOT_FOUND, field, "There is no such workflow");
}

static bool row_find(struct sqlite_db *db, const char *id, struct workflow_row *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_FIND);
    sqlite_bind_text(&binder, id);
    if (!sqlite_next(db, SQL_WORKFLOW_FIND, &found, err)) {
        return false;
    }
    if (!found) {
        return no_such_workflow("id", err);
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_WORKFLOW_FIND);
    struct store_workflow *workflow = &out->found->workflow;
    const bool ok = workflow_read(&reader, &out->at, workflow, err) &&
                    text_read(&reader, out, &workflow->request, err) &&
                    text_read(&reader, out, &workflow->answer, err) && text_read(&reader, out, &workflow->error, err) &&
                    text_read(&reader, out, &workflow->extra, err);
    sqlite_reset(db, SQL_WORKFLOW_FIND);
    return ok;
}

static struct store_step *step_next(struct store_workflow_found *found) {
    if (found->step_count == found->step_capacity) {
        found->step_capacity = found->step_capacity == 0 ? STEPS_FIRST : 2 * found->step_capacity;
        found->steps = mem_realloc(found->steps, found->step_capacity * sizeof(*found->steps));
    }
    return &found->steps[found->step_count++];
}

static bool step_read(struct sqlite_reader *reader, struct workflow_row *row, struct store_step *out, struct err *err) {
    *out = (struct store_step){.number = (uint32_t)sqlite_read_int(reader)};
    out->name = (enum store_step_name)sqlite_read_choice(reader, STORE_STEP_NAMES);
    out->state = (enum store_step_state)sqlite_read_choice(reader, STORE_STEP_STATES);
    out->outcome = (enum store_step_outcome)sqlite_read_choice(reader, STORE_STEP_OUTCOMES);
    out->local = sqlite_read_int(reader) != 0;
    out->round = (uint32_t)sqlite_read_int(reader);
    out->part = (uint32_t)sqlite_read_int(reader);
    out->scale = (uint32_t)sqlite_read_int(reader);
    out->shrunk = sqlite_read_int(reader) != 0;
    sqlite_read_text(reader, out->run_id, sizeof(out->run_id));
    sqlite_read_blob(reader, out->prompt_sha256, sizeof(out->prompt_sha256));
    out->max_tokens = (uint32_t)sqlite_read_int(reader);
    out->hold_nano = sqlite_read_int(reader);
    out->prompt_tokens = (uint32_t)sqlite_read_int(reader);
    out->completion_tokens = (uint32_t)sqlite_read_int(reader);
    out->cost_nano = sqlite_read_int(reader);
    sqlite_read_text(reader, out->provider_id, sizeof(out->provider_id));
    out->started_ms = sqlite_read_int(reader);
    out->ended_ms = sqlite_read_int(reader);
    return text_read(reader, row, &out->output, err);
}

static bool steps_find(struct sqlite_db *db, struct workflow_row *row, struct err *err) {
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_STEP_EACH);
    sqlite_bind_int(&binder, row->at.number);
    while ((ok = sqlite_next(db, SQL_STEP_EACH, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_STEP_EACH);
        ok = step_read(&reader, row, step_next(row->found), err);
        if (!ok) {
            break;
        }
    }
    sqlite_reset(db, SQL_STEP_EACH);
    return ok;
}

bool sqlite_workflow_find(struct store_connection *connection, const char *account_id, bool test, const char *id,
                          struct store_workflow_found *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct workflow_row row = {.found = out};
    store_workflow_found_clear(out);
    arena_init(&out->texts, SIZE_MAX);
    if (!row_find(db, id, &row, err)) {
        return false;
    }
    if (account_id[0] != '\0' && (out->workflow.test != test || strcmp(out->workflow.account_id, account_id) != 0)) {
        return no_such_workflow("id", err);
    }
    return steps_find(db, &row, err);
}

static bool list_number(struct sqlite_db *db, enum sql sql, const struct store_workflow_query *query, bool *found,
                        int64_t *number, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_text(&binder, query->account_id);
    sqlite_bind_int(&binder, query->test);
    if (sql == SQL_WORKFLOW_CURSOR) {
        sqlite_bind_text(&binder, query->after);
    }
    if (!sqlite_next(db, sql, found, err)) {
        return false;
    }
    if (*found) {
        struct sqlite_reader reader = sqlite_read(db, sql);
        *number = sqlite_read_int(&reader);
        sqlite_reset(db, sql);
    }
    return true;
}

static bool list_page(struct sqlite_db *db, const struct store_workflow_query *query, int64_t before,
                      struct store_workflow_page *out, struct err *err) {
    const enum sql sql = query->status < 0 ? SQL_WORKFLOW_PAGE : SQL_WORKFLOW_PAGE_STATUS;
    const size_t limit = query->limit < STORE_WORKFLOW_LIST_MAX ? query->limit : STORE_WORKFLOW_LIST_MAX;
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_text(&binder, query->account_id);
    sqlite_bind_int(&binder, query->test);
    sqlite_bind_int(&binder, before);
    if (query->status >= 0) {
        sqlite_bind_int(&binder, query->status);
    }
    sqlite_bind_int(&binder, (int64_t)limit + 1);
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        struct workflow_place at;
        struct sqlite_reader reader = sqlite_read(db, sql);
        out->more = out->count == limit;
        if (out->more) {
            break;
        }
        ok = workflow_read(&reader, &at, &out->rows[out->count++], err);
        if (!ok) {
            break;
        }
    }
    sqlite_reset(db, sql);
    return ok;
}

bool sqlite_workflow_list(struct store_connection *connection, const struct store_workflow_query *query,
                          struct store_workflow_page *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    int64_t before = INT64_MAX;
    bool found = true;
    out->count = 0;
    out->more = false;
    out->total = 0;
    if (query->after[0] != '\0' && !list_number(db, SQL_WORKFLOW_CURSOR, query, &found, &before, err)) {
        return false;
    }
    if (!found) {
        return no_such_workflow("after", err);
    }
    return list_page(db, query, before, out, err) &&
           list_number(db, SQL_WORKFLOW_TOTAL, query, &found, &out->total, err);
}

bool sqlite_workflows_open(struct store_connection *connection, struct store_workflow_open **rows, size_t *count,
                           struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    size_t capacity = 0;
    bool ok, found;
    *rows = NULL;
    *count = 0;
    while ((ok = sqlite_next(db, SQL_WORKFLOW_OPEN, &found, err)) && found) {
        if (*count == capacity) {
            capacity = capacity == 0 ? OPEN_FIRST : 2 * capacity;
            *rows = mem_realloc(*rows, capacity * sizeof(**rows));
        }
        struct store_workflow_open *row = &(*rows)[(*count)++];
        struct sqlite_reader reader = sqlite_read(db, SQL_WORKFLOW_OPEN);
        sqlite_read_text(&reader, row->id, sizeof(row->id));
        sqlite_read_text(&reader, row->account_id, sizeof(row->account_id));
        row->test = sqlite_read_int(&reader) != 0;
    }
    sqlite_reset(db, SQL_WORKFLOW_OPEN);
    return ok;
}

/* --- What steps took --- */

struct samples {
    uint32_t prompt[HISTORY_SAMPLES], completion[HISTORY_SAMPLES], count;
};

static bool samples_read(struct sqlite_db *db, const struct store_step_history_query *query, enum store_step_name name,
                         struct samples *out, struct err *err) {
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_STEP_HISTORY);
    sqlite_bind_text(&binder, query->account_id);
    sqlite_bind_int(&binder, query->test);
    sqlite_bind_int(&binder, query->kind);
    sqlite_bind_text(&binder, query->model);
    sqlite_bind_int(&binder, HISTORY_WORKFLOWS);
    sqlite_bind_int(&binder, name);
    sqlite_bind_int(&binder, HISTORY_SAMPLES);
    out->count = 0;
    while ((ok = sqlite_next(db, SQL_STEP_HISTORY, &found, err)) && found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_STEP_HISTORY);
        out->prompt[out->count] = (uint32_t)sqlite_read_int(&reader);
        out->completion[out->count++] = (uint32_t)sqlite_read_int(&reader);
    }
    sqlite_reset(db, SQL_STEP_HISTORY);
    return ok;
}

static int compare_u32(const void *first, const void *second) {
    const uint32_t a = *(const uint32_t *)first, b = *(const uint32_t *)second;
    return (a > b) - (a < b);
}

/* The smallest that so many percent are not above. */
static uint32_t percentile(const uint32_t *sorted, uint32_t count, uint32_t percent) {
    return sorted[(count * percent + 99) / 100 - 1];
}

static struct store_step_history history_of(enum store_step_name name, struct samples *samples) {
    qsort(samples->prompt, samples->count, sizeof(uint32_t), compare_u32);
    qsort(samples->completion, samples->count, sizeof(uint32_t), compare_u32);
    return (struct store_step_history){
        .name = name,
        .samples = samples->count,
        .prompt_tokens_low = percentile(samples->prompt, samples->count, 10),
        .prompt_tokens_likely = percentile(samples->prompt, samples->count, 50),
        .prompt_tokens_high = percentile(samples->prompt, samples->count, 90),
        .completion_tokens_low = percentile(samples->completion, samples->count, 10),
        .completion_tokens_likely = percentile(samples->completion, samples->count, 50),
        .completion_tokens_high = percentile(samples->completion, samples->count, 90),
    };
}

bool sqlite_step_history(struct store_connection *connection, const struct store_step_history_query *query,
                         struct store_step_history out[STORE_STEP_NAMES], size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct samples samples;
    *count = 0;
    for (int i = 0; i < STORE_STEP_NAMES; i++) {
        const enum store_step_name name = (enum store_step_name)i;
        if (!samples_read(db, query, name, &samples, err)) {
            return false;
        }
        if (samples.count > 0) {
            out[(*count)++] = history_of(name, &samples);
        }
    }
    return true;
}
