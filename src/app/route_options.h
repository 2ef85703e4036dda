/* Which routes are wanted, from the command line: --prefix and its kin, --origin, --as, --peer, --community,
 * --type, --table, --family, --from and --until. */
#ifndef APP_ROUTE_OPTIONS_H
#define APP_ROUTE_OPTIONS_H

#include "app/options.h"
#include "source/mrt/element_filter.h"

struct route_wish {
    struct element_filter filter;
    /* The filter lets all messages pass if any are wanted; these are: bit 1 << enum bgp_message_type;
     * 0: all. */
    uint32_t messages;
};

/* ERR_USAGE with a reason. */
enum err route_options_read(const struct options *options, struct route_wish *out, struct why *why);

#endif
