/* What a child process is given of our environment: what it needs, and nothing else, for anything may stand there. */
#ifndef NATARIS_BASE_ENVIRONMENT_H
#define NATARIS_BASE_ENVIRONMENT_H

/* The variables of ours whose names are in `kept`, and `extra` lines of the form NAME=value; both end with NULL. A name
 * with a '*' at its end stands for all that begin so. To be freed with environment_free. */
char **environment_make(const char *const kept[], const char *const extra[]);
void environment_free(char **environment);

#endif
