#include "gateway/sandbox/account.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct sandbox_account *sandbox_account_get(struct sandbox_account **accounts, const char *id) {
    struct sandbox_account *account;
    HASH_FIND_STR(*accounts, id, account);
    if (account == NULL) {
        account = MEM_NEW(struct sandbox_account);
        (void)str_copy(account->id, sizeof(account->id), str_from(id));
        account->usage = (struct store_usage){.balance_nano = SANDBOX_CREDIT_NANO, .models = account->models};
        HASH_ADD_STR(*accounts, id, account);
    }
    return account;
}

void sandbox_accounts_clear(struct sandbox_account **accounts) {
    struct sandbox_account *account = *accounts, *next;
    HASH_CLEAR(hh, *accounts); /* the elements stay linked */
    for (; account != NULL; account = next) {
        next = account->hh.next;
        free(account);
    }
}

bool sandbox_account_hold(struct sandbox_account *account, int64_t amount_nano) {
    if (amount_nano > account->usage.balance_nano - account->held_nano) {
        return false;
    }
    account->held_nano += amount_nano;
    return true;
}

void sandbox_account_void(struct sandbox_account *account, int64_t held_nano) {
    account->held_nano -= held_nano;
}

static struct store_model_usage *model_of(struct sandbox_account *account, const char *model) {
    for (size_t i = 0; i < account->usage.model_count; i++) {
        if (strcmp(account->models[i].model, model) == 0) {
            return &account->models[i];
        }
    }
    if (account->usage.model_count == SANDBOX_MODELS_MAX) {
        return NULL;
    }
    struct store_model_usage *added = &account->models[account->usage.model_count++];
    (void)str_copy(added->model, sizeof(added->model), str_from(model));
    return added;
}

void sandbox_account_settle(struct sandbox_account *account, int64_t held_nano, int64_t charge_nano, const char *model,
                            const struct gen_usage *usage) {
    int64_t charge = charge_nano < held_nano ? charge_nano : held_nano;
    struct store_model_usage *of_model = model_of(account, model);
    account->held_nano -= held_nano;
    account->usage.balance_nano -= charge;
    account->usage.requests++;
    account->usage.prompt_tokens += usage->prompt_tokens;
    account->usage.completion_tokens += usage->completion_tokens;
    account->usage.charge_nano += charge;
    if (of_model != NULL) {
        of_model->requests++;
        of_model->prompt_tokens += usage->prompt_tokens;
        of_model->completion_tokens += usage->completion_tokens;
        of_model->charge_nano += charge;
    }
}
