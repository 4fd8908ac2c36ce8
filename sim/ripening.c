/* What was earned, job by job, apart from the ledger's sums: it ripens after the holding time, is paid out the oldest
 * first, waits in escrow, or is taken there while it is not ripe (docs/LEDGER.md "Ripening", "Escrow"). */
#include "sim/world.h"

#include "base/mem.h"

enum { EARNED_FIRST = 64 };

static bool is_ripe(const struct world *world, const struct sim_earned *earned) {
    return world->now_ms - earned->at_ms >= world->hold_ms;
}

void ripening_earn(struct world *world, const struct sim_generation *generation) {
    for (size_t i = 0; i < generation->share_count; i++) {
        const struct ledger_share *share = &generation->shares[i];
        if (world->earned_count == world->earned_capacity) {
            world->earned_capacity = world->earned_capacity == 0 ? EARNED_FIRST : world->earned_capacity * 2;
            world->earned = mem_realloc(world->earned, world->earned_capacity * sizeof(*world->earned));
        }
        world->earned[world->earned_count++] = (struct sim_earned){.account = share->account,
                                                                   .device = share->device,
                                                                   .at_ms = world->now_ms,
                                                                   .paid_nano = share->nano - share->given_nano,
                                                                   .given_nano = share->given_nano,
                                                                   .escrow = share->escrow};
    }
}

/* A device is in review: what it earned and is not ripe waits from now on; of given credit as much as was not spent. */
void ripening_take(struct world *world, size_t device) {
    struct core_event event = {.kind = CORE_EVENT_CREDIT};
    for (size_t i = 0; i < world->earned_count; i++) {
        struct sim_earned *earned = &world->earned[i];
        if (earned->device != device || earned->escrow || is_ripe(world, earned)) {
            continue;
        }
        const int64_t left_nano = world->ledger.balances[LEDGER_GIVEN + earned->account];
        const int64_t given_nano = earned->given_nano < left_nano ? earned->given_nano : left_nano;
        earned->escrow = true;
        earned->given_nano = given_nano;
        ledger_hold(&world->ledger, earned->account, earned->paid_nano, given_nano);
        if (given_nano > 0 && earned->account != 0) {
            struct sim_account *account = &world->accounts[earned->account];
            account->overdrawn = ledger_wallet(&world->ledger, earned->account) < account->held_nano;
            event.credit.account = earned->account;
            event.credit.amount_nano = event.credit.given_nano = -given_nano;
            world_step(world, event);
        }
    }
}

/* What waits of an account is released (it ripens by when it was earned), or it is another's now. */
void ripening_escrow_ended(struct world *world, uint64_t account, bool released) {
    for (size_t i = 0; i < world->earned_count; i++) {
        struct sim_earned *earned = &world->earned[i];
        if (earned->account == account && earned->escrow) {
            earned->escrow = false;
            earned->given_nano = 0; /* of it no more can be taken */
            earned->paid_nano = released ? earned->paid_nano : 0;
        }
    }
}

/* The operator pays out so much, if it may: what is owed less what is not ripe, by the sums alone. Job by job, all of
 * it must then be ripe, and none of it in escrow. */
void ripening_pay_out(struct world *world, uint64_t account, int64_t amount_nano) {
    const int64_t owed_nano = world->ledger.balances[LEDGER_EARNINGS + account];
    int64_t unripe_nano = 0;
    for (size_t i = 0; i < world->earned_count; i++) {
        const struct sim_earned *earned = &world->earned[i];
        unripe_nano += earned->account == account && !earned->escrow && !is_ripe(world, earned) ? earned->paid_nano : 0;
    }
    unripe_nano = unripe_nano < owed_nano ? unripe_nano : owed_nano;
    if (world->accounts[account].suspended || amount_nano > owed_nano - unripe_nano) {
        return;
    }
    ledger_pay_out(&world->ledger, account, amount_nano);
    for (size_t i = 0; i < world->earned_count && amount_nano > 0; i++) {
        struct sim_earned *earned = &world->earned[i];
        if (earned->account == account && !earned->escrow && is_ripe(world, earned)) {
            const int64_t nano = earned->paid_nano < amount_nano ? earned->paid_nano : amount_nano;
            earned->paid_nano -= nano;
            amount_nano -= nano;
        }
    }
    if (amount_nano > 0) {
        world_problem(world, "more was paid out than is ripe");
    }
}

const char *ripening_check(const struct world *world) {
    int64_t earned_nano[SIM_ACCOUNTS + 1] = {0}, escrow_nano[SIM_ACCOUNTS + 1] = {0};
    for (size_t i = 0; i < world->earned_count; i++) {
        const struct sim_earned *earned = &world->earned[i];
        (earned->escrow ? escrow_nano : earned_nano)[earned->account] += earned->paid_nano;
    }
    for (size_t i = 0; i <= SIM_ACCOUNTS; i++) {
        if (earned_nano[i] != world->ledger.balances[LEDGER_EARNINGS + i]) {
            return "what is owed is not what was earned, job by job, less what was paid out";
        }
        if (escrow_nano[i] != world->ledger.balances[LEDGER_ESCROW + i]) {
            return "what is in escrow is not what waits, job by job";
        }
    }
    return NULL;
}
