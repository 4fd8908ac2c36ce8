/* How a device stands with the network. */
#ifndef NATARIS_STORE_STANDING_H
#define NATARIS_STORE_STANDING_H

enum store_standing { /* stored by number */
                      STORE_STANDING_SERVING = 0,
                      STORE_STANDING_QUARANTINED = 1, /* it may be linked, but gets nothing that is paid */
                      STORE_STANDING_REMOVED = 2,     /* for good */
};
/* The reason of a quarantine that audits have put a device into. */
#define STORE_STANDING_BY_AUDITS "audits: its answers are not those of the model"

enum { STORE_STANDINGS = STORE_STANDING_REMOVED + 1 };
const char *store_standing_name(enum store_standing standing); /* "serving", "quarantined", "removed" */

#endif
