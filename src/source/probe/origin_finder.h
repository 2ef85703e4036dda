/* Of which AS an address is, as whoever uses the prober may know. */
#ifndef SOURCE_PROBE_ORIGIN_FINDER_H
#define SOURCE_PROBE_ORIGIN_FINDER_H

#include "base/addr.h"

struct origin_finder {
    uint32_t (*find)(void *context, const struct addr *addr); /* 0: not known; NULL: nobody knows */
    void *context;
};

#endif
