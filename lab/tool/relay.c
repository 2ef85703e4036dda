/* relay: the lines of the laboratory. Each link is a pair of TAP devices; what goes into one comes out
 * of the other a fixed time later, in the same order, and some of it is lost by chance if so asked.
 * It stands in for sch_netem, which the kernel of the laboratory does not have.
 *
 *     relay [--control PATH] [--seed N] NAME:TAP_A:TAP_B:DELAY_US[:LOSS_PPM]...
 *     relay --tell PATH LINE...
 *
 *     relay --control /run/relay.sock core:ta:tb:20000 &        prints "ready" when the TAPs exist
 *     ip link set ta netns a name eth0; ip link set tb netns b name eth0
 *     relay --tell /run/relay.sock 'set core 5000 10000'        5 ms each way, 1 % lost
 *
 * The delay is one way; both directions have the same. The devices are made in the network namespace
 * that relay runs in; they may be moved and renamed afterwards and keep carrier while relay runs.
 * When it ends they vanish, wherever they are.
 *
 * The control socket is a Unix stream. Each line is answered by "ok" or "error: why"; lines of facts
 * come before the ok.
 *
 *     set NAME DELAY_US [LOSS_PPM]    from the next frame on; loss stays as it is if not given
 *     pause NAME                      silent cut: frames are lost, also those under way; carrier stays
 *     resume NAME
 *     stats                           NAME forwarded=N dropped=N queue=N late_us=N lost=N cut=N full=N failed=N
 *
 * dropped is the sum of the last four (line.h says what they are), late_us the worst since the last
 * stats: a frame left this long after it was due. Both directions are taken together. */
#include "line.h"
#include "tool.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    LINKS_MAX = 32,
    LINES_MAX = 2 * LINKS_MAX,
    CLIENTS_MAX = 8, /* more are turned away */
    DELAY_US_MAX = 10 * MILLION,
    NAME_BYTES = 32,
    COMMAND_BYTES = 256,  /* a longer line ends its client */
    ANSWER_BYTES = 16384, /* LINKS_MAX lines of stats */
    EVENTS_MAX = 16,
    READS_MAX = 32 /* frames of one TAP before the others have their turn */
};

/* What an event of epoll is about. 0 to LINES_MAX - 1: a frame waits for that line. */
enum { EVENT_TIMER = LINES_MAX, EVENT_LISTENER, EVENT_CLIENT };

struct link {
    char name[NAME_BYTES];
    char devices[2][IFNAMSIZ];
    int taps[2];
    struct line lines[2]; /* lines[i] takes from taps[i] and gives to the other */
};

struct client {
    int fd; /* 0: nobody */
    size_t size;
    char line[COMMAND_BYTES];
};

struct relay {
    struct link links[LINKS_MAX];
    uint32_t link_count;
    struct pool pool;
    struct client clients[CLIENTS_MAX];
    const char *control; /* path, NULL: none */
    int listener, timer, epoll;
    int64_t armed_ns; /* the timer rings then, 0: never */
};

struct answer {
    char text[ANSWER_BYTES];
    size_t size;
};

/* Frames: from a TAP into its line, and out again when they are due. */

static void watch(const struct relay *relay, int fd, uint32_t what)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = what};
    if (epoll_ctl(relay->epoll, EPOLL_CTL_ADD, fd, &event))
        tool_die(1, "epoll: %s", strerror(errno));
}

/* Somebody deleted the device, or the namespace it was moved to: the rest of the lines goes on. */
static void give_up(const struct relay *relay, const struct link *link, int side)
{
    fprintf(stderr, "relay: %s: device %s is gone (%s)\n", link->name, link->devices[side],
            strerror(errno));
    epoll_ctl(relay->epoll, EPOLL_CTL_DEL, link->taps[side], NULL);
}

/* The time is taken after each read: taken before, a stall in between would let the frames that came
 * during it leave too early. */
static void take_frames(struct relay *relay, struct link *link, int side)
{
    uint8_t bytes[FRAME_BYTES + 1]; /* one more, to notice frames that are too long */
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t n = read(link->taps[side], bytes, sizeof bytes);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            give_up(relay, link, side);
        if (n <= 0)
            return;
        line_offer(&link->lines[side], &relay->pool, bytes, (size_t)n, tool_now_ns());
    }
}

static void send_frame(struct line *line, const struct frame *frame, int tap)
{
    int64_t late_ns = tool_now_ns() - frame->due_ns;
    if (late_ns > line->late_ns)
        line->late_ns = late_ns;
    if (write(tap, frame->bytes, frame->size) == (ssize_t)frame->size)
        line->counts.forwarded++;
    else
        line->counts.failed++;
}

