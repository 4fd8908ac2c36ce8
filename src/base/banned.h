/*
 * Functions nobody may call. The build includes this file first into every C source of ours (-include), so
 * a call is a compile error. The headers that declare the functions come first: afterwards the names are
 * gone.
 *
 * Unbounded or silently truncating copies: use struct buf and struct str. Parsers that cannot report an
 * error: use str_parse_*. strtok: hidden state. alloca: unbounded stack.
 */
#ifndef NATARIS_BASE_BANNED_H
#define NATARIS_BASE_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANNED(function) banned_function_##function

#undef strcpy
#define strcpy(...) BANNED(strcpy)
#undef stpcpy
#define stpcpy(...) BANNED(stpcpy)
#undef strcat
#define strcat(...) BANNED(strcat)
#undef strncpy
#define strncpy(...) BANNED(strncpy)
#undef strncat
#define strncat(...) BANNED(strncat)
#undef strtok
#define strtok(...) BANNED(strtok)
#undef sprintf
#define sprintf(...) BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) BANNED(vsprintf)
#undef gets
#define gets(...) BANNED(gets)
#undef atoi
#define atoi(...) BANNED(atoi)
#undef atol
#define atol(...) BANNED(atol)
#undef atoll
#define atoll(...) BANNED(atoll)
#undef atof
#define atof(...) BANNED(atof)
#undef alloca
#define alloca(...) BANNED(alloca)
#undef scanf
#define scanf(...) BANNED(scanf)
#undef fscanf
#define fscanf(...) BANNED(fscanf)
#undef sscanf
#define sscanf(...) BANNED(sscanf)
#undef vscanf
#define vscanf(...) BANNED(vscanf)
#undef vfscanf
#define vfscanf(...) BANNED(vfscanf)
#undef vsscanf
#define vsscanf(...) BANNED(vsscanf)

#endif
