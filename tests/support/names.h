/* Names that only the test knows: with this, the whole program's getaddrinfo (libraries included) finds the names that
 * were given here and numeric addresses, and asks nobody else: no /etc/hosts, no name server. */
#ifndef NATARIS_TESTS_SUPPORT_NAMES_H
#define NATARIS_TESTS_SUPPORT_NAMES_H

/* Forgets all names and what was asked. Not while a lookup is under way. */
void names_clear(void);
/* `address` is numeric; a name may have several. Both are borrowed until names_clear. */
void names_add(const char *name, const char *address);
/* From now on the look-up of a name that begins with "hang" does not end before names_let_go. */
void names_let_go(void);
/* How many of them hang. */
unsigned names_hanging(void);
/* How often names, rather than addresses, were looked up. */
unsigned names_asked(void);

#endif
