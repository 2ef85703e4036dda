/* The way out of this machine, by the kernel's word (rtnetlink(7)): by which interface and gateway the world is
 * reached, whether that interface has a carrier and an address, and what is known of the gateway as a neighbour.
 * Looking sends nothing and never waits. A watch tells when something may have changed, so that nobody has to
 * look again and again. */
#ifndef SYS_UPLINK_H
#define SYS_UPLINK_H

#include "base/addr.h"
#include "sys/loop.h"

enum { UPLINK_NAME_MAX = 16 /* IFNAMSIZ */ };

enum neighbour {
    NEIGHBOUR_UNKNOWN,   /* nothing was sent to it lately, or it has no address on the wire */
    NEIGHBOUR_REACHABLE, /* it was heard of within some tens of seconds */
    NEIGHBOUR_UNSURE,    /* it was heard of before, or is being asked */
    NEIGHBOUR_FAILED     /* it does not answer for its address */
};

struct uplink {
    int interface; /* 0: there is no way */
    char name[UPLINK_NAME_MAX];
    bool is_running; /* up, with a carrier */
    bool has_address;
    struct addr gateway; /* family 0: there is none, as on a tunnel */
    enum neighbour neighbour;
};

/* The way to the world by version 4 or 6. */
void uplink_look(int family, struct uplink *out);
/* The same of an interface that was a way once: only its name, and whether it is running and has an address. */
void uplink_look_at(int interface, int family, struct uplink *out);

struct uplink_watch;

/* changed() is called soon after a link, an address, a route or a neighbour did, once for many. NULL if the
 * kernel does not let us listen. */
struct uplink_watch *uplink_watch_new(struct loop *loop, void (*changed)(void *context),
                                      void *context);
void uplink_watch_free(struct uplink_watch *watch); /* NULL is fine */

#endif
