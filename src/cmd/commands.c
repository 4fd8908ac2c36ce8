#include "cmd/commands.h"

#include "base/str.h"
#include "cmd/account.h"
#include "cmd/audit.h"
#include "cmd/catalog.h"
#include "cmd/credit.h"
#include "cmd/gateway.h"
#include "cmd/gateway_status.h"
#include "cmd/invite.h"
#include "cmd/job.h"
#include "cmd/key.h"
#include "cmd/ledger.h"
#include "cmd/model.h"
#include "cmd/model_pull.h"
#include "cmd/provider.h"
#include "cmd/provider_admin.h"
#include "cmd/provider_audits.h"
#include "cmd/provider_control.h"
#include "cmd/provider_doctor.h"
#include "cmd/provider_earnings.h"
#include "cmd/provider_escrow.h"
#include "cmd/provider_evict.h"
#include "cmd/provider_invite.h"
#include "cmd/provider_leave.h"
#include "cmd/provider_why.h"
#include "cmd/receipt.h"
#include "cmd/receipt_verify.h"
#include "cmd/up.h"

#include <stdio.h>
#include <string.h>

#ifndef NATARIS_VERSION
#error "the build defines NATARIS_VERSION"
#endif

static const struct command *const COMMANDS[] = {
    &COMMAND_UP,
    &COMMAND_GATEWAY,
    &COMMAND_GATEWAY_STATUS,
    &COMMAND_PROVIDER,
    &COMMAND_PROVIDER_INVITE,
    &COMMAND_INVITE_LIST,
    &COMMAND_INVITE_REVOKE,
    &COMMAND_PROVIDER_STATUS,
    &COMMAND_PROVIDER_PAUSE,
    &COMMAND_PROVIDER_RESUME,
    &COMMAND_PROVIDER_DOCTOR,
    &COMMAND_PROVIDER_LEAVE,
    &COMMAND_PROVIDER_LIST,
    &COMMAND_PROVIDER_WHY,
    &COMMAND_PROVIDER_VERIFY,
    &COMMAND_PROVIDER_UNVERIFY,
    &COMMAND_PROVIDER_QUARANTINE,
    &COMMAND_PROVIDER_RELEASE,
    &COMMAND_PROVIDER_REMOVE,
    &COMMAND_PROVIDER_REPLACE_KEY,
    &COMMAND_PROVIDER_REVIEW,
    &COMMAND_PROVIDER_ESCROW,
    &COMMAND_PROVIDER_AUDITS,
    &COMMAND_JOB_EXPLAIN,
    &COMMAND_ACCOUNT_CREATE,
    &COMMAND_ACCOUNT_LIST,
    &COMMAND_ACCOUNT_SHOW,
    &COMMAND_ACCOUNT_SET_TIER,
    &COMMAND_ACCOUNT_SET_AUDITS,
    &COMMAND_ACCOUNT_SUSPEND,
    &COMMAND_ACCOUNT_ERASE,
    &COMMAND_KEY_CREATE,
    &COMMAND_KEY_LIST,
    &COMMAND_KEY_REVOKE,
    &COMMAND_CREDIT_GRANT,
    &COMMAND_CREDIT_REFUND,
    &COMMAND_PROVIDER_EARNINGS,
    &COMMAND_PROVIDER_PAYOUT,
    &COMMAND_LEDGER_CHECK,
    &COMMAND_LEDGER_EXPORT,
    &COMMAND_RECEIPT_SHOW,
    &COMMAND_RECEIPT_HEAD,
    &COMMAND_RECEIPT_VERIFY,
    &COMMAND_AUDIT_LIST,
    &COMMAND_CATALOG,
    &COMMAND_MODEL_PULL,
    &COMMAND_MODEL_LIST,
    &COMMAND_MODEL_RM,
    &COMMAND_MODEL_PIN,
    &COMMAND_MODEL_UNPIN,
};

size_t commands_count(void) {
    return COUNT_OF(COMMANDS);
}

const struct command *commands_at(size_t index) {
    return COMMANDS[index];
}

static void print_overview(void) {
    printf("nataris %s - a people-powered inference network\n\nUsage: nataris COMMAND [ARGUMENTS] "
           "[OPTIONS]\n\nCommands:\n",
           NATARIS_VERSION);
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        printf("  %-22s %s\n", COMMANDS[i]->name, COMMANDS[i]->summary);
    }
    printf("\n'nataris COMMAND --help' lists a command's options.\n"
           "Every option can also be set as NATARIS_<NAME> in the environment.\n");
}

/* How many arguments the command's name takes when argv begins with it; 0: it does not. */
static int words_matched(const char *name, int argc, char **argv) {
    int words = 0;
    struct str head, tail = str_from(name);
    bool more = true;
    while (more) {
        more = str_split(tail, ' ', &head, &tail);
        if (words >= argc || !str_equal(head, str_from(argv[words]))) {
            return 0;
        }
        words++;
    }
    return words;
}

int commands_dispatch(int argc, char **argv) {
    const struct command *best = NULL;
    int best_words = 0;
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("nataris %s\n", NATARIS_VERSION);
        return COMMAND_OK;
    }
    for (size_t i = 0; i < COUNT_OF(COMMANDS); i++) {
        const int words = words_matched(COMMANDS[i]->name, argc - 1, argv + 1);
        if (words > best_words) {
            best = COMMANDS[i];
            best_words = words;
        }
    }
    if (best != NULL) {
        return command_run(best, argc - 1 - best_words, argv + 1 + best_words);
    }
    if (argc > 1 && strcmp(argv[1], "--help") != 0 && strcmp(argv[1], "-h") != 0) {
        fprintf(stderr, "nataris: unknown command '%s'\nTry 'nataris --help'.\n", argv[1]);
        return COMMAND_USAGE;
    }
    print_overview();
    return argc > 1 ? COMMAND_OK : COMMAND_USAGE;
}