static void send_due(struct relay *relay, int64_t now_ns)
{
    for (uint32_t i = 0; i < 2 * relay->link_count; i++) {
        struct link *link = &relay->links[i / 2];
        struct line *line = &link->lines[i % 2];
        struct frame *frame;
        while ((frame = line_due(line, now_ns))) {
            send_frame(line, frame, link->taps[1 - i % 2]);
            line_drop_first(line, &relay->pool);
        }
    }
}

static int64_t next_due_ns(const struct relay *relay)
{
    int64_t next_ns = 0;
    for (uint32_t i = 0; i < 2 * relay->link_count; i++) {
        const struct frame *first = relay->links[i / 2].lines[i % 2].first;
        if (first && (!next_ns || first->due_ns < next_ns))
            next_ns = first->due_ns;
    }
    return next_ns;
}

/* A timer of its own, as the timeout of epoll_wait may be late by a thousandth of it. Setting it also
 * takes back a ring that was not read. */
static void arm(struct relay *relay)
{
    int64_t next_ns = next_due_ns(relay);
    if (next_ns == relay->armed_ns)
        return;
    struct itimerspec when = {
        .it_value = {.tv_sec = next_ns / SECOND_NS, .tv_nsec = next_ns % SECOND_NS}};
    timerfd_settime(relay->timer, TFD_TIMER_ABSTIME, &when, NULL);
    relay->armed_ns = next_ns;
}

/* Control: each command gets its words and either adds facts to the answer or says why not. */

__attribute__((format(printf, 2, 3))) static void say(struct answer *answer, const char *text, ...)
{
    size_t room = sizeof answer->text - answer->size;
    va_list list;
    va_start(list, text);
    int n = vsnprintf(answer->text + answer->size, room, text, list);
    va_end(list);
    if (n > 0)
        answer->size += (size_t)n < room ? (size_t)n : room - 1;
}

static struct link *find(struct relay *relay, const char *name)
{
    for (uint32_t i = 0; i < relay->link_count; i++)
        if (!strcmp(relay->links[i].name, name))
            return &relay->links[i];
    return NULL;
}

static const char *set(struct relay *relay, struct link *link, char **words, int count)
{
    uint64_t delay_us, loss_ppm = link->lines[0].loss_ppm;
    (void)relay;
    if (!tool_number(words[2], DELAY_US_MAX, &delay_us))
        return "DELAY_US is a number up to 10000000";
    if (count > 3 && !tool_number(words[3], MILLION, &loss_ppm))
        return "LOSS_PPM is a number up to 1000000";
    for (int side = 0; side < 2; side++) {
        link->lines[side].delay_ns = (int64_t)delay_us * 1000;
        link->lines[side].loss_ppm = loss_ppm;
    }
    return NULL;
}

static const char *pause_link(struct relay *relay, struct link *link, char **words, int count)
{
    (void)words, (void)count;
    for (int side = 0; side < 2; side++)
        line_pause(&link->lines[side], &relay->pool);
    return NULL;
}

static const char *resume(struct relay *relay, struct link *link, char **words, int count)
{
    (void)relay, (void)words, (void)count;
    for (int side = 0; side < 2; side++)
        link->lines[side].is_paused = false;
    return NULL;
}

static unsigned long long sum(uint64_t a, uint64_t b)
{
    return a + b;
}

static void say_stats(struct link *link, struct answer *answer)
{
    const struct counts *a = &link->lines[0].counts, *b = &link->lines[1].counts;
    int64_t late_ns = 0;
    for (int side = 0; side < 2; side++) {
        if (link->lines[side].late_ns > late_ns)
            late_ns = link->lines[side].late_ns;
        link->lines[side].late_ns = 0;
    }
    say(answer, "%s forwarded=%llu dropped=%llu queue=%u late_us=%lld", link->name,
        sum(a->forwarded, b->forwarded), sum(line_dropped(a), line_dropped(b)),
        link->lines[0].queued + link->lines[1].queued, (long long)(late_ns / 1000));
    say(answer, " lost=%llu cut=%llu full=%llu failed=%llu\n", sum(a->lost, b->lost),
        sum(a->cut, b->cut), sum(a->full, b->full), sum(a->failed, b->failed));
}

static const struct command {
    const char *name, *usage;
    int least, most; /* words */
    const char *(*run)(struct relay *relay, struct link *link, char **words, int count);
} commands[] = {
    {"set", "set NAME DELAY_US [LOSS_PPM]", 3, 4, set},
    {"pause", "pause NAME", 2, 2, pause_link},
    {"resume", "resume NAME", 2, 2, resume},
};

