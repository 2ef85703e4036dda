/* Any bytes as an index page: names that are names, in their order, and a choice of them that covers what
 * it says. The first byte moves the span that is asked for. */
#include "source/web/index_page.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void check_names(const struct site_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct site_name *name = &names->list[i];
        struct site_name again;
        assert(site_name_parse(name->text, strlen(name->text), &again));
        assert(again.time.ns == name->time.ns && again.kind == name->kind);
        assert(i == 0 || name[-1].time.ns <= name->time.ns);
    }
}

static void check_choice(const struct site_names *names, struct utc from, struct utc until)
{
    struct collector_site site;
    struct site_choice choice;
    struct arena arena = {0};
    assert(!collector_site_init(&site, "rrc00", NULL, NULL));
    collector_site_choose(&site, names, from, until, &arena, &choice);
    assert(choice.count <= names->count && choice.hole_count <= names->count + 1);
    for (size_t i = 0; i < choice.count; i++)
        assert(choice.files[i].time.ns < until.ns && choice.files[i].kind == SITE_UPDATES);
    for (size_t i = 0; i < choice.hole_count; i++) {
        assert(choice.holes[i].from.ns >= from.ns && choice.holes[i].until.ns <= until.ns);
        assert(choice.holes[i].from.ns < choice.holes[i].until.ns);
    }
    assert(choice.count || choice.hole_count);
    const struct site_name *table = collector_site_table(names, from);
    assert(!table || (table->kind == SITE_TABLES && table->time.ns <= from.ns));
    arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct site_names names = {0};
    struct utc from = {INT64_C(1644192000) * NS_PER_S}; /* 2022-02-07 */
    if (n)
        from = utc_add(from, bytes[0] * 10 * NS_PER_MINUTE);
    size_t found = index_page_read((const char *)bytes, n, &names);
    assert(found == names.count);
    site_names_sort(&names);
    check_names(&names);
    check_choice(&names, from, utc_add(from, NS_PER_HOUR));
    free(names.list);
    return 0;
}
