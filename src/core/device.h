/* What the core's files tell each other about devices: what they offer, which of them gets a generation, what they are
 * like. Part of core_internal.h, which has the structs. */
#ifndef NATARIS_CORE_DEVICE_H
#define NATARIS_CORE_DEVICE_H

#include "core/core.h"

struct core_attempt;
struct core_generation;
struct core_model;
struct core_offering;
struct core_place_work;
struct core_provider;

/* model.c */
bool core_model_id_is_valid(struct str id);
struct core_model *core_model_find(const struct core *core, struct str id);
struct core_model *core_model_acquire(struct core *core, struct str id); /* finds or makes it; adds a reference */
void core_model_release(struct core *core, struct core_model *model);
void core_model_count(struct core *core, struct core_offering *offering);   /* adds it to its model's counts */
void core_model_uncount(struct core *core, struct core_offering *offering); /* takes it out again */
/* Its device offers it, but rests; or no more. */
void core_model_count_resting(struct core *core, struct core_offering *offering, bool rests);
/* Somebody has it, is loading it, or could load it, and takes generations now or before long. */
bool core_model_is_servable(const struct core_model *model);
/* Its devices have changed: every waiting generation is looked at again (queue.look_again) before the step ends. */
void core_model_mark_pending(struct core *core, struct core_model *model);

/* provider.c */
void core_provider_join(struct core *core, const struct core_event *event);
void core_provider_status(struct core *core, struct core_provider *provider, const struct core_event *event);
void core_provider_drain(struct core *core, struct core_provider *provider);
/* SILENT and ALIVE. Silent: its attempts are abandoned like overdue ones (core_job_silent), and no new generation goes
 * there. */
void core_provider_set_silent(struct core *core, struct core_provider *provider, bool silent);
void core_provider_quarantine(struct core *core, struct core_provider *provider, bool quarantined);
void core_provider_leave(struct core *core, struct core_provider *provider);
void core_provider_cool_down(struct core *core, struct core_provider *provider);
void core_provider_recovered(struct core *core, struct core_provider *provider); /* its cooldown is over */
/* An answer of it was audited, or was wrong: it has settled, or is new again. */
void core_provider_audited(struct core *core, struct core_provider *provider, bool passed);
/* What a device's error says about the device. `penalty`: an engine failure starts a cooldown. */
void core_provider_blame(struct core *core, struct core_offering *offering, enum core_attempt_failure failure,
                         bool penalty);

/* offering.c */
struct core_offering *core_offering_new(struct core *core, struct core_provider *provider, struct str model);
struct core_offering *core_offering_find(const struct core_provider *provider, const struct core_model *model);
/* The first gate that keeps every generation out. */
enum core_gate core_offering_gate(const struct core_offering *offering);
bool core_offering_serves(const struct core_offering *offering); /* if it is warm, it works or is free to */
/* Likewise for what is meant for this device alone: quarantine does not keep that out. */
enum core_gate core_offering_gate_pinned(const struct core_offering *offering);
/* Its device is paused, too hot, short of memory, or in quarantine. */
bool core_offering_rests(const struct core_offering *offering);
void core_offering_refresh(struct core *core, struct core_offering *offering); /* after a change of anything it shows */
void core_offering_sort(struct core *core, struct core_offering *offering);    /* after a change of `active` alone */
/* The provider no longer lists it: it goes when no attempt runs on it. */
void core_offering_unlist(struct core *core, struct core_offering *offering);
/* An attempt begins or ends on it; with PROVIDER_BUSY and PROVIDER_IDLE for the first and the last of a provider. */
/* Before core_offering_refresh, which puts it where it then belongs. */
void core_offering_set_abilities(struct core *core, struct core_offering *offering, uint8_t abilities);
void core_offering_take_slot(struct core *core, struct core_offering *offering);
void core_offering_free_slot(struct core *core, struct core_offering *offering);

