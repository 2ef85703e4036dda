/* status, incidents, why, report: questions to a journal, which is only read. */
#include "app/command.h"

#include "app/archives.h"

#include <ctype.h>
#include <stdlib.h>

/* Opens the journal, asks, prints. `incident` or `chart` is passed on to those questions that want it. */
struct question {
    enum err (*ask)(struct journal *, const struct style *, struct buffer *, struct why *);
    enum err (*ask_about)(struct journal *, uint32_t, const struct style *, struct buffer *,
                          struct why *);
    uint32_t incident;
    const struct chart_wish *chart; /* or this */
};

static enum err ask(struct journal *journal, const struct question *question,
                    const struct style *style, struct buffer *answer, struct why *why)
{
    if (question->chart)
        return out_chart(journal, question->chart, style, answer, why);
    return question->ask ? question->ask(journal, style, answer, why)
                         : question->ask_about(journal, question->incident, style, answer, why);
}

static int look(const struct options *options, const struct question *question)
{
    struct why why;
    struct journal *journal;
    struct buffer answer = {0};
    struct arena arena = {0};
    enum err err =
        journal_open(command_journal(options, NULL, &arena), JOURNAL_READ, &journal, &why);
    arena_done(&arena);
    if (err)
        return command_fail(&why);
    struct style style = command_style(options);
    err = ask(journal, question, &style, &answer, &why);
    journal_close(journal);
    if (!err)
        return command_print(options, &answer);
    buffer_done(&answer);
    return command_fail(&why);
}

/* "1" or "#1"; 0 if it is no number of an incident. */
static uint32_t incident_number(const char *text)
{
    const char *digits = *text == '#' ? text + 1 : text;
    char *end;
    if (!isdigit((unsigned char)*digits))
        return 0;
    unsigned long number = strtoul(digits, &end, 10);
    return *end || number > UINT32_MAX ? 0 : (uint32_t)number;
}

static int look_at(const struct options *options, struct question question)
{
    question.incident = incident_number(options->arguments[0]);
    if (question.incident)
        return look(options, &question);
    command_say("'%.60s' is no number of an incident; expected one like 1 or #1, as 'lastlight "
                "incidents' lists them",
                options->arguments[0]);
    return EXIT_USAGE;
}

int cmd_status(const struct options *options)
{
    return look(options, &(struct question){.ask = out_status});
}

int cmd_incidents(const struct options *options)
{
    return look(options, &(struct question){.ask = out_incidents});
}

int cmd_why(const struct options *options)
{
    return look_at(options, (struct question){.ask_about = out_why});
}

int cmd_report(const struct options *options)
{
    return look_at(options, (struct question){.ask_about = out_report});
}

static bool read_time(const struct options *options, enum option option, struct utc *out)
{
    const char *text = options_get(options, option);
    if (!text || archives_parse_time(text, out))
        return true;
    command_say("'%.60s' is no time; expected one like 2022-02-07T05:30:00Z, or seconds since 1970",
                text);
    return false;
}

int cmd_chart(const struct options *options)
{
    struct chart_wish wish = {.target = options->arguments[0]};
    if (!read_time(options, OPTION_CHART_FROM, &wish.from) ||
        !read_time(options, OPTION_CHART_UNTIL, &wish.until))
        return EXIT_USAGE;
    return look(options, &(struct question){.chart = &wish});
}
