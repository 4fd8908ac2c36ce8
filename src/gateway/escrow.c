#include "gateway/escrow.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/money.h"
#include "store/escrow.h"
#include "store/owed.h"

#include <stdlib.h>

struct taking {
    struct core_loop *core;
    struct store *store;
    struct store_escrow_hold step;
    int64_t paid_nano, given_nano;
    void (*done)(void *context);
    void *context;
};

static void taking_step(struct taking *taking);

static void taking_free(struct taking *taking) {
    if (taking->done != NULL) {
        taking->done(taking->context);
    }
    free(taking);
}

static void taking_end(struct taking *taking) {
    char paid[MONEY_TEXT_SIZE], given[MONEY_TEXT_SIZE];
    LOG_INFO_EVENT("escrow.taken", LOG_TEXT("provider_id", taking->step.device_id),
                   LOG_TEXT("paid_usd", money_format_usd(taking->paid_nano, paid)),
                   LOG_TEXT("given_usd", money_format_usd(taking->given_nano, given)));
    taking_free(taking);
}

static void on_held(void *context, const struct store_escrow_held *held, const struct err *err) {
    struct taking *taking = context;
    if (err != NULL) {
        LOG_WARN_EVENT("escrow.failed", LOG_TEXT("provider_id", taking->step.device_id),
                       LOG_TEXT("error", err->message));
        taking_free(taking);
        return;
    }
    taking->paid_nano += held->paid_nano;
    taking->given_nano += held->given_nano;
    if (held->given_nano > 0) {
        core_loop_step(taking->core, &(struct core_event){.kind = CORE_EVENT_CREDIT,
                                                          .credit = {.account = held->account_number,
                                                                     .amount_nano = -held->given_nano,
                                                                     .given_nano = -held->given_nano}});
    }
    taking->step.before = held->next;
    if (held->next == 0) {
        taking_end(taking);
    } else {
        taking_step(taking);
    }
}

static void taking_step(struct taking *taking) {
    store_escrow_hold(taking->store, &taking->step, on_held, taking);
}

void escrow_take(struct core_loop *core, struct store *store, const char *device_id, void (*done)(void *context),
                 void *context) {
    struct taking *taking = MEM_NEW(struct taking);
    taking->core = core;
    taking->store = store;
    taking->done = done;
    taking->context = context;
    taking->step.now_ms = clock_wall_ms();
    taking->step.since_ms = store_ripe_ms(store, taking->step.now_ms);
    (void)str_copy(taking->step.device_id, sizeof(taking->step.device_id), str_from(device_id));
    taking_step(taking);
}
