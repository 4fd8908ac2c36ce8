/* Messages as they are stored: the store's roles have numbers of their own on disk. */
#ifndef NATARIS_CONVERSATION_STORED_H
#define NATARIS_CONVERSATION_STORED_H

#include "store/turns.h"
#include "wire/generation.h"

enum store_role conversation_stored_role(enum gen_role role);
enum gen_role conversation_gen_role(enum store_role role);

#endif
