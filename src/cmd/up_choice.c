#include "cmd/up_choice.h"

#include "cmd/model_text.h"

#include <stdio.h>

bool up_choice_make(struct up_choice *choice, const char *root, struct err *err) {
    char folder[FILE_PATH_MAX];
    *choice = (struct up_choice){0};
    if (!model_text_folder(folder, NULL, err)) {
        return false;
    }
    model_choice_look(&choice->facts, root, folder);
    model_choice_judge(&choice->facts, choice->models);
    for (size_t i = 0; i < MODEL_CHOICE_MAX; i++) {
        if (choice->models[i].fits) {
            choice->first_of.items[choice->first_of.count++] = choice->models[i].model->id;
        }
    }
    return true;
}

void up_choice_print(const struct up_choice *choice) {
    const struct model_choice_facts *facts = &choice->facts;
    char memory[MODEL_TEXT_SIZE], disk[MODEL_TEXT_SIZE], size[MODEL_TEXT_SIZE];
    printf("This machine has %s of memory free, %u core%s, and %s of disk for models.\n",
           model_text_bytes(facts->memory_bytes, memory), (unsigned)facts->cores, facts->cores == 1 ? "" : "s",
           model_text_bytes(facts->disk_bytes, disk));
    printf("%s is served at once. %s\n", CATALOG_BUILT_IN_MODEL,
           choice->first_of.count > 0 ? "Beside it, the first of these that can be had:"
                                      : "No other model fits (--model ID serves one all the same):");
    for (size_t i = 0; i < MODEL_CHOICE_MAX; i++) {
        const struct model_choice *one = &choice->models[i];
        printf("  %-35s %9s  %s%s\n", one->model->id, model_text_bytes(one->model->file_bytes, size),
               one->fits ? "" : "does not fit: ", one->why);
    }
    fflush(stdout);
}

void up_choice_remark(const struct up_choice *choice, struct str model, char *out, size_t out_size) {
    size_t index = 0;
    const char *better = NULL; /* the best of those that fit and are not served */
    out[0] = '\0';
    while (index < MODEL_CHOICE_MAX && !str_equal_cstr(model, choice->models[index].model->id)) {
        if (choice->models[index].fits && better == NULL) {
            better = choice->models[index].model->id;
        }
        index++;
    }
    if (index == MODEL_CHOICE_MAX) {
        return;
    }
    int written = better != NULL ? snprintf(out, out_size, " %s could not be had.", better) : 0;
    if (choice->models[index].demo && written >= 0 && (size_t)written < out_size) {
        snprintf(out + written, out_size - (size_t)written,
                 " It is of demo quality: it shows that everything works, and is often wrong.");
    }
}

void up_choice_write(const struct up_choice *choice, struct json_writer *writer) {
    json_write_key(writer, "default_models");
    json_begin_array(writer);
    for (size_t i = 0; i < MODEL_CHOICE_MAX; i++) {
        const struct model_choice *one = &choice->models[i];
        json_begin_object(writer);
        json_member_cstr(writer, "id", one->model->id);
        json_member_bool(writer, "fits", one->fits);
        json_member_cstr(writer, "why", one->why);
        json_end_object(writer);
    }
    json_end_array(writer);
}
