/* Bytes that nobody can foresee: identifiers of DNS queries, cookies of pings. Nothing that is
 * judged may depend on them. */
#ifndef SYS_ENTROPY_H
#define SYS_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

uint64_t entropy_u64(void);

/* For those who need many: a call of the system for each is dear. At most ENTROPY_MAX bytes. */
enum { ENTROPY_MAX = 256 };
void entropy_fill(void *bytes, size_t n);

#endif
