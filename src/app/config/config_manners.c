/* Whom not to ask, and how fast to ask. */
#include "app/config/config_reading.h"
#include "source/probe/follow_up.h"

#include <stdlib.h>
#include <string.h>

/* A national watch of 200 targets every 10 s asks 20 questions a second, with their services about 35
 * (science.md, 1.13): usual limits that it does not meet, and by which nobody is hurt. */
enum { RATE_USUAL = 1000, NEIGHBOUR_RATE_USUAL = 50, RATE_MOST = 1000 * 1000 };
enum { LIST_BYTES_MAX = 16 * 1024 * 1024 };

/* An address stands for itself alone. */
static bool parse_range(const char *text, size_t n, struct prefix *out)
{
    struct addr addr;
    if (prefix_parse(text, n, out))
        return true;
    if (!addr_parse(text, n, &addr))
        return false;
    *out = prefix_of(&addr, addr_bits(&addr));
    return true;
}

/* A line of a list: an address or a prefix, and nothing else but a comment. False if it is neither. */
static bool take_line(const char *line, size_t n, struct prefix_set *set)
{
    static const char blank[] = " \t\r";
    const char *comment = memchr(line, '#', n);
    struct prefix prefix;
    n = comment ? (size_t)(comment - line) : n;
    while (n && memchr(blank, line[0], sizeof blank - 1))
        line++, n--;
    while (n && memchr(blank, line[n - 1], sizeof blank - 1))
        n--;
    if (!n)
        return true;
    if (!parse_range(line, n, &prefix))
        return false;
    prefix_set_add(set, &prefix);
    return true;
}

static void take_list(struct reading *reading, const yaml_node_t *node, const char *path,
                      const struct buffer *bytes, struct prefix_set *set)
{
    const char *line = bytes->bytes, *end = bytes->bytes + bytes->size;
    for (size_t number = 1; line < end; number++) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t n = (size_t)((stop ? stop : end) - line);
        if (!take_line(line, n, set))
            document_fault(&reading->document, node,
                           "%s:%zu: '%.*s' is not an address and not a prefix", path, number,
                           (int)(n < 60 ? n : 60), line);
        line = stop ? stop + 1 : end;
    }
}

static void read_list(struct reading *reading, const yaml_node_t *node, struct prefix_set *set)
{
    struct buffer bytes = {0};
    struct why why;
    const char *text;
    if (!document_text(&reading->document, node, "the name of a file", CONFIG_PATH_LONGEST,
                       &text) ||
        !reading->reads_files)
        return;
    const char *path = config_keep_path(reading, text);
    if (config_read_file(path, LIST_BYTES_MAX, &bytes, &why))
        document_fault(&reading->document, node, "%s", why.text);
    else
        take_list(reading, node, path, &bytes, set);
    buffer_done(&bytes);
}

static void read_range(struct reading *reading, const yaml_node_t *node, const char *key,
                       struct prefix_set *set)
{
    const yaml_node_t *file = NULL;
    const struct field fields[] = {{"file", &file}};
    char shown[DOCUMENT_SHOWN_MAX];
    const char *text = document_scalar(node);
    struct prefix prefix;
    if (document_is_mapping(node)) {
        if (document_fields(&reading->document, node, key, fields, 1) && file)
            read_list(reading, file, set);
        return;
    }
    if (text && parse_range(text, strlen(text), &prefix))
        prefix_set_add(set, &prefix);
    else
        document_fault(&reading->document, node,
                       "%s: found %s; expected an address, a prefix or {file: PATH}", key,
                       document_show(node, shown));
}

static void read_ranges(struct reading *reading, const yaml_node_t *list, const char *key,
                        struct prefix_set *set)
{
    const yaml_node_t *node;
    size_t at = 0;
    while ((node = document_next(&reading->document, list, key, &at)))
        read_range(reading, node, key, set);
    prefix_set_seal(set);
}

