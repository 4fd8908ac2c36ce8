/* The backends that the store's contract is held against: a second one is a line in store_backends.c. */
#ifndef NATARIS_TESTS_SUPPORT_STORE_BACKENDS_H
#define NATARIS_TESTS_SUPPORT_STORE_BACKENDS_H

#include "base/compiler.h"
#include "store/driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The first value that a query gives, read beside the store. */
struct store_raw {
    int64_t number;
    uint8_t bytes[64]; /* of a text or a blob */
    size_t len;
};

struct store_backend {
    const char *name;
    const struct store_driver *driver;
    void (*read)(const char *place, const char *query, struct store_raw *out);
    void (*change)(const char *place, const char *statement); /* of one row at least, behind the store's back */
};

/* The one that is under test; outside of a contract the first. */
const struct store_backend *store_backend(void);

/* Runs the tests with each; the number of those that failed. For main. */
int store_contract_run(const char *name, const struct CMUnitTest *tests, size_t count);
#define STORE_CONTRACT_RUN(tests) store_contract_run(#tests, tests, COUNT_OF(tests))

#endif
