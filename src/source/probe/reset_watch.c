#include "source/probe/reset_watch.h"

#include "base/hash.h"
#include "base/mem.h"
#include "sys/entropy.h"
#include "wire/icmp.h"
#include "wire/tcp.h"

#include <stdlib.h>

/* More connections than are under way at once, and more hosts than most plans have. */
enum { CONNECTIONS = 4096, HOSTS = 16384, READS_A_TURN = 16 };
/* The taps are read so often, and when something is asked of them; their buffers hold some hundreds of packets. A
 * turn of the loop for each connection made a page cost a third more. */
#define READ_NS (25 * NS_PER_MS)

struct heard {
    uint64_t key; /* 0: free */
    uint8_t reset, accept;
};

struct host {
    uint64_t key;
    uint8_t ttl;
};

struct inlet {
    struct reset_watch *watch;
    struct tcp_tap *tap; /* NULL: none */
};

struct reset_watch {
    uint64_t seed;
    struct inlet inlets[2];
    struct loop_timer *timer;
    struct heard heard[CONNECTIONS];
    struct host hosts[HOSTS];
};

static uint64_t key_of_host(const struct reset_watch *watch, const struct addr *addr)
{
    return hash_bytes(addr, sizeof *addr, watch->seed) | 1;
}

static uint64_t key_of_connection(const struct reset_watch *watch,
                                  const struct connection *connection)
{
    uint64_t ports = (uint64_t)connection->peer_port << 16 | connection->own_port;
    return hash_bytes(&connection->peer, sizeof connection->peer, hash_mix(watch->seed ^ ports)) |
           1;
}

static struct heard *slot_of(struct reset_watch *watch, uint64_t key)
{
    return &watch->heard[key / 2 % CONNECTIONS];
}

static void take(struct reset_watch *watch, struct tcp_arrival *arrival)
{
    struct reader r = reader_of(arrival->bytes, arrival->n);
    if (arrival->has_ip_header) {
        struct ip4_header ip = ip4_read(&r);
        arrival->ttl = ip.ttl;
        arrival->from = ip.from;
        if (ip.is_fragment)
            return;
    }
    struct tcp_header tcp = tcp_read(&r);
    if (r.bad)
        return;
    const struct connection connection = {arrival->from, tcp.from, tcp.to};
    uint64_t key = key_of_connection(watch, &connection);
    struct heard *heard = slot_of(watch, key);
    if (heard->key != key)
        *heard = (struct heard){.key = key};
    if (tcp.flags & TCP_RST)
        heard->reset = arrival->ttl;
    else
        heard->accept = arrival->ttl;
}

static void receive(struct inlet *inlet)
{
    struct tcp_arrival arrivals[TCP_TAP_BATCH];
    size_t n = TCP_TAP_BATCH;
    for (int i = 0; i < READS_A_TURN && inlet->tap && n == TCP_TAP_BATCH; i++) {
        n = tcp_tap_receive(inlet->tap, arrivals);
        for (size_t k = 0; k < n; k++)
            take(inlet->watch, &arrivals[k]);
    }
}

static void on_timer(void *context)
{
    struct reset_watch *watch = context;
    receive(&watch->inlets[0]);
    receive(&watch->inlets[1]);
}

struct reset_watch *reset_watch_new(struct loop *loop, struct tcp_tap *const taps[2])
{
    struct reset_watch *watch = mem_new(1, sizeof *watch);
    watch->seed = entropy_u64();
    for (int i = 0; i < 2; i++)
        watch->inlets[i] = (struct inlet){.watch = watch, .tap = taps[i]};
    watch->timer = loop_timer_new(loop, on_timer, watch);
    if (taps[0] || taps[1])
        loop_timer_start(watch->timer, READ_NS, READ_NS);
    return watch;
}

void reset_watch_free(struct reset_watch *watch)
{
    if (!watch)
        return;
    loop_timer_free(watch->timer);
    for (int i = 0; i < 2; i++)
        tcp_tap_close(watch->inlets[i].tap);
    free(watch);
}

/* The kernel gives a packet to the tap before it tells the connection of it: what is not read yet is there. */
static struct heard find(struct reset_watch *watch, const struct connection *connection)
{
    uint64_t key = key_of_connection(watch, connection);
    receive(&watch->inlets[connection->peer.family == 6]);
    const struct heard *heard = slot_of(watch, key);
    return heard->key == key ? *heard : (struct heard){0};
}

uint8_t reset_watch_reset(struct reset_watch *watch, const struct connection *connection)
{
    return find(watch, connection).reset;
}

uint8_t reset_watch_accept(struct reset_watch *watch, const struct connection *connection)
{
    return find(watch, connection).accept;
}

void reset_watch_note(struct reset_watch *watch, const struct addr *host, int ttl)
{
    if (ttl <= 0 || ttl > UINT8_MAX || !watch->inlets[host->family == 6].tap)
        return;
    uint64_t key = key_of_host(watch, host);
    watch->hosts[key / 2 % HOSTS] = (struct host){key, (uint8_t)ttl};
}

uint8_t reset_watch_host(const struct reset_watch *watch, const struct addr *host)
{
    uint64_t key = key_of_host(watch, host);
    const struct host *found = &watch->hosts[key / 2 % HOSTS];
    return found->key == key ? found->ttl : 0;
}

/* Two facts, and no judgement. */
static void compare(struct account *account, int64_t elapsed_ns, uint8_t reset, uint8_t host)
{
    account_number(account, FACT_RST_TTL, reset);
    if (host)
        account_number(account, FACT_HOST_TTL, host);
    if (!host)
        account_say(account, elapsed_ns,
                    "* RST with TTL %u; nothing else was heard of the host to compare it with",
                    reset);
    else if (host == reset)
        account_say(account, elapsed_ns, "* RST with TTL %u, as the host's packets arrive with",
                    reset);
    else
        account_say(account, elapsed_ns, "* RST with TTL %u, but the host's packets arrive with %u",
                    reset, host);
}

void reset_watch_tell(struct reset_watch *watch, const struct connection *connection,
                      struct account *account, int64_t elapsed_ns)
{
    struct heard heard = find(watch, connection);
    bool has_tap = watch->inlets[connection->peer.family == 6].tap != NULL;
    reset_watch_note(watch, &connection->peer, heard.accept);
    if (!heard.reset) {
        account_say(account, elapsed_ns, "* RST; with which TTL is not known%s",
                    has_tap ? "" : ", as that needs CAP_NET_RAW");
        return;
    }
    compare(account, elapsed_ns, heard.reset,
            heard.accept ? heard.accept : reset_watch_host(watch, &connection->peer));
}
