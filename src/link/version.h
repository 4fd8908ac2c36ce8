/* The versions of the link's protocol (docs/PROTOCOL.md "Versions"). The handshake is the same in all of them: it is
 * where the two sides agree on one. */
#ifndef NATARIS_LINK_VERSION_H
#define NATARIS_LINK_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The name of the handshake, not of the version that is agreed on in it: it stays. */
#define LINK_SUBPROTOCOL "nataris.link.v1"
#define LINK_PATH "/link"

/* VERSION_2: deltas are made of parts, accept and done are binary, jobs have a kind and a cache scope, how a job
 * finished is an open set. */
enum link_version { LINK_VERSION_1 = 1, LINK_VERSION_2 = 2 };
#define LINK_VERSION_NEWEST LINK_VERSION_2
#define LINK_VERSIONS_SPOKEN "1 and 2" /* for people */

/* False: a number that is none of ours. */
bool link_version_from_number(uint32_t number, enum link_version *out);
/* The highest one among the `count` numbers that a provider offers; false when there is none. */
bool link_version_choose(const uint32_t *offered, size_t count, enum link_version *out);

#endif
