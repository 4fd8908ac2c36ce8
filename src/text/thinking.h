/* What a model thought before it wrote, in the marks that models put around it. Pure. */
#ifndef NATARIS_TEXT_THINKING_H
#define NATARIS_TEXT_THINKING_H

#include "base/str.h"

/* The text behind it; empty where the thinking has no end. */
struct str thinking_skip(struct str text);

#endif
