#include "app/init_targets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_NS (5 * NS_PER_S)

static const char *const roots[] = {
#define ROOT(v4, v6) v4,
#include "source/probe/root_servers.def"
#undef ROOT
};
/* Of four operators: Verisign, ISC, RIPE NCC and WIDE. */
static const char controls[] = "afkm";

static struct init_target *find(const struct init_targets *targets, const char *text)
{
    for (size_t i = 0; i < targets->count; i++)
        if (strcmp(targets->list[i].text, text) == 0)
            return &targets->list[i];
    return NULL;
}

static struct init_target *add(struct init_targets *targets, enum init_section section,
                               const char *text, const char *about)
{
    struct init_target *there = find(targets, text);
    if (there)
        return there;
    if (targets->count == INIT_TARGETS_MAX) {
        targets->refused++;
        return NULL;
    }
    targets->list =
        mem_grow(targets->list, &targets->capacity, targets->count + 1, sizeof *targets->list);
    targets->list[targets->count] =
        (struct init_target){.text = text, .about = about, .section = section};
    return &targets->list[targets->count++];
}

static void add_ping(struct init_targets *targets, enum init_section section,
                     const struct addr *addr, const char *about)
{
    char text[ADDR_TEXT_MAX];
    add(targets, section, arena_printf(&targets->arena, "icmp:%s", addr_format(addr, text)), about);
}

static void add_server(struct init_targets *targets, const struct survey *survey,
                       const struct survey_host *host, const char *name)
{
    char text[ADDR_TEXT_MAX];
    for (size_t i = 0; i < host->addr_count; i++) {
        const struct addr *addr = &host->addrs[i];
        const char *format = addr->family == 6 ? "dns:[%s]/%s/SOA" : "dns:%s/%s/SOA";
        add(targets, INIT_NAME_SERVERS,
            arena_printf(&targets->arena, format, addr_format(addr, text),
                         survey->zones[host->zone]),
            name);
        add_ping(targets, INIT_NAME_SERVERS, addr, name);
    }
}

static void add_pages(struct init_targets *targets, const char *name)
{
    add(targets, INIT_PAGES, arena_printf(&targets->arena, "https://%s/", name), name);
    struct init_target *plain =
        add(targets, INIT_PAGES, arena_printf(&targets->arena, "http://%s/", name), name);
    if (plain)
        plain->is_instead = true;
}

/* Name servers first, so that what has several roles stands where it weighs most. */
static void add_hosts(struct init_targets *targets, const struct survey *survey, unsigned role)
{
    for (size_t i = 0; i < survey->host_count; i++) {
        const struct survey_host *host = &survey->hosts[i];
        char *name = arena_copy(&targets->arena, host->name, strlen(host->name) - 1);
        if (!(host->roles & role))
            continue;
        if (role == SURVEY_NAME_SERVER)
            add_server(targets, survey, host, name);
        else if (role == SURVEY_MAIL)
            add(targets, INIT_MAIL, arena_printf(&targets->arena, "smtp:%s", name), name);
        else if (role == SURVEY_WEB)
            add_pages(targets, name);
        for (size_t k = 0; role == SURVEY_HOST && k < host->addr_count; k++)
            add_ping(targets, INIT_HOSTS, &host->addrs[k], name);
    }
}

void init_targets_make(struct init_targets *targets, const struct survey *survey)
{
    static const unsigned roles[] = {SURVEY_NAME_SERVER, SURVEY_MAIL, SURVEY_WEB, SURVEY_HOST};
    for (const char *letter = controls; *letter; letter++)
        add(targets, INIT_CONTROLS,
            arena_printf(&targets->arena, "dns:%s/./SOA", roots[*letter - 'a']), "a root server");
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        add_hosts(targets, survey, roles[i]);
}

void init_targets_done(struct init_targets *targets)
{
    free(targets->list);
    arena_done(&targets->arena);
    *targets = (struct init_targets){0};
}

/* ---- trying ---- */

struct trying {
    struct init_targets *targets;
    struct asking *asking;
};

static void take(void *context, const struct observation *result)
{
    struct trying *trying = context;
    struct init_target *target =
        find(trying->targets, registry_text(asking_registry(trying->asking), result->target));
    if (!target)
        return;
    target->was_asked = true;
    target->result = *result;
}

static bool is_excluded(const struct config *config, const char *text)
{
    struct target target;
    return target_parse(text, strlen(text), &target, NULL) == ERR_OK && target.addr.family &&
           prefix_set_find(&config->manners.excluded, &target.addr);
}

enum err init_targets_try(struct init_targets *targets, const struct config *config,
                          struct why *why)
{
    struct asking_options options = {.config = config};
    struct trying trying = {.targets = targets, .asking = asking_new(&options, true)};
    struct probe_plan *plan = mem_new(targets->count + 1, sizeof *plan);
    size_t count = 0;
    for (size_t i = 0; i < targets->count; i++) {
        targets->list[i].is_excluded = is_excluded(config, targets->list[i].text);
        struct probe_plan one = {.target = targets->list[i].text,
                                 .interval_ns = TIMEOUT_NS,
                                 .timeout_ns = TIMEOUT_NS,
                                 .count = 1};
        if (!targets->list[i].is_excluded && prober_check(&one, NULL) == ERR_OK)
            plan[count++] = one;
    }
    enum err err = asking_round(trying.asking, plan, count, take, &trying, why);
    asking_free(trying.asking);
    free(plan);
    return err;
}

static bool is_good(const struct init_target *target)
{
    enum outcome_class class = outcome_class((enum outcome)target->result.outcome);
    return target->was_asked && (class == OUTCOME_CLASS_GOOD || class == OUTCOME_CLASS_PARTIAL);
}

/* What was our own failure says nothing of it. */
static bool is_bad(const struct init_target *target)
{
    return target->was_asked &&
           outcome_class((enum outcome)target->result.outcome) == OUTCOME_CLASS_BAD;
}

bool init_targets_have_answer(const struct init_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        if (is_good(&targets->list[i]))
            return true;
    return false;
}

/* The page by https that this one by http would stand in for. */
static const struct init_target *other_of(const struct init_targets *targets,
                                          const struct init_target *target)
{
    char text[TARGET_TEXT_MAX];
    snprintf(text, sizeof text, "https://%s/", target->about);
    return target->is_instead ? find(targets, text) : NULL;
}

bool init_target_is_proposed(const struct init_targets *targets, const struct init_target *target)
{
    const struct init_target *other = other_of(targets, target);
    bool is_known = init_targets_have_answer(targets);
    bool is_wanted = !target->is_excluded && !(is_known && is_bad(target));
    return is_wanted && !(other && !(is_known && is_bad(other)));
}
