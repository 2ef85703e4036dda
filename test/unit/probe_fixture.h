/* For the tests of the prober: a prober on a loop whose results are kept, and tiny servers on
 * loopback, each in a thread of its own, that misbehave as they are told. */
#ifndef TEST_UNIT_PROBE_FIXTURE_H
#define TEST_UNIT_PROBE_FIXTURE_H

#include "source/probe/prober.h"
#include "sys/loop.h"

enum { FIXTURE_RESULTS = 4096, FIXTURE_CLIENTS = 256 };

struct fixture {
    struct loop *loop;
    struct registry *registry;
    struct prober *prober;
    struct sink sink;
    struct why why; /* of prober_new() */
    struct loop_timer *guard;
    struct observation results[FIXTURE_RESULTS];
    size_t count;
    size_t wanted;
    bool is_overdue;
    struct buffer facts, steps; /* of the last result, if it is told: JSON; a line each */
};

void fixture_start(struct fixture *fixture);
/* The same, with phases in the schedule; else every target is asked at once. */
void fixture_start_phased(struct fixture *fixture);
/* The same as fixture_start(), with all that is told of each result. */
void fixture_start_told(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);

/* Runs until there are `wanted` results in all, 10 s at most. */
void fixture_wait(struct fixture *fixture, size_t wanted);

/* Asks one target until there is a result that is not LATE, which a busy machine may make of a
 * time-out, and gives that. `expect_status` as in the plan. */
struct observation fixture_ask(struct fixture *fixture, const char *target, int64_t timeout_ns,
                               int expect_status);

/* The same with whatever a plan may say. */
struct observation fixture_ask_plan(struct fixture *fixture, const struct probe_plan *plan);

/* The text of the peer of a result: "" for none. */
const char *fixture_peer(const struct fixture *fixture, const struct observation *result);

/* A server. serve() is called with each TCP connection, and its descriptor is kept open until the
 * server stops unless serve() closes it and returns false; or with each UDP socket that can be
 * read. */
struct server {
    int fd;
    int stop[2];
    uint16_t port;
    bool is_udp;
    bool (*serve)(struct server *server, int fd);
    void *context;
    int kept[FIXTURE_CLIENTS];
    int kept_count;
    int served; /* connections or wake-ups; read it after server_stop() */
    unsigned long thread;
};

/* On 127.0.0.1; port 0: any. */
void server_start(struct server *server, bool is_udp, uint16_t port,
                  bool (*serve)(struct server *server, int fd), void *context);
/* The same with a socket that is there already; serve() is called when it can be read. */
void server_adopt(struct server *server, int fd, bool (*serve)(struct server *server, int fd),
                  void *context);
void server_stop(struct server *server);

/* A port of 127.0.0.1 on which nothing listens. */
uint16_t unused_port(void);

/* Reads what a client has sent so far, or waits a second for it. */
void read_request(int fd);
void write_text(int fd, const char *text);

#endif
