#include "link/status.h"

#include "base/digest.h"
#include "catalog/catalog.h"
#include "link/writer.h"
#include "wire/limits.h"

#include <stdio.h>

const char *link_model_state_name(enum link_model_state state) {
    switch (state) {
    case LINK_MODEL_DOWNLOADING:
        return "downloading";
    case LINK_MODEL_LOADING:
        return "loading";
    case LINK_MODEL_WARM:
        return "warm";
    case LINK_MODEL_COLD:
        return "cold";
    case LINK_MODEL_FAILED:
        break;
    }
    return "failed";
}

const char *link_heat_name(enum link_heat heat) {
    switch (heat) {
    case LINK_HEAT_NOMINAL:
        return "nominal";
    case LINK_HEAT_FAIR:
        return "fair";
    case LINK_HEAT_SERIOUS:
        return "serious";
    case LINK_HEAT_CRITICAL:
        break;
    }
    return "critical";
}

const char *link_pause_name(enum link_pause pause) {
    switch (pause) {
    case LINK_PAUSE_NONE:
        return "none";
    case LINK_PAUSE_OWNER:
        break;
    case LINK_PAUSE_BATTERY:
        return "battery";
    case LINK_PAUSE_POWER:
        return "power";
    case LINK_PAUSE_HEAT:
        return "heat";
    case LINK_PAUSE_HOURS:
        return "hours";
    case LINK_PAUSE_METERED:
        return "metered";
    case LINK_PAUSE_IN_USE:
        return "in_use";
    }
    return "owner";
}

/* --- Writing --- */

static void write_kinds(struct json_writer *writer, uint32_t kinds) {
    json_write_key(writer, "kinds");
    json_begin_array(writer);
    for (int i = LINK_JOB_KIND_GENERATE; i < LINK_JOB_KIND_OTHER; i++) {
        if ((kinds & LINK_JOB_KIND_BIT(i)) != 0) {
            json_write_cstr(writer, link_job_kind_name((enum link_job_kind)i));
        }
    }
    json_end_array(writer);
}

static void write_model(struct json_writer *writer, enum link_version version, const struct link_model *model) {
    json_begin_object(writer);
    json_member_str(writer, "id", model->id);
    json_member_cstr(writer, "state", link_model_state_name(model->state));
    if (version >= LINK_VERSION_2) {
        write_kinds(writer, model->kinds);
        link_writer_fact(writer, "sha256", model->sha256);
    }
    link_writer_count(writer, "slots", model->slots);
    link_writer_count(writer, "context_length", model->context_length);
    if (model->state == LINK_MODEL_DOWNLOADING) {
        link_writer_count(writer, "bytes_done", model->bytes_done);
        link_writer_count(writer, "bytes_total", model->bytes_total);
        link_writer_known_count(writer, "bytes_per_s", model->bytes_per_s);
    }
    link_writer_known_count(writer, "load_ms", model->load_ms);
    link_writer_flag(writer, "too_large", model->too_large);
    json_end_object(writer);
}

void link_encode_status(struct buf *out, enum link_version version, const struct link_status *status) {
    struct json_writer writer = link_writer_begin(out, "status");
    json_write_key(&writer, "models");
    json_begin_array(&writer);
    for (size_t i = 0; i < status->model_count; i++) {
        write_model(&writer, version, &status->models[i]);
    }
    json_end_array(&writer);
    link_writer_count(&writer, "active_jobs", status->active_jobs);
    json_member_cstr(&writer, "heat", link_heat_name(status->heat));
    if (status->battery_percent >= 0) {
        json_member_int(&writer, "battery_percent", status->battery_percent);
        json_member_bool(&writer, "charging", status->charging);
    }
    link_writer_count(&writer, "ram_free_bytes", status->ram_free_bytes);
    if (status->pause != LINK_PAUSE_NONE) {
        json_member_cstr(&writer, "pause", link_pause_name(status->pause));
    }
    link_writer_flag(&writer, "takes_wants", status->takes_wants);
    link_writer_known_count(&writer, "storage_free_bytes", status->storage_free_bytes);
    json_end_object(&writer);
}

void link_encode_want(struct buf *out, const struct link_want *want) {
    struct json_writer writer = link_writer_begin(out, "want");
    json_member_str(&writer, "model", want->model);
    json_end_object(&writer);
}

/* --- Reading --- */

/* A state that a newer peer knows and we do not: no jobs for that model, but no reason to part. */
static bool read_model_state(const struct link_reader *reader, enum link_model_state *state) {
    struct str name;
    if (!link_reader_word(reader, "state", &name)) {
        return link_reader_fail(reader, "state", "downloading, loading, warm, failed or cold");
    }
    for (int i = LINK_MODEL_DOWNLOADING; i <= LINK_MODEL_COLD; i++) {
        *state = (enum link_model_state)i;
        if (str_equal_cstr(name, link_model_state_name(*state))) {
            return true;
        }
    }
    *state = LINK_MODEL_FAILED;
    return true;
}

/* Kinds that are not known are left out: no job of them is ever sent. */
static bool read_kinds(const struct link_reader *reader, enum link_version version, uint32_t *kinds) {
    struct json_value array, item;
    struct json_iterator it;
    *kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE);
    if (version < LINK_VERSION_2 || !link_reader_has(reader, "kinds", &array)) {
        return true;
    }
    if (json_type_of(array) != JSON_ARRAY || json_count(array) > LIMIT_LINK_JOB_KINDS) {
        return link_reader_fail(reader, "kinds", "an array of at most 16 strings");
    }
    *kinds = 0;
    json_iterate(array, &it);
    while (json_next(&it, NULL, &item)) {
        struct str name;
        if (!json_as_str(item, &name)) {
            return link_reader_fail(reader, "kinds", "an array of at most 16 strings");
        }
        *kinds |= LINK_JOB_KIND_BIT(link_job_kind_from_name(name));
    }
    *kinds &= ~LINK_JOB_KIND_BIT(LINK_JOB_KIND_OTHER);
    return true;
}

