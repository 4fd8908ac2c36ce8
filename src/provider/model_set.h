/* The models of this device, and what they share: memory, so that the least recently used one makes room for another,
 * and the network, so that one model that is in demand is fetched at a time. */
#ifndef NATARIS_PROVIDER_MODEL_SET_H
#define NATARIS_PROVIDER_MODEL_SET_H

#include "provider/hosted_model.h"

struct model_set;

enum { MODEL_SET_FIRST_OF_MAX = 8 };

struct model_set_config {
    struct loop *loop;
    const struct hosted_model_events *events; /* find_room and on_unloaded call the set's own */
    void *context;                            /* of the events */
    uint64_t ram_max_bytes; /* of all engines together; 0: half of what is available, and models that are not on demand
                               are not asked for their size */
};

struct model_set *model_set_new(const struct model_set_config *config);
/* Starts hosting a model. At most LIMIT_LINK_MODELS, their ids all different (the caller sees to it). */
void model_set_add(struct model_set *set, const struct hosted_model_spec *spec,
                   const struct hosted_model_options *options);
/* Hosts the first of `count` models (at most MODEL_SET_FIRST_OF_MAX) that can be had and loaded: one is tried after the
 * other, and when none worked, all of them again after a while. One that the set has already counts as had. */
void model_set_add_first_of(struct model_set *set, const struct hosted_model_spec *specs, size_t count,
                            const struct hosted_model_options *options);
/* From now on models that are in demand may be fetched; `options` of such a model. */
void model_set_allow_wants(struct model_set *set, const struct hosted_model_options *options);
bool model_set_takes_wants(const struct model_set *set);
/* A model is in demand: it is loaded if it is cold, fetched if the catalog knows it and nothing else is being fetched,
 * and else nothing happens. */
void model_set_want(struct model_set *set, struct str id);

struct hosted_model *model_set_find(const struct model_set *set, struct str id); /* NULL: not here */
/* Fills `out`, which has room for LIMIT_LINK_MODELS, and gives the number of models. */
size_t model_set_describe(const struct model_set *set, uint64_t ram_free_bytes, struct link_model *out);
/* Room on the disk for further models, within the quota; 0 when unknown or when none is taken. */
uint64_t model_set_storage_free(const struct model_set *set);
/* True when every model is hopeless (hosted_model.h) and none may come. */
bool model_set_hopeless(const struct model_set *set);
/* Drops the cold models whose files were taken away. */
void model_set_forget_missing(struct model_set *set);

/* Events of the models that the owner of the set passes on. */
enum model_room model_set_find_room(struct model_set *set, struct hosted_model *model, uint64_t ram_free_bytes,
                                    uint64_t *memory_limit);
void model_set_on_unloaded(struct model_set *set);
/* False when the model was fetched because it was in demand, or is one of several that may be served, and is given up:
 * it is no failure of the device. The model is gone then, or soon. */
bool model_set_on_state(struct model_set *set, struct hosted_model *model);

/* Closes all models without further events, frees the set, then on_closed, never inside this call. */
void model_set_close(struct model_set *set, void (*on_closed)(void *context), void *context);

#endif
