#include "cmd/catalog.h"

#include "base/money.h"
#include "catalog/catalog.h"
#include "cmd/json_line.h"
#include "cmd/model_text.h"
#include "cmd/table.h"
#include "provider/model_store.h"
#include "provider/model_store_list.h"

#include <stdio.h>
#include <string.h>

enum { CATALOG_TEXT_MAX = 1024 * 1024, PRICE_TOKENS = 1000 * 1000 };

struct catalog_config {
    const char *config, *models;
    bool json;
};

/* "built in", a state of the model folder, or NULL: not here. */
static const char *place_of(const struct catalog_model *model, const struct model_store_list *list) {
    char path[FILE_PATH_MAX];
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->entries[i].id, model->id) == 0) {
            return model_store_state_name(list->entries[i].state);
        }
    }
    for (size_t i = 0; i < CATALOG_SOURCES_MAX; i++) {
        const struct catalog_source *source = &model->sources[i];
        if (source->kind == CATALOG_SOURCE_BUILT_IN && model_store_find_built_in(path, source->location, NULL)) {
            return "built in";
        }
    }
    return NULL;
}

static const struct table_column COLUMNS[] = {
    {.title = "ID", .width = -34},      {.title = "SIZE", .width = 9},
    {.title = "RAM", .width = 9},       {.title = "CONTEXT", .width = 8},
    {.title = "LICENSE", .width = -10}, {.title = "PROMPT", .width = 8},
    {.title = "ANSWER", .width = 8},    {.title = "HERE"},
};
static const struct table TABLE = {.columns = COLUMNS, .count = COUNT_OF(COLUMNS)};

static void print_row(const struct catalog_model *model, const struct model_store_list *list) {
    char size[MODEL_TEXT_SIZE], ram[MODEL_TEXT_SIZE], prompt[MONEY_TEXT_SIZE], completion[MONEY_TEXT_SIZE], context[16];
    const char *place = place_of(model, list);
    snprintf(context, sizeof(context), "%u", (unsigned)model->context_length);
    const char *const cells[COUNT_OF(COLUMNS)] = {
        model->id,
        model_text_bytes(model->file_bytes, size),
        model_text_bytes(model->ram_bytes, ram),
        context,
        model->license,
        money_format_usd(model->prompt_price_nano * PRICE_TOKENS, prompt),
        money_format_usd(model->completion_price_nano * PRICE_TOKENS, completion),
        place != NULL ? place : "no",
    };
    table_print_row(&TABLE, cells);
    for (size_t i = 0; i < CATALOG_ALIASES_MAX && model->aliases[i] != NULL; i++) {
        printf("  also called %s\n", model->aliases[i]);
    }
}

static void print_table(const struct model_store_list *list) {
    table_print_titles(&TABLE);
    for (size_t i = 0; i < catalog_count(); i++) {
        print_row(catalog_at(i), list);
    }
    printf("\nPrices are in USD per million tokens.\n");
}

static void write_model(struct json_line *line, const struct catalog_model *model,
                        const struct model_store_list *list) {
    struct json_writer *writer = &line->writer;
    json_begin_object(writer);
    json_member_cstr(writer, "id", model->id);
    json_write_key(writer, "aliases");
    json_begin_array(writer);
    for (size_t i = 0; i < CATALOG_ALIASES_MAX && model->aliases[i] != NULL; i++) {
        json_write_cstr(writer, model->aliases[i]);
    }
    json_end_array(writer);
    json_member_cstr(writer, "description", model->description);
    json_member_cstr(writer, "license", model->license);
    json_member_int(writer, "bytes", (int64_t)model->file_bytes);
    json_member_int(writer, "ram_bytes", (int64_t)model->ram_bytes);
    json_member_int(writer, "context_length", model->context_length);
    json_member_cstr(writer, "sha256", model->sha256);
    json_line_usd(line, "prompt_usd_per_million", model->prompt_price_nano * PRICE_TOKENS);
    json_line_usd(line, "completion_usd_per_million", model->completion_price_nano * PRICE_TOKENS);
    json_member_cstr(writer, "here", place_of(model, list));
    json_end_object(writer);
}

static void print_json(const struct model_store_list *list) {
    struct json_line line;
    json_line_begin(&line, CATALOG_TEXT_MAX);
    json_begin_array(&line.writer);
    for (size_t i = 0; i < catalog_count(); i++) {
        write_model(&line, catalog_at(i), list);
    }
    json_end_array(&line.writer);
    json_line_print(&line);
}

static int run_catalog(const void *parsed) {
    const struct catalog_config *config = parsed;
    char folder[FILE_PATH_MAX];
    struct model_store_list list = {0};
    struct err err = {0};
    if (!model_text_folder(folder, config->models, &err) || !model_store_list_read(&list, folder, &err)) {
        return command_fail(&err);
    }
    if (config->json) {
        print_json(&list);
    } else {
        print_table(&list);
    }
    model_store_list_clear(&list);
    return COMMAND_OK;
}

static const struct option OPTIONS[] = {
    OPTION_MODELS(struct catalog_config),
    {"json", OPTION_FLAG, NULL, NULL, "machine-readable output", offsetof(struct catalog_config, json)},
    OPTION_CONFIG_FILE(struct catalog_config, config),
};

const struct command COMMAND_CATALOG = {.name = "catalog",
                                        .summary = "Show the models that the network knows, with needs and prices",
                                        .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                        .config_size = sizeof(struct catalog_config),
                                        .run = run_catalog};