void config_read_manners(struct reading *reading, const yaml_node_t *limits,
                         const yaml_node_t *exclude, const yaml_node_t *allow)
{
    const yaml_node_t *rate = NULL, *neighbourhood = NULL, *follow_up = NULL;
    const struct field fields[] = {
        {"rate", &rate}, {"neighbourhood", &neighbourhood}, {"follow_up", &follow_up}};
    struct manners_options *manners = &reading->config.manners;
    uint32_t most = RATE_USUAL, near = NEIGHBOUR_RATE_USUAL;
    if (limits && document_fields(&reading->document, limits, "limits", fields, 3)) {
        if (rate)
            document_number(&reading->document, rate, "rate", 1, RATE_MOST, &most);
        if (neighbourhood)
            document_number(&reading->document, neighbourhood, "neighbourhood", 1, RATE_MOST,
                            &near);
    }
    uint32_t follow = (uint32_t)(most * FOLLOW_SHARE) > 1 ? (uint32_t)(most * FOLLOW_SHARE) : 1;
    if (follow_up)
        document_number(&reading->document, follow_up, "follow_up", 0, RATE_MOST, &follow);
    manners->rate = most;
    manners->neighbour_rate = near;
    manners->follow_rate = follow;
    read_ranges(reading, exclude, "exclude", &manners->excluded);
    read_ranges(reading, allow, "allow", &manners->allowed);
}

bool config_may_ask(struct reading *reading, const yaml_node_t *node, const struct target *target)
{
    char address[ADDR_TEXT_MAX], prefix[PREFIX_TEXT_MAX];
    const struct prefix *excluded =
        target->addr.family ? prefix_set_find(&reading->config.manners.excluded, &target->addr)
                            : NULL;
    if (excluded)
        document_fault(&reading->document, node,
                       "%s is excluded, as part of %s; expected a target that may be asked",
                       addr_format(&target->addr, address), prefix_format(excluded, prefix));
    return !excluded;
}

/* What the plan asks of one neighbourhood. */
struct load {
    uint64_t neighbourhood;
    double rate;
    const char *target;
};

static int compare_loads(const void *a, const void *b)
{
    const struct load *x = a, *y = b;
    return (x->neighbourhood > y->neighbourhood) - (x->neighbourhood < y->neighbourhood);
}

static struct load load_of(const struct probe_plan *plan)
{
    struct target target;
    struct load load = {.rate = plan->count * (double)NS_PER_S / (double)plan->interval_ns,
                        .target = plan->target};
    target_parse(plan->target, strlen(plan->target), &target, NULL);
    load.neighbourhood =
        target.addr.family
            ? manners_neighbourhood(&target.addr)
            : manners_neighbourhood_of_name(plan->target + target.host.at, target.host.n);
    return load;
}

/* The neighbourhood of which most is asked. */
static struct load heaviest(const struct config *config)
{
    struct load *loads = mem_new(config->plan_count + 1, sizeof *loads), sum = {0}, most = {0};
    for (size_t i = 0; i < config->plan_count; i++)
        loads[i] = load_of(&config->plan[i]);
    qsort(loads, config->plan_count, sizeof *loads, compare_loads);
    for (size_t i = 0; i < config->plan_count; i++) {
        bool is_same = i && loads[i].neighbourhood == sum.neighbourhood;
        loads[i].rate += is_same ? sum.rate : 0;
        sum = loads[i];
        most = sum.rate > most.rate ? sum : most;
    }
    free(loads);
    return most;
}

void config_check_manners(struct reading *reading, const yaml_node_t *node)
{
    const struct config *config = &reading->config;
    double all = config_rate(config), with_blocks = all + config_block_rate(config);
    struct load most = heaviest(config);
    if (all > config->manners.rate)
        config_warn(reading, node,
                    "the targets need %.0f probes a second and are held back to %.0f: ask more "
                    "rarely, or raise 'limits: {rate: ...}'",
                    all, config->manners.rate);
    else if (with_blocks > config->manners.rate)
        config_warn(reading, node,
                    "targets and networks need up to %.0f probes a second, while it is learned who "
                    "answers in these, and are held back to %.0f: raise 'limits: {rate: ...}', or "
                    "make 'blocks: {round: ...}' longer",
                    with_blocks, config->manners.rate);
    if (most.rate > config->manners.neighbour_rate)
        config_warn(reading, node,
                    "the targets around %.80s need %.0f probes a second and are held back to %.0f: "
                    "ask more rarely, or raise 'limits: {neighbourhood: ...}'",
                    most.target, most.rate, config->manners.neighbour_rate);
}
