/* One DNS query to one server, and what came of it: by UDP, and by TCP where the answer did not fit (RFC
 * 7766), or by TCP from the start. It goes out once, from a port that cannot be foreseen. What is no
 * answer to it is counted and passed over.
 *
 *     struct dns_call call = {.query = query, .server = addr, .port = 53, .timeout_ns = left, ...};
 *     run->exchange = dns_exchange_new(agenda, &call);
 *
 * done() is called once, never from within dns_exchange_new(), and then the exchange is gone. */
#ifndef SOURCE_DNS_DNS_EXCHANGE_H
#define SOURCE_DNS_DNS_EXCHANGE_H

#include "source/probe/agenda.h"
#include "source/dns/dns_message.h"
#include "source/probe/judge.h"

/* `answer.outcome` is OK if a reply came that can be read, whatever it says, and then there is `reply`,
 * until done() returns. Else it is what happened instead. */
struct dns_result {
    struct answer answer;
    const struct dns_reply *reply; /* NULL: none that can be read */
    unsigned foreign;              /* packets that were no answers to this query */
    bool was_truncated;            /* so TCP was used */
};

struct dns_call {
    struct dns_query query;
    struct addr server;
    uint16_t port;
    bool by_tcp;
    int64_t timeout_ns;
    struct account *account;       /* told of each step; may be NULL */
    const struct stopwatch *watch; /* that its times are by; of the caller, who outlives it */
    const char *about; /* "kp./SOA": the query for those who read the account; the same */
    void (*done)(void *context, const struct dns_result *result);
    void *context;
};

struct dns_exchange;

struct dns_exchange *dns_exchange_new(struct agenda *agenda, const struct dns_call *call);
/* done() will not be called. NULL is fine. */
void dns_exchange_abandon(struct dns_exchange *exchange);

#endif
