/* What every generation must cost, and what is then left in each wallet, worked out apart from the core. */
#include "sim/network.h"

const int64_t net_prices[2] = {100, 400};

void net_money_credit(struct net_world *world, uint32_t account, int64_t amount_nano) {
    world->wallets[account] += amount_nano;
    net_step(world, (struct core_event){.kind = CORE_EVENT_CREDIT,
                                        .credit = {.account = account, .amount_nano = amount_nano}});
}

void net_money_start(struct net_world *world) {
    for (uint32_t i = 1; i <= NET_ACCOUNTS; i++) {
        net_step(world, (struct core_event){.kind = CORE_EVENT_ACCOUNT, .account = {.account = i}});
        net_money_credit(world, i, i == NET_POOR_ACCOUNT ? INT64_C(3000000) : INT64_C(1000000000000000));
    }
}

/* Each device is paid for what it delivered. */
static void check_parts(struct net_world *world, const struct net_generation *generation,
                        const struct core_outcome *outcome) {
    uint32_t index = (uint32_t)(generation - world->generations), tokens = 0, made = 0;
    int64_t nano = 0;
    for (size_t i = 0; i < outcome->part_count; i++) {
        const struct core_part *part = &outcome->parts[i];
        tokens += part->tokens;
        nano += part->nano;
        if (part->nano < 0) {
            net_problem(world, index, "a part of a charge is negative");
        }
        bool last = i + 1 == outcome->part_count;
        if (!generation->tainted && part->tokens > 0 && !(generation->gone && last) &&
            (made == generation->made_count || part->tokens != generation->made[made++])) {
            net_problem(world, index, "a device is paid for other tokens than it delivered");
        }
    }
    if (tokens != outcome->completion_tokens || nano != outcome->provider_nano) {
        net_problem(world, index, "the parts do not add up to the charge");
    }
}

void net_money_settle(struct net_world *world, struct net_generation *generation, const struct core_outcome *outcome) {
    uint32_t index = (uint32_t)(generation - world->generations);
    __int128 charge =
        (__int128)net_prices[0] * outcome->prompt_tokens + (__int128)net_prices[1] * outcome->completion_tokens;
    if (charge != outcome->charge_nano || outcome->provider_nano != (int64_t)(charge * 85 / 100) ||
        outcome->provider_nano + outcome->network_nano != outcome->charge_nano) {
        net_problem(world, index, "another charge than prices times tokens");
    }
    if (outcome->completion_tokens > generation->max_tokens || outcome->prompt_tokens > generation->prompt_tokens * 2) {
        net_problem(world, index, "charged for more than was asked for");
    }
    /* What was never seen costs nothing, not even its prompt. */
    const uint32_t prompt_tokens = generation->chars > 0 ? generation->prompt_tokens : 0;
    bool exact = outcome->prompt_tokens == prompt_tokens &&
                 (generation->gone || outcome->completion_tokens == generation->tokens);
    if (!generation->tainted && !exact) {
        net_problem(world, index, "charged for other tokens than delivered");
    }
    if (generation->gone && outcome->completion_tokens < generation->tokens && !generation->tainted) {
        net_problem(world, index, "delivered and not charged");
    }
    check_parts(world, generation, outcome);
    generation->charge_nano = outcome->charge_nano;
}

void net_money_committed(struct net_world *world, struct net_generation *generation) {
    world->wallets[generation->account] -= generation->charge_nano;
}

void net_money_end(struct net_world *world) {
    for (uint32_t i = 1; i <= NET_ACCOUNTS && world->problem == NULL; i++) {
        struct core_account_view view;
        if (!core_account_view(world->core, i, world->now_ms, &view) || view.balance_nano != world->wallets[i]) {
            net_problem(world, NET_NOTHING, "a wallet is not what was paid in less what was charged");
        } else if (view.held_nano != 0 || view.active != 0) {
            net_problem(world, NET_NOTHING, "a hold has outlived its generation");
        }
    }
}
