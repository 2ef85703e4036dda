/* flood: fills a line of the laboratory until it overflows, by UDP at an even pace, and tells how much
 * it sent. It does not run anywhere else.
 *
 *     flood --to ADDRESS[,ADDRESS...] --rate BITS_PER_S --seconds N [--port N] [--size BYTES]
 *           [--source-ports]
 *     flood --to ADDRESS[,ADDRESS...] --steps SECONDS:RATE[,SECONDS:RATE...] ...
 *
 *     flood --to 192.0.2.1,192.0.2.2 --steps 8:1400000,10:2800000,30:120000000
 *     {"packets":451234,"bytes":468380892,"errors":0,"seconds":48.000}
 *
 * Packets go to the IPv4 addresses in turn. Bytes (and the rate) count the payload of --size bytes,
 * 28 of IPv4 and UDP, and 14 of Ethernet. --source-ports sends from sixteen ports in turn instead of
 * one. A rate of 0 is a rest. What cannot be sent (no route, no buffer) is counted under errors and
 * spends its share of the rate: the route may be back before the time is over. SIGTERM or SIGINT ends
 * it at once, with the same line.
 *
 * The environment must hold LASTLIGHT_LAB=1 and LASTLIGHT_LAB_OUTSIDE=N, where N is the inode of the
 * network namespace outside of the laboratory (stat -L -c %i /proc/self/ns/net, before it is left).
 * If it runs in that one, or cannot tell, it refuses: exit 2. */
#include "tool.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Nobody can ask for more than the first two. */
#define RATE_MAX UINT64_C(200000000) /* bits/s */
#define SECONDS_MAX UINT64_C(300)    /* of all steps together */

enum {
    HEADER_BYTES = 28 + 14,
    PAYLOAD_MAX = 1472, /* fits an MTU of 1500 */
    ADDRESSES_MAX = 64,
    STEPS_MAX = 32,
    PORTS = 16,
    BATCH = 64,
    TICK_NS = 2000000,
    /* After a stall of the machine at most this much is made up for. More would be a burst that the
     * line never asked for. */
    CREDIT_NS = 50000000
};

struct step {
    uint64_t seconds, rate;
};

struct flood {
    struct sockaddr_in to[ADDRESSES_MAX];
    uint32_t address_count, next_address;
    int sockets[PORTS];
    uint32_t socket_count, next_socket;
    struct step steps[STEPS_MAX];
    uint32_t step_count;
    uint64_t port, size;
    uint64_t packets, errors;
};

/* May it run here? */

static void refuse_outside(void)
{
    const char *lab = getenv("LASTLIGHT_LAB"), *outside = getenv("LASTLIGHT_LAB_OUTSIDE");
    uint64_t inode;
    struct stat here;
    if (!lab || strcmp(lab, "1"))
        tool_die(2, "refused: LASTLIGHT_LAB is not 1, this is no laboratory");
    if (!outside || !tool_number(outside, UINT64_MAX, &inode) || !inode)
        tool_die(2, "refused: LASTLIGHT_LAB_OUTSIDE does not tell which network is outside");
    if (stat("/proc/self/ns/net", &here))
        tool_die(2, "refused: /proc/self/ns/net: %s", strerror(errno));
    if (here.st_ino == inode)
        tool_die(2, "refused: this is the network outside of the laboratory");
}

/* Sending. */

static void fill_batch(struct flood *flood, struct mmsghdr *messages, struct iovec *payload,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct sockaddr_in *to = &flood->to[flood->next_address];
        flood->next_address = (flood->next_address + 1) % flood->address_count;
        messages[i] = (struct mmsghdr){
            .msg_hdr = {
                .msg_name = to, .msg_namelen = sizeof *to, .msg_iov = payload, .msg_iovlen = 1}};
    }
}

/* sendmmsg tells an error only of the first message it is given: that one is counted and passed
 * over. Whatever the error is, a route that comes back must find the flood still there. */
static void send_batch(struct flood *flood, unsigned count)
{
    static uint8_t zeros[PAYLOAD_MAX];
    struct iovec payload = {.iov_base = zeros, .iov_len = flood->size};
    struct mmsghdr messages[BATCH];
    int fd = flood->sockets[flood->next_socket];
    flood->next_socket = (flood->next_socket + 1) % flood->socket_count;
    fill_batch(flood, messages, &payload, count);
    for (unsigned done = 0; done < count && !tool_is_ending;) {
        int n = sendmmsg(fd, messages + done, count - done, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            flood->packets += (uint64_t)n;
        else
            flood->errors++;
        done += n > 0 ? (unsigned)n : 1;
    }
}

static void sleep_until(int64_t when_ns)
{
    struct timespec when = {.tv_sec = when_ns / SECOND_NS, .tv_nsec = when_ns % SECOND_NS};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL);
}

/* Credit in bits times nanoseconds per second, so that nothing is rounded away: at most
 * 200 Mbit/s * 50 ms * 1e9 = 1e16. */
