#include "sys/host.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *host_name(char buffer[HOST_NAME_TEXT_MAX])
{
    char name[HOST_NAME_TEXT_MAX] = "";
    if (gethostname(name, sizeof name) != 0)
        name[0] = '\0';
    name[sizeof name - 1] = '\0';
    name[strcspn(name, ".")] = '\0';
    snprintf(buffer, HOST_NAME_TEXT_MAX, "%s", name[0] ? name : "localhost");
    return buffer;
}
