#include "sys/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t came;
/* Readable once it came: so a signal between a look at `came` and poll() is seen, too. */
static int event = -1;

static void note(int number)
{
    const uint64_t one = 1;
    int kept = errno;
    (void)number;
    came = 1;
    ssize_t written = write(event, &one, sizeof one);
    (void)written; /* it has room for more than two */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    errno = kept;
}

static void catch_one(int number)
{
    struct sigaction before, action = {.sa_handler = note};
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

void interrupt_catch(void)
{
    if (event >= 0)
        return;
    event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        return; /* then signals do what they always do */
    catch_one(SIGINT);
    catch_one(SIGTERM);
}

bool interrupt_came(void)
{
    return came;
}

bool interrupt_wait(int fd)
{
    struct pollfd both[2] = {{.fd = fd, .events = POLLIN}, {.fd = event, .events = POLLIN}};
    while (!came && poll(both, 2, -1) < 0 && errno == EINTR)
        ;
    return !came;
}
