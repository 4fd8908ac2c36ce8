/* The addresses of a host's name, each of them looked at before anybody connects to one. */
#ifndef NATARIS_NET_ADDRESS_LOOKUP_H
#define NATARIS_NET_ADDRESS_LOOKUP_H

#include "base/err.h"
#include "net/loop.h"

#include <sys/socket.h>

enum { ADDRESS_LOOKUP_TEXT_MAX = 512 };

/* Whether an address may be connected to. */
typedef bool address_allowed(const struct sockaddr *address);

struct address_lookup;
/* `addresses` is "ADDRESS,ADDRESS", borrowed; or it is NULL and `err` says why: ERR_UNAVAILABLE when the name was not
 * found, ERR_DENIED when `allowed` refused an address. One that is refused refuses the name: it is not to be trusted.
 * The result comes later, never from inside, and the lookup is freed before it comes. */
struct address_lookup *
address_lookup_start(struct loop *loop, const char *host, address_allowed *allowed,
                     void (*on_result)(void *context, const char *addresses, const struct err *err), void *context);
/* Before the result came: none comes any more. */
void address_lookup_cancel(struct address_lookup *lookup);

#endif
