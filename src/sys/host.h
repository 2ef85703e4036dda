/* What this machine is called. */
#ifndef SYS_HOST_H
#define SYS_HOST_H

#define HOST_NAME_TEXT_MAX 65

/* The machine's name without its domain; "localhost" if it has none. Returns buffer. */
const char *host_name(char buffer[HOST_NAME_TEXT_MAX]);

#endif
