/* Live routes from RIPE's route collectors: RIS Live, read as a stream of lines over HTTP
 * (ris_live_message.h has the protocol). Each of its hosts (rrc00, ...) is a collector of its own.
 *
 *     live = ris_live_new(loop, &options, &sink, &why);
 *     ... callbacks of the loop ...
 *     ris_live_free(live);                          // every collector in a gap from here on
 *
 * The service can be asked for one collector or for all: one connection for each that is wanted, or
 * one for all. Nothing else is left to the service to filter, be it prefixes or kinds of messages,
 * though that would spare most of the bytes: the KEEPALIVEs of all peers show that the stream is
 * alive and that a peer with nothing to say is still there.
 *
 * Blind, and so told as a gap of each collector concerned, from its last message until the first
 * that follows, are we when
 *   - the connection ends, cannot be made, or is refused;
 *   - the server says that there is an error (when we are too slow, it says so and hangs up);
 *   - a line is too long, or no line of many can be read;
 *   - an UPDATE comes without its raw bytes;
 *   - no message comes, however many bytes do: for RIS_SILENCE_NS on a stream of all collectors,
 *     where thousands come in each second, or of one collector for RIS_QUIET_NS, which is one and a half
 *     times what passes between two KEEPALIVEs of a single peer (RFC 4271, 4.4 and 10: a third of the
 *     hold time; 180 s is the longest in use);
 *   - a collector's newest message is more than RIS_BEHIND_NS old: it is heard again from when its
 *     messages come in time to be judged (RIS_DELAY_MOST_NS).
 * The service numbers nothing, so that what it should leave out in between is not noticed.
 *
 * A connection that is lost is tried again after a second, then after twice as long each time up to
 * RIS_RETRY_MOST_NS, or later where the server asks for that, until one has held for RIS_STEADY_NS. */
#ifndef SOURCE_BGP_RIS_LIVE_H
#define SOURCE_BGP_RIS_LIVE_H

#include "source/bgp/heard.h"
#include "source/stream.h"
#include "sys/loop.h"

#define RIS_LIVE_URL "https://ris-live.ripe.net/v1/stream/"

/* Collectors that are asked for by name, a connection each; and that are known at all. RIPE has had
 * 27, and the core asks at most 64 about a prefix. */
enum { RIS_HOSTS_MAX = 32, RIS_COLLECTORS_MAX = 64 };
/* Lines in a row that cannot be read: it is something else that speaks there. */
enum { RIS_UNREADABLE_MAX = 16 };

#define RIS_SILENCE_NS (10 * NS_PER_S)
#define RIS_QUIET_NS (90 * NS_PER_S)
#define RIS_BEHIND_NS NS_PER_MINUTE
#define RIS_RETRY_FIRST_NS NS_PER_S
#define RIS_RETRY_MOST_NS (5 * NS_PER_MINUTE)
#define RIS_LEAVE_MOST_NS NS_PER_HOUR /* however long the server asks for */
#define RIS_STEADY_NS NS_PER_MINUTE

/* For tests, which have no time: each 0 stands for what is said above; `watch_ns` for a second. */
struct ris_pace {
    int64_t answer_ns, silence_ns, quiet_ns, behind_ns, watch_ns;
    int64_t retry_first_ns, retry_most_ns, steady_ns;
};

struct ris_options {
    const char *url;          /* NULL: RIPE's */
    const char *const *hosts; /* of the collectors that are wanted */
    size_t host_count;        /* 0: all */
    const char *client;       /* by what name we ask, for those who run the service */
    const char *user_agent;
    const struct watch *watch;
    const struct ear *ear; /* who hears it all, and outlives it; NULL: nobody */
    /* What people should know: connections and losses, one sentence each. */
    void (*say)(void *context, const char *text);
    void *context;
    struct ris_pace pace;
};

struct ris_counters {
    uint64_t connections; /* on which messages came */
    uint64_t lines;
    uint64_t unreadable; /* of them */
    uint64_t no_raw;     /* UPDATEs without their bytes */
    uint64_t unasked;    /* messages of collectors that were not asked for, or beyond the cap */
    uint64_t behind;     /* messages of collectors that are behind */
    uint64_t updates;    /* used */
    uint64_t bad;        /* UPDATEs that could not be decoded, or in part only */
    uint64_t late;       /* messages that came too late for their own time */
    uint64_t stale;      /* messages from before a state of their peer that was told */
    uint64_t unknown;    /* messages of peers beyond the cap */
};

struct ris_live;
/* What the options point at is copied. NULL if what they say cannot be. */
struct ris_live *ris_live_new(struct loop *loop, const struct ris_options *options,
                              const struct sink *sink, struct why *why);
void ris_live_free(struct ris_live *live);
/* What was told is lost on its way: every collector is in a gap, and heard anew from its next message
 * on. No connection is ended by that. */
void ris_live_renew(struct ris_live *live);
struct ris_counters ris_live_counters(const struct ris_live *live);

/* Whether a text can be the name of a client. */
bool ris_live_is_client(const char *text);

#endif
