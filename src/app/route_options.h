/* Which routes are wanted, from the command line: --prefix and its kin, --origin, --as, --peer, --community,
 * --type, --table, --family, --from and --until. */
#ifndef APP_ROUTE_OPTIONS_H
#define APP_ROUTE_OPTIONS_H

#include "app/options.h"
#include "source/mrt/element_filter.h"

/* ERR_USAGE with a reason. */
enum err route_options_read(const struct options *options, struct element_filter *out,
                            struct why *why);

#endif
