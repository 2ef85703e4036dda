/* What the process may do beyond an ordinary one: capabilities(7). Raw sockets are all that is ever needed of
 * them, and only to be opened; after that they are given up, so that a fault in what reads the world's
 * bytes is worth little to whoever finds it. */
#ifndef SYS_PRIVILEGES_H
#define SYS_PRIVILEGES_H

#include "base/err.h"

/* Gives up all capabilities but two, if they were there: CAP_NET_BIND_SERVICE, since a configuration that
 * is read again may name another port below 1024 to listen at, and CAP_DAC_OVERRIDE, without which root
 * could not write a journal in somebody's folder any more. For good, and for the calling thread and those
 * that it starts from now on: call it before there are others. */
enum err privileges_drop(struct why *why);

#endif
