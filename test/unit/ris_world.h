/* For tests of source/bgp/ris_live: the service, over loopback, which does with each connection what it
 * is told to, and what came of that.
 *
 *     struct act acts[] = {{.lines = lines}, {.stays = true}};
 *     struct world *world = world_new(acts, 2);
 *     listen_to(world, "rrc00", &fast);
 *     await(world, 4, 2);
 *     assert_string_equal(told(world), "start heard announce:198.51.100.0/24 gap");
 *     world_free(world);
 *
 * It fails by cmocka's assertions, 10 s after something should have come. On a busy machine everything may take
 * long: what must not come too early is held back until the test says go_on(). */
#ifndef TEST_RIS_WORLD_H
#define TEST_RIS_WORLD_H

#include "probe_fixture.h"
#include "ris_maker.h"
#include "source/bgp/ris_live.h"

#include <pthread.h>

enum { SEEN_MAX = 200, SAID_MAX = 60, ACTS_MAX = 12, REQUEST_MAX = 4096 };

/* What the service does with one connection: the last act is for all that follow. */
struct act {
    const char *head;  /* NULL: 200, chunked */
    const char *lines; /* what it sends then */
    size_t piece;      /* in chunks of so many bytes; 0: one */
    const char *more;  /* sent again and again, until nobody listens, or go_on() */
    const char *then;  /* after that */
    int pause_ms;      /* between them */
    bool stays;        /* silent, without an end */
    bool is_reset;     /* ends so */
};

struct world {
    struct loop *loop;
    struct registry *registry;
    struct ris_live *live;
    struct loop_timer *guard;
    struct server server;
    struct act acts[ACTS_MAX];
    size_t act_count;
    pthread_mutex_t lock; /* of what follows, which the server writes */
    size_t asked;
    bool may_go_on;
    struct mono asked_at[ACTS_MAX * 4];
    char request[REQUEST_MAX]; /* the last */
    /* The loop's own. */
    struct observation seen[SEEN_MAX];
    char said[SAID_MAX][500];
    size_t seen_count, said_count, seen_awaited, said_awaited;
    bool is_running, is_overdue;
    struct buffer lines, text;
};

struct world *world_new(const struct act *acts, size_t count);
void world_free(struct world *world);

/* Fast, for nobody wants to wait. */
extern const struct ris_pace fast;
/* Listens to the service, or to what is at a URL; host NULL: all collectors. */
void listen_to(struct world *world, const char *host, const struct ris_pace *pace);
void listen_at(struct world *world, const char *url, const char *host, const struct ris_pace *pace);

/* Until so much was seen and said in all. */
void await(struct world *world, size_t seen, size_t said);
void pass(struct world *world, int64_t ns);
/* The service has said enough of `more`. */
void go_on(struct world *world);
/* "start heard announce:198.51.100.0/24", and forgets it. */
const char *told(struct world *world);
void expect_begin(const char *text, const char *begin);
/* How often the service was asked. */
size_t asked(struct world *world);

/* Lines of a peer that is there, and announces; and that withdraws. To be freed. */
char *speech(struct utc time, const char *host);
char *withdrawal(struct utc time);
/* Now, in whole milliseconds, which is what a line can hold. */
struct utc now_ms(void);

#endif
