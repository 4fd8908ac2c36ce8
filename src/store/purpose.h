/* What a generation was for: who asks by HTTP, or something of the network's own. */
#ifndef NATARIS_STORE_PURPOSE_H
#define NATARIS_STORE_PURPOSE_H

enum store_purpose { /* stored by number */
                     STORE_PURPOSE_REQUEST = 0,
                     STORE_PURPOSE_JOB = 1,
                     STORE_PURPOSE_STEP = 2,
                     STORE_PURPOSE_TITLE = 3,
                     STORE_PURPOSE_SUMMARY = 4,
};
enum { STORE_PURPOSES = 5 };
const char *store_purpose_name(enum store_purpose purpose); /* "request", "job", "step", "title", "summary" */

#endif
