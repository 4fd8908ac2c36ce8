/* Whether an address is one of the public internet: what a stranger may make this machine speak to. Pure. */
#ifndef NATARIS_NET_ADDRESS_CLASS_H
#define NATARIS_NET_ADDRESS_CLASS_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for every range that the IANA registries of special-purpose addresses (RFC 6890) do not call globally
 * reachable, for multicast, for IPv6 outside 2000::/3, for every form of IPv6 that carries an IPv4 address, and for
 * other families. */
bool address_is_global(const struct sockaddr *address);

#endif
