/* Runs as they are stored: the store's purposes have numbers of their own on disk. */
#ifndef NATARIS_CALL_STORED_H
#define NATARIS_CALL_STORED_H

#include "call/run.h"
#include "store/generations.h"

enum store_purpose run_stored_purpose(enum run_purpose purpose);

#endif
