/* Devices whose answers are scored, and those that score them, on the shell's fixture. Each test includes it once. */
#ifndef NATARIS_TESTS_UNIT_GATEWAY_AUDIT_FIXTURE_H
#define NATARIS_TESTS_UNIT_GATEWAY_AUDIT_FIXTURE_H

#include "base/compiler.h"
#include "gateway/audit.h"
#include "gateway/providers.h"
#include "link/part.h"
#include "unit/gateway/shell_fixture.h"

static const uint32_t KINDS = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE) | LINK_JOB_KIND_BIT(LINK_JOB_KIND_SCORE);
/* Of another file than the catalog's. */
static const char OTHER_FILE[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static struct audits audits;

UNUSED static void open_audits(struct shell_fixture *fixture, uint32_t permille) {
    struct err err = {0};
    assert_true(audit_book_open(&fixture->shell.audit_book, NULL, permille, &err));
    (void)str_copy(fixture->shell.providers.owner_id, STORE_ID_MAX, STR("acct_operator"));
    audits_init(&audits, &fixture->shell);
}

/* A device of this account that scores, too; `sha256` NULL: it does not tell its file. */
UNUSED static void join(struct shell_fixture *fixture, struct link_peer *peer, const char *account,
                        const char *sha256) {
    fake_store.owner = account;
    shell_hello(fixture, peer, account);
    fake_store.owner = NULL;
    const struct link_model offer = {.id = STR(SHELL_MODEL),
                                     .state = LINK_MODEL_WARM,
                                     .kinds = KINDS,
                                     .sha256 = str_from(sha256),
                                     .slots = 1,
                                     .context_length = 4096};
    const struct link_status status = {.battery_percent = -1, .models = &offer, .model_count = 1};
    PROVIDERS_LINK_EVENTS.on_status(&fixture->shell.providers, peer, &status);
}

/* What a device says first, with ids or without. */
UNUSED static void say_some(struct shell_fixture *fixture, struct link_peer *peer, const char *text, uint32_t tokens,
                            bool ids) {
    uint32_t numbers[64];
    struct buf parts;
    buf_init(&parts, 4096);
    for (uint32_t i = 0; i < tokens; i++) {
        numbers[i] = 100 + i;
    }
    if (ids) {
        link_parts_add_token_ids(&parts, numbers, tokens);
    }
    shell_accept(fixture, peer);
    const struct link_delta delta = {
        .job = peer->generation, .text = str_from(text), .tokens = tokens, .parts = buf_str(&parts)};
    PROVIDERS_LINK_EVENTS.on_delta(&fixture->shell.providers, peer, &delta);
    buf_clear(&parts);
}

/* The device's answer. */
UNUSED static void say(struct shell_fixture *fixture, struct link_peer *peer, const char *text, uint32_t tokens,
                       bool ids, enum link_finish finish) {
    say_some(fixture, peer, text, tokens, ids);
    shell_done(fixture, peer, finish, tokens);
}

UNUSED static void scored(struct shell_fixture *fixture, struct link_peer *peer, double far, bool spells) {
    const struct link_scored scored = {
        .job = peer->score_job,
        .score = {.tokens = 12, .far = far > 0 ? 12 : 0, .spells = spells, .ratios = {-1, -2, -2, far}}};
    PROVIDERS_LINK_EVENTS.on_scored(&fixture->shell.providers, peer, &scored);
}

UNUSED static struct core_audit known_of(const struct shell_fixture *fixture, const struct link_peer *peer) {
    const struct provider_file *file = provider_files_find(&shell_provider(peer)->files, STR(SHELL_MODEL));
    struct audit_key key;
    assert_non_null(file);
    audit_key_init(&key, shell_device_id(peer), file->sha256);
    const struct audit_entry *entry = audit_book_find(&fixture->shell.audit_book, &key);
    return entry != NULL ? entry->audit : (struct core_audit){0};
}

UNUSED static void ask_canary(struct shell_fixture *fixture, const struct link_peer *peer) {
    const unsigned before = peer->generations;
    for (int i = 0; i < 4 && peer->generations == before; i++) {
        canaries_due(&fixture->canaries);
    }
    assert_int_equal(peer->generations, before + 1);
}

UNUSED static void audit_once(struct shell_fixture *fixture, struct link_peer *trusted, struct link_peer *device,
                              double far) {
    const unsigned before = device->generations;
    SHELL_UNTIL(fixture,
                (canaries_due(&fixture->canaries), device->generations > before)); /* once it has cooled down */
    say(fixture, device, "some words", 12, true, LINK_FINISH_STOP);
    audits_due(&audits);
    scored(fixture, trusted, far, true);
}

UNUSED static void open_with_short_cooldowns(struct shell_fixture *fixture) {
    struct core_config config;
    shell_fixture_config(&config);
    config.cooldown_ms = 1;
    shell_fixture_reopen(fixture, &config);
    open_audits(fixture, 50);
}

#endif
