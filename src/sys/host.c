#include "sys/host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *host_name(char buffer[HOST_NAME_TEXT_MAX])
{
    if (gethostname(buffer, HOST_NAME_TEXT_MAX) != 0)
        buffer[0] = '\0';
    buffer[HOST_NAME_TEXT_MAX - 1] = '\0';
    buffer[strcspn(buffer, ".")] = '\0';
    if (!buffer[0])
        snprintf(buffer, HOST_NAME_TEXT_MAX, "localhost");
    return buffer;
}