/* place.c: which device a generation goes to. */
/* Why core_place found nothing, if that holds for all of the same demand that need no smaller context. */
struct core_miss {
    bool holds, is_new; /* is_new: the best that is free is a new device, and new ones have had their share */
    struct core_demand demand;
    uint32_t context;
    uint32_t patience_ms; /* so long a slot to come is worth more than the best that is free; 0: nothing is free */
};
/* It would miss for the same reason, if it were placed now; as core_place does, it may begin to be patient. */
bool core_place_misses(const struct core *core, struct core_generation *generation, const struct core_miss *miss);
/* Where this generation would best go now; NULL: nowhere, or waiting for a slot is quicker than loading the model on a
 * cold device. The candidates that were weighed are appended to core->candidates; the numbers say where. */
struct core_offering *core_place(struct core *core, struct core_generation *generation, uint32_t *first_candidate,
                                 uint32_t *candidate_count);
/* The first gate that keeps this generation away from the offering; those of core_offering_gate come first. */
enum core_gate core_place_gate(const struct core_generation *generation, const struct core_offering *offering);
/* RAMP or OWNER_SHARE: free devices of others go before it for a generation of this demand. */
enum core_gate core_place_yields(const struct core *core, const struct core_demand *demand,
                                 const struct core_offering *offering);

/* hope.c */
bool core_place_was_tried(const struct core_generation *generation, const struct core_provider *provider);
bool core_place_stayed_silent(const struct core_generation *generation, const struct core_provider *provider);
/* Whether some device, busy or not, is there that the generation may still go to: of its region and privacy, and that
 * did not stay silent on it. One that failed it is only a last resort (core_place). */
bool core_place_has_hope(const struct core *core, const struct core_generation *generation);
/* Devices of its demand that are hopeful and that it has not tried; with `failed_ones` also those that failed it, but
 * did not stay silent. */
bool core_place_has_untried(const struct core *core, const struct core_generation *generation, bool failed_ones);

/* place_weigh.c: what a generation would take on a device. */
/* What a generation needs, wherever it goes. */
struct core_place_work {
    uint32_t prompt_tokens, answer_tokens, answer_tokens_most; /* the second as its model's answers are on average */
    uint64_t prompt_most_ms;                                   /* a prompt of this length may take so long */
    uint64_t left_ms;                                          /* until the whole deadline */
};
/* How well a device keeps what its speeds promise: 1 for a good one (docs/PLACEMENT.md has the table). */
float core_place_weight(const struct core_provider *provider);
/* Prompt and answer, but not more than the largest device offers: what fits nowhere goes there, and the device says so
 * itself, or cuts a limit that the client has not given. */
uint32_t core_place_context(const struct core_generation *generation);
struct core_place_work core_place_work(const struct core *core, const struct core_generation *generation);
/* What the work would take there. Gates are not looked at; `cached_tokens` of the prompt are cached. */
void core_place_weigh(const struct core *core, const struct core_place_work *work, const struct core_offering *offering,
                      uint32_t cached_tokens, struct core_candidate *out);
/* Tokens a second to go by: as measured, else what the device's record says of its model's average, else a guess. */
float core_place_decode_per_s(const struct core *core, const struct core_offering *offering);
float core_place_prefill_per_s(const struct core *core, const struct core_offering *offering);
/* How long the generation's prompt, and the text to continue, should take there until the first token. */
uint32_t core_place_prefill_ms(const struct core *core, const struct core_generation *generation,
                               const struct core_offering *offering);
/* Until one of the model's slots is free and all that wait have had their turn; UINT64_MAX: there are none. */
uint64_t core_place_wait_ms(const struct core *core, const struct core_generation *generation);
/* How long loading takes: as seen there, else the average of its model, else config.load_ms. */
uint32_t core_place_load_ms(const struct core *core, const struct core_offering *offering);

/* affinity.c: which device holds the beginning of a conversation. A table of fixed size; a newer entry may push out an
 * older one. */
