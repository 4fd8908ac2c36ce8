/* What is believed of what devices say and show (docs/PLACEMENT.md#beliefs). Part of core_internal.h, which has the
 * structs that are only named here. */
#ifndef NATARIS_CORE_BELIEF_H
#define NATARIS_CORE_BELIEF_H

#include "core/core.h"

struct core_model;
struct core_offering;
struct core_provider;

/* How many devices were measured at which class of speed: [1] those that have settled, [0] those that are new. */
enum { CORE_SPEED_CLASSES = 64 };
struct core_measures {
    uint32_t decode[2][CORE_SPEED_CLASSES], prefill[2][CORE_SPEED_CLASSES];
    uint32_t decode_count[2], prefill_count[2];
};

/* The speeds in tokens a second that a device which is not trusted has at most: `most` one that has settled, `usual`
 * one that is new. 0: none is known. */
struct core_reach {
    float decode_most, decode_usual, prefill_most, prefill_usual;
};

/* The largest number that some offerings have, and how many have it. */
struct core_largest {
    uint32_t value, count;
};

enum { CORE_WIDTHS = 8 }; /* classes of slots: powers of two */

/* Whether the device is past its ramp. */
bool core_belief_is_settled(bool trusted, const struct core_record *record);
/* Of a measured or guessed speed, as much as is believed. */
float core_belief_decode(const struct core_offering *offering, float per_s);
float core_belief_prefill(const struct core_offering *offering, float per_s);
/* A factor of core_record, thousandths: a new device is not better than the average. */
uint32_t core_belief_factor(const struct core_provider *provider, uint32_t factor);
/* What it says of itself in a status. */
uint32_t core_belief_slots(const struct core_offering *offering, uint32_t claimed);
uint32_t core_belief_context(const struct core *core, const struct core_offering *offering, uint32_t claimed);
/* `average_ms`: what loading the model takes elsewhere. */
uint32_t core_belief_load_ms(const struct core_offering *offering, uint32_t average_ms);
/* Whether what is seen of it may change what is thought of its model: a new device's is nothing beside settled ones. */
bool core_belief_teaches(const struct core_offering *offering);
/* Its speeds have changed, or its device has settled. */
void core_belief_measured(struct core_offering *offering);
void core_belief_forget(struct core_offering *offering); /* it goes */
unsigned core_belief_width(uint32_t slots);              /* the class of so many */
/* A good generation earns slots, a bad one costs them. */
void core_belief_earn(struct core_record *record, bool good);

#endif
