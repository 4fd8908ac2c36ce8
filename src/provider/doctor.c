#include "provider/doctor.h"

#include "base/clock.h"
#include "base/file.h"
#include "engine/engine.h"
#include "provider/device_facts.h"
#include "provider/device_key.h"
#include "provider/device_state.h"
#include "provider/doctor_gateway.h"
#include "provider/doctor_job.h"
#include "provider/doctor_upstream.h"
#include "provider/hosted_model.h"
#include "provider/hosted_model_spec.h"
#include "provider/model_added.h"
#include "provider/model_store.h"
#include "provider/pause_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

enum { DISK_LOW_MB = 1000, MEGABYTE = 1000 * 1000 };

/* --- The data folder --- */

static void check_key(struct doctor *doctor, const char *folder) {
    char path[FILE_PATH_MAX];
    uint8_t private_key[ED25519_KEY_SIZE];
    struct err err = {0};
    if (file_join(path, folder, "device_key", &err) && !file_exists(path)) {
        doctor_say(doctor, "key", DOCTOR_WARN, "start it once with --join TOKEN ('nataris provider invite' makes one)",
                   "this device has no key yet, so it has not joined a gateway");
    } else if (!device_key_load(folder, private_key, &err)) {
        doctor_say(doctor, "key", DOCTOR_FAIL, "restore the file, or remove it and join again as a new device", "%s",
                   err.message);
    } else {
        doctor_say(doctor, "key", DOCTOR_OK, NULL, "the device has its key");
    }
    memset(private_key, 0, sizeof(private_key));
}

static void check_folder(struct doctor *doctor) {
    const char *folder = doctor->options->data_folder;
    if (!file_exists(folder)) {
        doctor_say(doctor, "folder", DOCTOR_WARN, "look whether --data is right; the first start makes the folder",
                   "there is no folder %s yet", folder);
        return;
    }
    if (access(folder, R_OK | W_OK | X_OK) != 0) {
        doctor_say(doctor, "folder", DOCTOR_FAIL, "run it as the folder's owner, or give that folder to this user",
                   "%s cannot be written by this user", folder);
        return;
    }
    doctor_say(doctor, "folder", DOCTOR_OK, NULL, "%s can be written", folder);
    check_key(doctor, folder);
}

/* --- Models, memory, disk --- */

/* The checked file of `model`, kept or built in; path[0] is NUL when there is none. */
static bool find_file(const struct catalog_model *model, const char *folder, char path[FILE_PATH_MAX],
                      struct err *err) {
    const struct fetch_control control = {0};
    if (model_store_path(path, folder, model->id, err) &&
        model_store_verify(path, model->sha256, false, &control, err)) {
        return true;
    }
    if (err->code != ERR_NOT_FOUND) {
        return false;
    }
    for (size_t i = 0; i < CATALOG_SOURCES_MAX; i++) {
        if (model->sources[i].kind == CATALOG_SOURCE_BUILT_IN) {
            return model_store_find_built_in(path, model->sources[i].location, err) &&
                   model_store_verify(path, model->sha256, false, &control, err);
        }
    }
    return false;
}

struct best_model { /* for the job: the first model whose file is good */
    char id[LIMIT_MODEL_ID_BYTES + 1], path[FILE_PATH_MAX];
    bool found;
    uint64_t ram_bytes; /* the most that any of the models needs */
};

/* Fills `path` with the file of a model that is named or added; false after saying what is wrong with it. */
static bool check_file(struct doctor *doctor, const struct hosted_model_spec *spec, const struct catalog_model *model,
                       char path[FILE_PATH_MAX]) {
    struct err err = {.code = ERR_NOT_FOUND}; /* an added one may be removed in the meantime */
    if (spec->path != NULL) {
        str_copy(path, FILE_PATH_MAX, str_from(spec->path));
        return true;
    }
    if (model != NULL && find_file(model, doctor->options->model_folder, path, &err)) {
        return true;
    }
    const bool absent = err.code == ERR_NOT_FOUND;
    doctor_say(doctor, "model", absent ? DOCTOR_WARN : DOCTOR_FAIL,
               absent ? "the provider fetches it when it starts" : "remove that file; the provider fetches it again",
               "%s: %s", spec->id, absent ? "its file is not here yet" : err.message);
    return false;
}

static void check_model(struct doctor *doctor, const char *name, struct best_model *best) {
    const bool needs_file = engine_ops_find(doctor->options->engine)->needs_file;
    const char *folder = doctor->options->model_folder;
    struct hosted_model_spec spec;
    struct model_added added;
    struct err err = {0};
    char path[FILE_PATH_MAX] = "";
    if (!hosted_model_resolve(&spec, name, folder, needs_file, &err)) {
        doctor_say(doctor, "model", DOCTOR_FAIL, "look at --model; 'nataris catalog' lists what can be served", "%s",
                   err.message);
        return;
    }
    const struct catalog_model *model = spec.path == NULL ? model_added_find(&added, folder, spec.id) : NULL;
    if (model != NULL && needs_file && model->ram_bytes > best->ram_bytes) {
        best->ram_bytes = model->ram_bytes;
    }
    if (needs_file && !check_file(doctor, &spec, model, path)) {
        return;
    }
    doctor_say(doctor, "model", DOCTOR_OK, NULL, "%s: %s", spec.id,
               !needs_file         ? "needs no file"
               : spec.path != NULL ? "its file is there (named by path, so not compared with anything)"
                                   : "its file is the one wanted");
    if (!best->found) {
        best->found = true;
        str_copy(best->id, sizeof(best->id), str_from(spec.id));
        str_copy(best->path, sizeof(best->path), str_from(path));
    }
}

