/* Numbers that nobody can foresee: identifiers of DNS queries, cookies of pings. Nothing that is
 * judged may depend on them. */
#ifndef SYS_ENTROPY_H
#define SYS_ENTROPY_H

#include <stdint.h>

uint64_t entropy_u64(void);

#endif