static const char *run_command(struct relay *relay, char **words, int count)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *command = &commands[i];
        if (strcmp(words[0], command->name))
            continue;
        if (count < command->least || count > command->most)
            return command->usage;
        struct link *link = find(relay, words[1]);
        return link ? command->run(relay, link, words, count) : "no link of this name";
    }
    return "expected set, pause, resume or stats";
}

static void answer_line(struct relay *relay, char *line, struct answer *answer)
{
    enum { WORDS_MAX = 5 }; /* one more than any command takes */
    char *words[WORDS_MAX], *rest = line;
    int count = 0;
    while (count < WORDS_MAX && (words[count] = strtok_r(rest, " \t\r", &rest)))
        count++;
    const char *error = NULL;
    if (count == 1 && !strcmp(words[0], "stats"))
        for (uint32_t i = 0; i < relay->link_count; i++)
            say_stats(&relay->links[i], answer);
    else
        error = count ? run_command(relay, words, count) : "empty line";
    say(answer, error ? "error: %s\n" : "ok\n", error);
}

static void end_client(struct client *client)
{
    close(client->fd); /* epoll forgets it by itself */
    *client = (struct client){0};
}

/* Answers every whole line and keeps the rest. False: the client does not read its answers. */
static bool answer_lines(struct relay *relay, struct client *client)
{
    char *at = client->line, *end;
    while ((end = memchr(at, '\n', client->size - (size_t)(at - client->line)))) {
        struct answer answer = {.size = 0};
        *end = '\0';
        answer_line(relay, at, &answer);
        ssize_t n = send(client->fd, answer.text, answer.size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n != (ssize_t)answer.size)
            return false;
        at = end + 1;
    }
    client->size -= (size_t)(at - client->line);
    memmove(client->line, at, client->size);
    return client->size < sizeof client->line;
}

static void hear(struct relay *relay, struct client *client)
{
    ssize_t n = recv(client->fd, client->line + client->size, sizeof client->line - client->size,
                     MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        client->size += (size_t)n;
    if (n <= 0 || !answer_lines(relay, client))
        end_client(client);
}

static void welcome(struct relay *relay)
{
    int fd = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    for (uint32_t i = 0; i < CLIENTS_MAX; i++)
        if (!relay->clients[i].fd) {
            relay->clients[i].fd = fd;
            watch(relay, fd, EVENT_CLIENT + i);
            return;
        }
    close(fd);
}

/* Start, run, end. */

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        tool_die(2, "%s: too long for a socket", path);
    strcpy(address.sun_path, path);
    return address;
}

static int open_tap(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        tool_die(1, "/dev/net/tun: %s", strerror(errno));
    memcpy(request.ifr_name, name, strlen(name)); /* shorter than it: read_link */
    if (ioctl(fd, TUNSETIFF, &request))
        tool_die(1, "device %s: %s", name, strerror(errno));
    return fd;
}

static void open_links(struct relay *relay)
{
    for (uint32_t i = 0; i < 2 * relay->link_count; i++) {
        struct link *link = &relay->links[i / 2];
        link->taps[i % 2] = open_tap(link->devices[i % 2]);
        watch(relay, link->taps[i % 2], i);
    }
}

/* A socket that an earlier run left behind is removed; anything else of that name is not ours. */
static void open_control(struct relay *relay)
{
    struct stat there;
    if (!relay->control)
        return;
    struct sockaddr_un address = address_of(relay->control);
    if (!lstat(relay->control, &there) && S_ISSOCK(there.st_mode))
        unlink(relay->control);
    relay->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (bind(relay->listener, (struct sockaddr *)&address, sizeof address) ||
        listen(relay->listener, CLIENTS_MAX))
        tool_die(1, "%s: %s", relay->control, strerror(errno));
    watch(relay, relay->listener, EVENT_LISTENER);
}

static void handle(struct relay *relay, uint32_t what)
{
    if (what < LINES_MAX)
        take_frames(relay, &relay->links[what / 2], what % 2);
    else if (what == EVENT_LISTENER)
        welcome(relay);
    else if (what >= EVENT_CLIENT)
        hear(relay, &relay->clients[what - EVENT_CLIENT]);
}

/* Signals are let in only while it waits, so that none is missed between the check and the wait. */
static void serve(struct relay *relay)
{
    struct epoll_event events[EVENTS_MAX];
    sigset_t ends, before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, &before);
    while (!tool_is_ending) {
        arm(relay);
        int n = epoll_pwait(relay->epoll, events, EVENTS_MAX, -1, &before);
        send_due(relay, tool_now_ns());
        for (int i = 0; i < n; i++)
            handle(relay, events[i].data.u32);
    }
}

