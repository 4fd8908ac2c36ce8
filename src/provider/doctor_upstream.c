#include "provider/doctor_upstream.h"

#include "base/buf.h"
#include "base/mem.h"
#include "engine/upstream_list.h"

#include <stdlib.h>

enum { NAMES_MAX = 300 };

/* What it has in place of what was asked for, as far as a line holds it. */
static void say_missing(struct doctor *doctor, const struct upstream_list *list, const char *name) {
    struct buf names;
    buf_init(&names, NAMES_MAX);
    for (size_t i = 0; i < list->count; i++) {
        buf_append_format(&names, "%s%s", i > 0 ? ", " : "", list->names[i]);
    }
    doctor_say(doctor, "model", DOCTOR_FAIL, "pull it there, or give its name there: --model ID=NAME",
               "the upstream does not have %s%s%s", name, names.len > 0 ? "; it has: " : "", buf_cstr(&names));
    buf_clear(&names);
}

static bool check_model(struct doctor *doctor, const struct upstream_list *list, const char *name,
                        struct hosted_model_spec *spec) {
    struct err err = {0};
    if (!hosted_model_resolve_upstream(spec, name, &err)) {
        doctor_say(doctor, "model", DOCTOR_FAIL, "look at --model", "%s", err.message);
        return false;
    }
    if (!upstream_list_has(list, spec->upstream)) {
        say_missing(doctor, list, spec->upstream);
        return false;
    }
    doctor_say(doctor, "model", DOCTOR_OK, NULL, "%s: the upstream has it as %s", spec->id, spec->upstream);
    return true;
}

static bool check_models(struct doctor *doctor, const struct upstream_list *list, struct hosted_model_spec *model) {
    const struct provider_options *options = doctor->options;
    struct hosted_model_spec spec;
    bool found = false;
    for (size_t i = 0; i < options->model_count; i++) {
        if (check_model(doctor, list, options->models[i], &spec) && !found) {
            *model = spec;
            found = true;
        }
    }
    return options->model_count == 0 && list->count > 0 ? check_model(doctor, list, list->names[0], model) : found;
}

bool doctor_check_upstream(struct doctor *doctor, struct hosted_model_spec *model) {
    const struct provider_options *options = doctor->options;
    struct upstream_list *list = MEM_NEW(struct upstream_list);
    struct upstream_address address;
    struct err err = {0};
    bool found = false;
    if (!upstream_address_init(&address, options->upstream_url, options->upstream_key, options->ca_file, &err)) {
        doctor_say(doctor, "upstream", DOCTOR_FAIL, "look at --url and --upstream-key-file", "%s", err.message);
    } else if (!upstream_list_read(list, &address, &err)) {
        doctor_say(doctor, "upstream", DOCTOR_FAIL,
                   err.code == ERR_DENIED ? "look at --upstream-key-file"
                                          : "start that server, and look whether --url ends with /v1",
                   "%s", err.message);
    } else {
        doctor_say(doctor, "upstream", DOCTOR_OK, NULL, "%s answers and has %zu models", options->upstream_url,
                   list->count + list->others);
        found = check_models(doctor, list, model);
    }
    free(list);
    return found;
}
