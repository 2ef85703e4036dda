/* How a zone is looked at, where that is not as everybody does. */
#ifndef SOURCE_ZONE_ZONE_SETTINGS_H
#define SOURCE_ZONE_ZONE_SETTINGS_H

#include "base/addr.h"

#include <stdint.h>

enum { ZONE_VIA_MAX = 16, ZONE_ANCHORS_MAX = 8 };

struct zone_settings {
    /* Where the way down begins: the root servers of a network of its own. None: the Internet's. */
    struct addr via[ZONE_VIA_MAX];
    uint8_t via_count;
    uint8_t anchor_count;
    struct addr resolver; /* is asked how it takes the zone; family 0: none is */
    /* DS or DNSKEY records of the zone or one above, as in zone files. */
    const char *anchors[ZONE_ANCHORS_MAX];
};

#endif
