/* What the DNS says of a zone: its name servers, who takes its mail, hosts with names that are usual or were
 * given, and, of the zone of a country, the zones below it in which its people register names. It asks one
 * resolver, a few questions at a time.
 *
 *     struct survey_names *names = survey_names_new(loop, &options, &survey);
 *     ... the loop runs until done() ...
 *     survey_names_free(names);
 *
 * A zone in which any name has an address (a wildcard) has no hosts by it. */
#ifndef SOURCE_SURVEY_SURVEY_NAMES_H
#define SOURCE_SURVEY_SURVEY_NAMES_H

#include "base/err.h"
#include "source/survey/survey.h"
#include "sys/loop.h"

struct survey_names_options {
    struct addr resolver;
    uint16_t port;
    const char *zone;         /* as survey_name() makes it */
    const char *const *names; /* further ones to look for, made so, too */
    size_t name_count;
    /* Questions answered so far, and in all, which grows. May be NULL. */
    void (*progress)(void *context, size_t done, size_t count);
    void (*done)(void *context);
    void *context;
};

struct survey_names;

struct survey_names *survey_names_new(struct loop *loop, const struct survey_names_options *options,
                                      struct survey *survey);
/* After done(): ERR_OK; ERR_NOT_FOUND if there is no such zone; ERR_IO if the resolver does not
 * answer, or with an error. */
enum err survey_names_result(const struct survey_names *names, struct why *why);
/* Questions that nobody answered, though others were. */
size_t survey_names_unanswered(const struct survey_names *names);
void survey_names_free(struct survey_names *names);

#endif