static void play_step(struct flood *flood, uint64_t rate, int64_t begin_ns, int64_t end_ns)
{
    int64_t packet = (int64_t)(flood->size + HEADER_BYTES) * 8 * SECOND_NS;
    int64_t most = (int64_t)rate * CREDIT_NS > packet ? (int64_t)rate * CREDIT_NS : packet;
    int64_t credit = 0, last_ns = begin_ns, now_ns;
    while (!tool_is_ending && (now_ns = tool_now_ns()) < end_ns) {
        int64_t passed_ns = now_ns - last_ns < SECOND_NS ? now_ns - last_ns : SECOND_NS;
        credit += passed_ns * (int64_t)rate;
        if (credit > most)
            credit = most;
        last_ns = now_ns;
        int64_t count = credit / packet < BATCH ? credit / packet : BATCH;
        credit -= count * packet;
        if (count)
            send_batch(flood, (unsigned)count);
        if (credit < packet)
            sleep_until(now_ns + TICK_NS < end_ns ? now_ns + TICK_NS : end_ns);
    }
}

static void play(struct flood *flood)
{
    int64_t begin_ns = tool_now_ns(), at_ns = begin_ns;
    for (uint32_t i = 0; i < flood->step_count; i++) {
        int64_t end_ns = at_ns + (int64_t)flood->steps[i].seconds * SECOND_NS;
        play_step(flood, flood->steps[i].rate, at_ns, end_ns);
        at_ns = end_ns;
    }
    printf("{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"errors\":%" PRIu64
           ",\"seconds\":%.3f}\n",
           flood->packets, flood->packets * (flood->size + HEADER_BYTES), flood->errors,
           (double)(tool_now_ns() - begin_ns) / 1e9);
}

/* What was asked for. */

static uint64_t need_number(const char *option, const char *text, uint64_t most)
{
    uint64_t n;
    if (!tool_number(text, most, &n))
        tool_die(2, "%s: expected a number up to %" PRIu64 ", not '%s'", option, most, text);
    return n;
}

static void read_addresses(struct flood *flood, char *text)
{
    char *one;
    while ((one = strsep(&text, ","))) {
        struct sockaddr_in *to = &flood->to[flood->address_count];
        if (flood->address_count == ADDRESSES_MAX)
            tool_die(2, "--to: more than %d addresses", ADDRESSES_MAX);
        if (inet_pton(AF_INET, one, &to->sin_addr) != 1)
            tool_die(2, "--to: '%s' is not an IPv4 address", one);
        to->sin_family = AF_INET;
        flood->address_count++;
    }
}

static void read_steps(struct flood *flood, char *text)
{
    char *one;
    while ((one = strsep(&text, ","))) {
        char *seconds = strsep(&one, ":");
        if (flood->step_count == STEPS_MAX)
            tool_die(2, "--steps: more than %d", STEPS_MAX);
        flood->steps[flood->step_count++] =
            (struct step){need_number("--steps", seconds, SECONDS_MAX),
                          need_number("--steps", one ? one : "", RATE_MAX)};
    }
}

static void read_options(struct flood *flood, struct step *only, int count, char **words)
{
    static const struct option options[] = {
        {"to", required_argument, NULL, 't'},     {"port", required_argument, NULL, 'p'},
        {"rate", required_argument, NULL, 'r'},   {"seconds", required_argument, NULL, 's'},
        {"size", required_argument, NULL, 'b'},   {"steps", required_argument, NULL, 'S'},
        {"source-ports", no_argument, NULL, 'P'}, {0}};
    for (int c; (c = getopt_long(count, words, "", options, NULL)) != -1;) {
        if (c == 't')
            read_addresses(flood, optarg);
        else if (c == 'p')
            flood->port = need_number("--port", optarg, UINT16_MAX);
        else if (c == 'r')
            only->rate = need_number("--rate", optarg, RATE_MAX);
        else if (c == 's')
            only->seconds = need_number("--seconds", optarg, SECONDS_MAX);
        else if (c == 'b')
            flood->size = need_number("--size", optarg, PAYLOAD_MAX);
        else if (c == 'S')
            read_steps(flood, optarg);
        else if (c == 'P')
            flood->socket_count = PORTS;
        else
            exit(2); /* getopt said why */
    }
}

/* --rate and --seconds are one step. */
static void check(struct flood *flood, struct step only, bool has_rest)
{
    uint64_t seconds = 0;
    bool has_only = only.rate || only.seconds;
    if (has_rest || !flood->address_count || has_only == (flood->step_count > 0))
        tool_die(2, "usage: flood --to ADDRESS[,ADDRESS...] (--rate BITS_PER_S --seconds N | "
                    "--steps SECONDS:RATE,...) [--port N] [--size BYTES] [--source-ports]");
    if (has_only)
        flood->steps[flood->step_count++] = only;
    for (uint32_t i = 0; i < flood->step_count; i++)
        seconds += flood->steps[i].seconds;
    if (!seconds || seconds > SECONDS_MAX)
        tool_die(2, "%" PRIu64 " seconds: from 1 to %" PRIu64 " in all", seconds, SECONDS_MAX);
    if (!flood->size || !flood->port)
        tool_die(2, "--size and --port cannot be 0");
}

static void open_sockets(struct flood *flood)
{
    for (uint32_t i = 0; i < flood->address_count; i++)
        flood->to[i].sin_port = htons((uint16_t)flood->port);
    for (uint32_t i = 0; i < flood->socket_count; i++) {
        flood->sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (flood->sockets[i] < 0)
            tool_die(1, "socket: %s", strerror(errno));
    }
}

int main(int count, char **words)
{
    static struct flood flood = {.port = 9, .size = 1000, .socket_count = 1};
    struct step only = {0, 0};
    refuse_outside();
    read_options(&flood, &only, count, words);
    check(&flood, only, optind < count);
    open_sockets(&flood);
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    tool_end_on_signals();
    play(&flood);
    return 0;
}