static void check_memory(struct doctor *doctor, const struct device_state *state, uint64_t need) {
    const uint64_t limit = doctor->options->limits.ram_max_bytes;
    const unsigned long long need_mb = need / MEGABYTE, free_mb = state->ram_free_bytes / MEGABYTE;
    if (limit > 0 && need > limit) {
        doctor_say(doctor, "memory", DOCTOR_FAIL, "raise --max-ram or choose a smaller model",
                   "a model needs %llu MB, --max-ram allows %llu MB", need_mb, (unsigned long long)limit / MEGABYTE);
    } else if (!doctor->provider_runs && state->ram_free_bytes > 0 && need > state->ram_free_bytes) {
        doctor_say(doctor, "memory", DOCTOR_WARN, "close other programs or choose a smaller model",
                   "a model needs %llu MB, %llu MB are free", need_mb, free_mb);
    } else {
        doctor_say(doctor, "memory", DOCTOR_OK, NULL, "%llu MB are free, the largest model needs %llu MB", free_mb,
                   need_mb);
    }
}

static void check_disk(struct doctor *doctor) {
    char folder[FILE_PATH_MAX];
    struct statvfs facts;
    str_copy(folder, sizeof(folder), str_from(doctor->options->model_folder));
    while (statvfs(folder, &facts) != 0) { /* it may not exist yet: its disk is that of a folder above */
        char *slash = strrchr(folder, '/');
        if (slash == NULL || slash == folder) {
            str_copy(folder, sizeof(folder), STR("."));
            if (statvfs(folder, &facts) != 0) {
                return;
            }
            break;
        }
        *slash = '\0';
    }
    const unsigned long long free_mb = (uint64_t)facts.f_bavail * facts.f_frsize / MEGABYTE;
    doctor_say(doctor, "disk", free_mb < DISK_LOW_MB ? DOCTOR_WARN : DOCTOR_OK,
               free_mb < DISK_LOW_MB ? "make room, or give another folder with --models" : NULL,
               "%llu MB are free for models in %s", free_mb, doctor->options->model_folder);
}

/* --- The owner's limits, each by itself --- */

static struct owner_limits only_one(const struct owner_limits *all, enum link_pause which) {
    struct owner_limits one;
    owner_limits_init(&one);
    one.metered = all->metered;
    one.heat_max = LINK_HEAT_CRITICAL;
    switch (which) {
    case LINK_PAUSE_NONE:
    case LINK_PAUSE_OWNER:
        break;
    case LINK_PAUSE_BATTERY:
        one.battery_floor_percent = all->battery_floor_percent;
        break;
    case LINK_PAUSE_POWER:
        one.only_charging = all->only_charging;
        break;
    case LINK_PAUSE_HEAT:
        one.heat_max = all->heat_max;
        break;
    case LINK_PAUSE_HOURS:
        one.hours_given = all->hours_given;
        one.hours_from = all->hours_from;
        one.hours_until = all->hours_until;
        break;
    case LINK_PAUSE_METERED:
        one.avoid_metered = all->avoid_metered;
        break;
    case LINK_PAUSE_IN_USE:
        one.pause_in_use_s = all->pause_in_use_s;
        break;
    }
    return one;
}

static void check_limits(struct doctor *doctor, const struct device_state *state) {
    const int64_t now_ms = clock_wall_ms();
    const time_t now = (time_t)(now_ms / 1000);
    struct owner_pause by_hand = {0};
    struct tm local = {0};
    struct err err = {0};
    bool any = false;
    localtime_r(&now, &local);
    if (!pause_file_read(doctor->options->data_folder, &by_hand, &err)) {
        doctor_say(doctor, "limits", DOCTOR_FAIL, "look at the rights of that file", "%s", err.message);
        any = true;
    }
    for (enum link_pause which = LINK_PAUSE_OWNER; which <= LINK_PAUSE_IN_USE; which++) {
        const struct owner_limits one = only_one(&doctor->options->limits, which);
        const bool paused = which == LINK_PAUSE_OWNER && owner_pause_holds(&by_hand, now_ms);
        char reason[DOCTOR_MESSAGE_MAX];
        if (owner_limits_check(&one, state, (uint16_t)(local.tm_hour * 60 + local.tm_min), paused) != which) {
            continue;
        }
        owner_limits_explain(which, &one, state, reason, sizeof(reason));
        doctor_say(doctor, "limits", DOCTOR_WARN, "no jobs come as long as this holds", "%s", reason);
        any = true;
    }
    if (!any) {
        doctor_say(doctor, "limits", DOCTOR_OK, NULL, "none of the owner's limits is hit");
    }
}

bool doctor_run(struct doctor *doctor) {
    struct best_model best = {0};
    struct hosted_model_spec there = {0};
    struct device_state state;
    check_folder(doctor);
    doctor_check_gateway(doctor);
    if (doctor->options->upstream_url != NULL) {
        best.found = doctor_check_upstream(doctor, &there);
        str_copy(best.id, sizeof(best.id), str_from(there.id));
    }
    for (size_t i = 0; doctor->options->upstream_url == NULL && i < doctor->options->model_count; i++) {
        check_model(doctor, doctor->options->models[i], &best);
    }
    device_state_read(&state, doctor->options->device_root);
    check_memory(doctor, &state, best.ram_bytes);
    check_disk(doctor);
    check_limits(doctor, &state);
    if (best.found) {
        doctor_check_job(doctor, best.id, best.path[0] != '\0' ? best.path : NULL, there.upstream);
    } else {
        doctor_say(doctor, "job", DOCTOR_WARN, "run the doctor again when a model is here",
                   "no job was tried: there is no model to try it on");
    }
    return !doctor->failed;
}
