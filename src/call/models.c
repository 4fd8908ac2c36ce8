#include "call/models.h"

#include "catalog/catalog.h"

bool models_resolve(const struct calls *calls, struct str asked, struct str *id) {
    const struct catalog_model *model = catalog_find(asked);
    if (model != NULL) {
        *id = str_from(model->id);
        return true;
    }
    uint32_t context_length;
    *id = asked;
    return calls->backend.availability(calls->backend.context, asked, &context_length) != CORE_MODEL_ABSENT;
}

uint32_t models_context_length(const struct calls *calls, struct str model) {
    uint32_t context_length = 0;
    const struct catalog_model *facts = catalog_find(model);
    (void)calls->backend.availability(calls->backend.context, model, &context_length);
    if (context_length > 0) {
        return context_length;
    }
    return facts != NULL && facts->context_length < MODELS_CONTEXT_DEFAULT ? facts->context_length
                                                                           : MODELS_CONTEXT_DEFAULT;
}

void models_set_defaults(struct call_input *input) {
    if (!input->repeat_penalty_given) {
        input->request.repeat_penalty = catalog_repeat_penalty(catalog_find(input->request.model));
    }
}

/* Repeated to the client only when it is plainly an id, and not some text that came astray. */
static bool looks_like_id(struct str text) {
    enum { LONGEST_REPEATED = 64 };
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '"' || text.data[i] == '\\') {
            return false;
        }
    }
    return text.len > 0 && text.len <= LONGEST_REPEATED;
}

/* An entry of the list may be an alias. */
bool models_allowed(const char *models, struct str id) {
    struct str entry, rest = str_from(models);
    bool any = str_trim(rest).len > 0;
    while (rest.len > 0) {
        (void)str_split(rest, ',', &entry, &rest);
        entry = str_trim(entry);
        const struct catalog_model *model = catalog_find(entry);
        if (str_equal(entry, id) || (model != NULL && str_equal_cstr(id, model->id))) {
            return true;
        }
    }
    return !any;
}

void models_set_unknown(struct fault *fault, struct str asked) {
    if (looks_like_id(asked)) {
        fault_set_param(fault, FAULT_MODEL_NOT_FOUND, "model",
                        "There is no model '%.*s'. GET /v1/models lists the models.", STR_ARG(asked));
    } else {
        fault_set_param(fault, FAULT_MODEL_NOT_FOUND, "model",
                        "There is no such model. GET /v1/models lists the models.");
    }
}

bool models_find_allowed(const struct calls *calls, const struct auth_identity *identity, struct str asked,
                         struct str *id, struct fault *fault) {
    struct str found;
    if (!models_resolve(calls, asked, &found)) {
        models_set_unknown(fault, asked);
        return false;
    }
    if (!models_allowed(identity->models, found)) {
        fault_set_param(fault, FAULT_FORBIDDEN, "model", "This API key may not use the model '%.*s'.", STR_ARG(found));
        return false;
    }
    *id = found;
    return true;
}
