#include "base/err.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define X(constant, name) name,
    ERR_LIST(X)
#undef X
};

const char *err_name(enum err err)
{
    return names[err];
}

enum err why_set(struct why *why, enum err err, const char *format, ...)
{
    if (!why)
        return err;
    va_list args;
    va_start(args, format);
    why->err = err;
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    return err;
}
