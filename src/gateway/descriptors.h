/* How many connections a gateway can have at once: the process may open so many files, and clients get those that
 * nothing else needs. */
#ifndef NATARIS_GATEWAY_DESCRIPTORS_H
#define NATARIS_GATEWAY_DESCRIPTORS_H

struct descriptors {
    unsigned clients;  /* connections of clients and devices */
    unsigned webhooks; /* posts under way at once */
};

/* Raises the process's soft limit of open files to its hard one, and shares out what there is. */
void descriptors_init(struct descriptors *descriptors);
/* The same of a number of files. */
void descriptors_divide(struct descriptors *descriptors, unsigned long files);
/* What one address may have of the connections when it is allowed `wanted` (0: any number): at most half of them. */
unsigned descriptors_share(const struct descriptors *descriptors, unsigned wanted);

#endif
