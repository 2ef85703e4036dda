/* ICMP echo: one socket a family for all targets, requests sent in batches, answers matched by
 * sequence and cookie and timed by the kernel. A reply counts only if it comes from the address
 * that was asked (RFC 1122, section 3.2.2.6). */
#ifndef SOURCE_PROBE_PING_H
#define SOURCE_PROBE_PING_H

#include "source/probe/agenda.h"
#include "source/probe/question.h"
#include "sys/icmp_socket.h"

struct pinger;

/* Never NULL. Takes over the sockets of the two families; where one is NULL questions are answered with
 * SELF. Every request says who we are, by what we are called over HTTP too. */
struct pinger *pinger_new(struct agenda *agenda, const char *user_agent,
                          struct icmp_socket *const sockets[2]);
void pinger_free(struct pinger *pinger);

void pinger_ask(struct pinger *pinger, const struct question *question);

struct ping_counters {
    uint64_t sent;
    uint64_t late;      /* replies after their time-out */
    uint64_t duplicate; /* second replies */
    uint64_t foreign;   /* packets that were not about requests of ours, or from another address */
    uint64_t bad;       /* broken packets */
    uint64_t overflow;  /* packets that we were too slow to read; time-outs around them are LATE */
    uint64_t refused;   /* requests that our own kernel did not send */
};
struct ping_counters pinger_counters(const struct pinger *pinger);

#endif
