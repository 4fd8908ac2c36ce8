/* Who is paid, with what kind of credit, and what of it waits in escrow: worked out apart from the core. */
#include "sim/world.h"

static const struct sim_attempt *attempt_of(const struct sim_generation *generation, const struct core_part *part) {
    static const struct sim_attempt NONE = {.provider = CORE_NO_HANDLE};
    return part->attempt >= 1 && part->attempt <= SIM_ATTEMPTS ? &generation->attempts[part->attempt - 1] : &NONE;
}

static bool is_own(const struct sim_generation *generation, const struct core_part *part) {
    return generation->account != 0 && attempt_of(generation, part)->owner == generation->account;
}

/* What others' devices made, by the words of all devices. */
__int128 shares_bill(const struct sim_generation *generation, const struct core_outcome *outcome, uint32_t prompt) {
    __int128 tokens = 0;
    for (size_t i = 0; i < outcome->part_count; i++) {
        const bool own = is_own(generation, &outcome->parts[i]);
        tokens += own ? 0 : outcome->parts[i].tokens;
        prompt = own && i + 1 == outcome->part_count ? 0 : prompt;
    }
    return generation->account == 0
               ? 0
               : (__int128)generation->prompt_price_nano * prompt + tokens * generation->completion_price_nano;
}

static void check_escrow(struct world *world, const struct sim_attempt *attempt, const struct core_part *part) {
    const struct sim_device *device = &world->devices[attempt->device];
    const bool turned = device->turned != attempt->turned;
    const bool must = attempt->reviewed || (attempt->escrow && !turned);
    if ((must && !part->escrow) || (part->escrow && !must && !turned)) {
        world_problem(world, "something else than what is under review is in escrow");
    }
}

/* The kinds of what is earned: the whole part of the given credit so far, less what was there before. */
void shares_check(struct world *world, struct sim_generation *generation, const struct core_outcome *outcome) {
    struct sim_account *account = &world->accounts[generation->account];
    const int64_t free_nano = world->ledger.balances[LEDGER_GIVEN + generation->account] - account->settling_nano;
    const __int128 charge = generation->charge_nano;
    __int128 given = free_nano < charge ? free_nano : charge, earned = 0, paid_before = 0;
    given = given > 0 ? given : 0;
    generation->given_nano = (int64_t)given;
    generation->share_count = 0;
    account->settling_nano += generation->given_nano;
    if (outcome->given_nano != generation->given_nano) {
        world_problem(world, "settled with another amount of given credit");
    }
    for (size_t i = 0; i < outcome->part_count; i++) {
        const struct core_part *part = &outcome->parts[i];
        const struct sim_attempt *attempt = attempt_of(generation, part);
        earned += part->nano;
        const __int128 paid = charge > 0 ? earned * (charge - given) / charge : 0;
        if (attempt->provider != part->provider || attempt->owner != part->account ||
            part->given_nano != part->nano - (paid - paid_before)) {
            world_problem(world, "a part is somebody else's, or earned of the other kind");
        }
        if (is_own(generation, part) && part->nano != 0) {
            world_problem(world, "an account has earned from itself");
        }
        check_escrow(world, attempt, part);
        paid_before = paid;
        generation->shares[generation->share_count++] =
            (struct ledger_share){attempt->owner, part->nano, part->given_nano, part->escrow, attempt->device};
    }
}

void shares_attempt(struct world *world, struct sim_generation *generation, const struct core_effect *effect) {
    if (effect->dispatch.attempt > SIM_ATTEMPTS) {
        world_problem(world, "more attempts than the simulator can note");
        return;
    }
    for (size_t i = 0; i < SIM_DEVICES; i++) {
        const struct sim_device *device = &world->devices[i];
        if (device->handle == effect->provider) {
            if (generation->own_only && device->owner != generation->account) {
                world_problem(world, "what is free goes to somebody else's device");
            }
            generation->attempts[effect->dispatch.attempt - 1] = (struct sim_attempt){.provider = effect->provider,
                                                                                      .owner = device->owner,
                                                                                      .device = i,
                                                                                      .escrow = device->escrow,
                                                                                      .turned = device->turned};
        }
    }
}

/* The last attempt of that device is the one that it is about. */
void shares_review(struct sim_generation *generation, uint64_t provider) {
    for (size_t i = SIM_ATTEMPTS; i-- > 0;) {
        if (generation->attempts[i].provider == provider) {
            generation->attempts[i].reviewed = true;
            return;
        }
    }
}
