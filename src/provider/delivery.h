/* What a device has delivered of a job, for its signature under it (docs/RECEIPTS.md). */
#ifndef NATARIS_PROVIDER_DELIVERY_H
#define NATARIS_PROVIDER_DELIVERY_H

#include "link/answer.h"
#include "wire/generation.h"

struct delivery;
struct ed25519_signer;

/* NULL, with which the others do nothing: no signature was asked for. */
struct delivery *delivery_new(const struct gen_signing *asked);
void delivery_add(const struct delivery *delivery, struct str text);
/* Signs the text that was added and the usage of `done`. Once. */
void delivery_sign(struct delivery *delivery, const struct ed25519_signer *signer, struct link_done *done);
void delivery_free(struct delivery *delivery);

#endif