static bool read_fields(struct link *link, char *text, uint64_t *delay_us, uint64_t *loss_ppm)
{
    char *fields[6], *rest = text;
    int count = 0;
    while (count < 6 && (fields[count] = strsep(&rest, ":")))
        count++;
    if (count < 4 || count > 5)
        return false;
    for (int i = 0; i < 3; i++)
        if (!*fields[i] || strlen(fields[i]) >= (i ? IFNAMSIZ : NAME_BYTES))
            return false;
    strcpy(link->name, fields[0]);
    strcpy(link->devices[0], fields[1]);
    strcpy(link->devices[1], fields[2]);
    return tool_number(fields[3], DELAY_US_MAX, delay_us) &&
           (count < 5 || tool_number(fields[4], MILLION, loss_ppm));
}

static void read_link(struct relay *relay, const char *argument, uint64_t seed)
{
    char text[128];
    uint64_t delay_us = 0, loss_ppm = 0;
    struct link *link = &relay->links[relay->link_count];
    if (relay->link_count == LINKS_MAX)
        tool_die(2, "more than %d links", LINKS_MAX);
    if ((size_t)snprintf(text, sizeof text, "%s", argument) >= sizeof text ||
        !read_fields(link, text, &delay_us, &loss_ppm))
        tool_die(2, "%s: expected NAME:TAP_A:TAP_B:DELAY_US[:LOSS_PPM]", argument);
    if (find(relay, link->name))
        tool_die(2, "%s: two links of this name", link->name);
    for (uint32_t side = 0; side < 2; side++)
        link->lines[side] =
            (struct line){.delay_ns = (int64_t)delay_us * 1000,
                          .loss_ppm = loss_ppm,
                          .random = seed ^ (uint64_t)(2 * relay->link_count + side) << 32};
    relay->link_count++;
}

/* Prints what comes until the line is answered. True: by ok. */
static bool print_answer(FILE *stream)
{
    char line[COMMAND_BYTES * 2];
    while (fgets(line, sizeof line, stream)) {
        fputs(line, stdout);
        if (!strcmp(line, "ok\n"))
            return true;
        if (!strncmp(line, "error: ", 7))
            return false;
    }
    tool_die(1, "the relay hung up");
}

static int tell(const char *path, char **lines)
{
    bool is_ok = true;
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address))
        tool_die(1, "%s: %s", path, strerror(errno));
    FILE *stream = fdopen(fd, "r");
    if (!stream)
        tool_die(1, "%s: %s", path, strerror(errno));
    for (; *lines; lines++) {
        dprintf(fd, "%s\n", *lines);
        is_ok &= print_answer(stream);
    }
    fclose(stream);
    return is_ok ? 0 : 1;
}

static void run(struct relay *relay)
{
    relay->epoll = epoll_create1(EPOLL_CLOEXEC);
    relay->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (relay->epoll < 0 || relay->timer < 0 || !pool_init(&relay->pool))
        tool_die(1, "cannot start: %s", strerror(errno));
    watch(relay, relay->timer, EVENT_TIMER);
    open_links(relay);
    open_control(relay);
    /* A line does not wait for the routers to think. Where this is not allowed it is later now and
     * then; stats tells by how much. Real-time scheduling would starve the routers in a flood. */
    setpriority(PRIO_PROCESS, 0, -19);
    tool_end_on_signals();
    puts("ready");
    fflush(stdout);
    serve(relay);
    if (relay->control)
        unlink(relay->control);
    free(relay->pool.frames);
}

static const char usage[] =
    "relay [--control PATH] [--seed N] NAME:TAP_A:TAP_B:DELAY_US[:LOSS_PPM]...\n"
    "       relay --tell PATH LINE...";

int main(int count, char **words)
{
    static struct relay relay;
    uint64_t seed = 1;
    int at = 1;
    if (count > 3 && !strcmp(words[1], "--tell"))
        return tell(words[2], words + 3);
    for (; at + 1 < count && words[at][0] == '-'; at += 2) {
        if (!strcmp(words[at], "--control"))
            relay.control = words[at + 1];
        else if (strcmp(words[at], "--seed") || !tool_number(words[at + 1], UINT64_MAX, &seed))
            tool_die(2, "usage: %s", usage);
    }
    if (at >= count || words[at][0] == '-')
        tool_die(2, "usage: %s", usage);
    for (; at < count; at++)
        read_link(&relay, words[at], seed);
    run(&relay);
    return 0;
}
