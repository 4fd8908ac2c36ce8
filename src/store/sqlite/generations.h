/* The rows of store/generations.h. Settlements write them (settlements.c). Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_GENERATIONS_H
#define NATARIS_STORE_SQLITE_GENERATIONS_H

#include "store/generations.h"
#include "store/sqlite/db.h"

extern const struct store_generation_rows sqlite_generation_rows;

#endif