void core_affinity_store(struct core *core, const struct core_generation *generation,
                         const struct core_provider *provider);
/* NULL when nothing is known; the offering may be gated. `tokens` is how many it holds. */
struct core_offering *core_affinity_find(const struct core *core, const struct core_generation *generation,
                                         uint32_t *tokens);
void core_affinity_clear(struct core *core); /* when the core is freed */

/* record.c: what attempts say about their device: speeds, reliability, honesty. The generation calls these, in this
 * order. */
void core_record_accepted(struct core *core, struct core_attempt *attempt, uint32_t prompt_tokens);
void core_record_content(struct core *core, struct core_attempt *attempt, struct str text, uint32_t tokens);
enum core_attempt_end {
    CORE_ATTEMPT_END_DONE,
    CORE_ATTEMPT_END_FAILED, /* an error of the engine, or its link closed */
    CORE_ATTEMPT_END_SILENT,
    CORE_ATTEMPT_END_NEUTRAL, /* says nothing about the device: the buyer's cancel or fault, overload, draining */
};
/* `done` is the event for END_DONE, else NULL. */
void core_record_ended(struct core *core, struct core_attempt *attempt, enum core_attempt_end end,
                       const struct core_event *done);
/* It refused a generation that is a good one, as another device or the gateway's own count has shown. */
void core_record_refused(struct core *core, uint64_t provider_handle, const struct core_generation *generation);
/* The device that finished it has counted more of its prompt than there is by the model's own vocabulary. */
void core_record_overcounted(struct core *core, const struct core_generation *generation, uint32_t prompt_tokens);
/* It sent more than max_tokens can be. */
void core_record_over_limit(struct core *core, struct core_attempt *attempt);
/* It still has not shown any content: it is slower than that. */
void core_record_slow(struct core *core, struct core_attempt *attempt);
void core_record_review(struct core *core, struct core_provider *provider, enum core_review review,
                        uint64_t generation);
void core_record_load(struct core_model *model, uint32_t load_ms); /* a device has loaded it */
/* So much time in which the device was there, or not. */
void core_record_uptime(struct core_record *record, uint64_t elapsed_ms, bool present);

/* warm.c: models in demand, and who is asked to fetch or load them. */
void core_warm_facts(struct core *core, const struct core_event *event); /* MODEL */
/* A generation has to wait for the model, or was refused for lack of it. May add WANT. */
void core_warm_demand(struct core *core, struct str id);
uint64_t core_warm_file_bytes(const struct core *core, struct str id);     /* as the catalog says; 0: not known */
uint32_t core_warm_context_length(const struct core *core, struct str id); /* likewise */
/* A device has been asked to fetch the model a moment ago, or one is there that may be asked. */
bool core_warm_may_come(const struct core *core, struct str id);
/* Why a request for a model that nobody can serve now is refused, and Retry-After; 0: no advice. */
enum core_failure core_warm_failure(const struct core *core, struct str id, uint64_t *retry_after_ms);
/* The provider takes wants from now on, or does not. */
void core_warm_set_wanter(struct core *core, struct core_provider *provider, bool wanter);
/* core_model_ready_in_ms for a model that may be NULL. */
uint64_t core_warm_ready_in_ms(const struct core *core, const struct core_model *model, uint32_t *percent);
/* The first device that can serve the model has come, or the last one has gone. */
void core_warm_turned(struct core *core, const struct core_model *model, bool servable);
/* When a model whose last device has gone may be back, by how long that took before; UINT64_MAX: it was never there, or
 * is gone for good. */
uint64_t core_warm_back_in_ms(const struct core *core, struct str id);
void core_warm_clear(struct core *core); /* when the core is freed */

/* check_places.c */
const char *core_check_places(const struct core *core); /* NULL, or the broken rule's name */

/* check_beliefs.c */
const char *core_check_beliefs(const struct core *core); /* likewise */

#endif