static bool read_sha256(const struct link_reader *reader, enum link_version version, struct str *sha256) {
    struct json_value value;
    *sha256 = STR("");
    if (version < LINK_VERSION_2 || !link_reader_has(reader, "sha256", &value)) {
        return true;
    }
    bool good = link_reader_text(reader, "sha256", DIGEST_HEX_SIZE - 1, sha256) && sha256->len == DIGEST_HEX_SIZE - 1;
    for (size_t i = 0; good && i < sha256->len; i++) {
        const char c = sha256->data[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    return good || link_reader_fail(reader, "sha256", "64 small hexadecimal digits");
}

static bool read_model_id(const struct link_reader *reader, const char *key, struct str *id) {
    return link_reader_text(reader, key, LIMIT_MODEL_ID_BYTES, id) &&
           (catalog_id_is_valid(*id) || link_reader_fail(reader, key, "letters, digits and . _ - / : @ +"));
}

static bool read_model(const struct link_reader *reader, enum link_version version, struct link_model *model) {
    return read_model_id(reader, "id", &model->id) && read_model_state(reader, &model->state) &&
           read_kinds(reader, version, &model->kinds) && read_sha256(reader, version, &model->sha256) &&
           link_reader_u32(reader, "slots", LIMIT_PROVIDER_SLOTS, &model->slots) &&
           link_reader_u32(reader, "context_length", UINT32_MAX, &model->context_length) &&
           link_reader_count(reader, "bytes_done", INT64_MAX, &model->bytes_done) &&
           link_reader_count(reader, "bytes_total", INT64_MAX, &model->bytes_total) &&
           link_reader_count(reader, "bytes_per_s", INT64_MAX, &model->bytes_per_s) &&
           link_reader_u32(reader, "load_ms", UINT32_MAX, &model->load_ms) &&
           link_reader_bool(reader, "too_large", &model->too_large);
}

static bool read_models(const struct link_reader *reader, enum link_version version, struct link_status *status) {
    struct json_value array;
    if (!json_get(reader->object, "models", &array) || json_type_of(array) != JSON_ARRAY ||
        json_count(array) > LIMIT_LINK_MODELS) {
        return link_reader_fail(reader, "models", "an array of at most 64 models");
    }
    struct link_model *models = ARENA_ARRAY(reader->arena, struct link_model, json_count(array) + 1);
    if (models == NULL) {
        return link_reader_full(reader);
    }
    status->models = models;
    struct link_reader inner = *reader;
    struct json_iterator it;
    json_iterate(array, &it);
    while (json_next(&it, NULL, &inner.object)) {
        snprintf(inner.path, sizeof(inner.path), "models[%zu].", status->model_count);
        if (!read_model(&inner, version, &models[status->model_count])) {
            return false;
        }
        status->model_count++;
    }
    return true;
}

static bool read_heat(const struct link_reader *reader, enum link_heat *heat) {
    struct json_value value;
    struct str name;
    if (!link_reader_has(reader, "heat", &value)) {
        *heat = LINK_HEAT_NOMINAL;
        return true;
    }
    if (json_as_str(value, &name)) {
        for (int i = LINK_HEAT_NOMINAL; i <= LINK_HEAT_CRITICAL; i++) {
            *heat = (enum link_heat)i;
            if (str_equal_cstr(name, link_heat_name(*heat))) {
                return true;
            }
        }
    }
    return link_reader_fail(reader, "heat", "nominal, fair, serious or critical");
}

static bool read_battery(const struct link_reader *reader, struct link_status *status) {
    struct json_value value;
    uint64_t percent = 0;
    status->battery_percent = -1;
    if (!link_reader_has(reader, "battery_percent", &value)) {
        return true;
    }
    if (!link_reader_to_count(value, 100, &percent)) {
        return link_reader_fail(reader, "battery_percent", "a whole number from 0 to 100");
    }
    status->battery_percent = (int32_t)percent;
    return true;
}

/* A reason that a newer peer knows and we do not: paused it is. */
static bool read_pause(const struct link_reader *reader, enum link_pause *pause) {
    struct json_value value;
    struct str name;
    *pause = LINK_PAUSE_NONE;
    if (!link_reader_has(reader, "pause", &value)) {
        return true;
    }
    if (!json_as_str(value, &name)) {
        return link_reader_fail(reader, "pause", "a string");
    }
    for (int i = LINK_PAUSE_NONE; i <= LINK_PAUSE_IN_USE; i++) {
        *pause = (enum link_pause)i;
        if (str_equal_cstr(name, link_pause_name(*pause))) {
            return true;
        }
    }
    *pause = LINK_PAUSE_OWNER;
    return true;
}

bool link_read_status(const struct link_reader *reader, enum link_version version, struct link_status *out) {
    return read_models(reader, version, out) && link_reader_u32(reader, "active_jobs", UINT32_MAX, &out->active_jobs) &&
           read_heat(reader, &out->heat) && read_battery(reader, out) &&
           link_reader_bool(reader, "charging", &out->charging) &&
           link_reader_count(reader, "ram_free_bytes", INT64_MAX, &out->ram_free_bytes) &&
           read_pause(reader, &out->pause) && link_reader_bool(reader, "takes_wants", &out->takes_wants) &&
           link_reader_count(reader, "storage_free_bytes", INT64_MAX, &out->storage_free_bytes);
}

bool link_read_want(const struct link_reader *reader, struct link_want *out) {
    return read_model_id(reader, "model", &out->model);
}
