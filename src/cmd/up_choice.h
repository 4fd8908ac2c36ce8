/* The model that `nataris up` serves beside the built-in one when nobody names any: what is said about it. */
#ifndef NATARIS_CMD_UP_CHOICE_H
#define NATARIS_CMD_UP_CHOICE_H

#include "base/err.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cmd/options.h"
#include "provider/model_choice.h"

#include <stdbool.h>
#include <stddef.h>

struct up_choice {
    struct model_choice_facts facts;
    struct model_choice models[MODEL_CHOICE_MAX]; /* the best first */
    struct option_list first_of;                  /* those that fit, for the provider's --first-of */
};

/* Looks at the machine below `root`; fails when there is no folder for models. */
MUST_CHECK bool up_choice_make(struct up_choice *choice, const char *root, struct err *err);
/* For a person, on stdout: what the machine has, and each model with the reason. */
void up_choice_print(const struct up_choice *choice);
/* A model can be used now: what is to be said if it is one of these, after the announcement; "" else. In the words of a
 * person: which better ones could not be had, and whether it is of demo quality. */
void up_choice_remark(const struct up_choice *choice, struct str model, char *out, size_t out_size);
/* The member "default_models": [{"id","fits","why"}]. */
void up_choice_write(const struct up_choice *choice, struct json_writer *writer);

#endif
