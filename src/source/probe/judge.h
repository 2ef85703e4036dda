/* What a failure means: the world's doing or our own. Our own broken network must never become
 * somebody else's outage, so whatever our kernel says without having been told by a router is
 * OUTCOME_SELF, and silence counts only while we had a way to the target. */
#ifndef SOURCE_PROBE_JUDGE_H
#define SOURCE_PROBE_JUDGE_H

#include "source/probe/manners.h"
#include "source/probe/question.h"
#include "sys/net.h"
#include "sys/resolver.h"
#include "sys/route.h"

/* Takes the time of one question: on the calendar, and how long it has been. */
struct stopwatch {
    struct utc sent;
    struct mono started;
    int64_t suspended_ns; /* clock_suspended_ns() at the start */
};
void stopwatch_start(struct stopwatch *watch);
/* Until now; never 0. */
int64_t stopwatch_elapsed_ns(const struct stopwatch *watch);
/* Until a kernel's time stamp; if the clock was stepped meanwhile, until now. Never 0. */
int64_t stopwatch_rtt_ns(const struct stopwatch *watch, struct utc received);

/* A report by ICMP (RFC 792, 1812, 4443) about what we sent to `to`: sets outcome, code and peer.
 * What our own kernel reports of a host on our own network counts as a router's word; of others it
 * is our gateway that is gone. */
void judge_icmp(struct answer *answer, const struct addr *to, const struct net_icmp_fault *fault);

/* A socket's error: by what ICMP said, else by the number. */
void judge_socket(struct answer *answer, const struct addr *to, int fd, int error);
/* net_connect() failed: SELF, unless it was this machine that was asked. */
void judge_unconnected(struct answer *answer, const struct addr *to, int error);
/* An error that came without a word by ICMP. */
enum outcome outcome_of_error(int error);

/* A look-up that gave no address to ask: what it says of the name, or of us. */
enum outcome judge_lookup(const struct lookup_result *result);

/* Leaves out what cannot be asked: addresses that we have no way to, and those of the other family (0:
 * of neither). If the name has only those of the other, it has no address. */
void judge_narrow(struct lookup_result *result, uint8_t family);

/* Nothing came back: TIMEOUT, or SELF if we have no way to `to`, or LATE if the machine slept. */
enum outcome judge_silence(const struct addr *to, const struct stopwatch *watch);
/* The same where an answer takes several steps of ours: LATE too if we looked only long after it was `due`, as there was no
 * time for the steps that were left. */
enum outcome judge_silence_by(const struct addr *to, const struct stopwatch *watch,
                              struct mono due);
/* The same for those who have asked for the route themselves. */
enum outcome judge_silence_on(enum route_kind route, const struct stopwatch *watch);
/* What an outcome is where the question went out so much too late: silence then is ours, as we stood still;
 * whoever answered has answered. */
enum outcome judge_asked_late(enum outcome outcome, int64_t late_ns);

#endif
