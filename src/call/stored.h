/* Calls and runs as they are stored: the store's kinds and purposes have numbers of their own on disk. */
#ifndef NATARIS_CALL_STORED_H
#define NATARIS_CALL_STORED_H

#include "call/run.h"
#include "store/generations.h"

enum store_generation_kind call_stored_kind(enum api_call_kind kind);
enum store_purpose call_stored_purpose(enum run_purpose purpose);

#endif
