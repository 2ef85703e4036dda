/* source/mrt/route_reader, app/route_dump and app/route_json: whatever is read, an archive, BMP or RIS Live,
 * its faults are counted as they are told, its lines fit into the room that is theirs and are one line
 * each, and those of JSON are JSON. The first byte chooses the form of the lines, and whether those of
 * one table of BMP alone are wanted. */
#include "app/route_dump.h"
#include "app/route_json.h"
#include "source/mrt/route_reader.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

struct printing {
    struct route_file file;
    struct route_reader *reader;
    struct route_dump *dump;
    struct route_json *json;
    const struct element_filter *filter;
    char *room; /* exactly ROUTE_LINE_MAX, so that a sanitizer sees what is beyond */
    uint64_t faults;
};

static void check_line(const char *start, const char *end)
{
    assert(end - start <= ROUTE_LINE_MAX - DIGITS_SLACK);
    if (end > start)
        assert(memchr(start, '\n', (size_t)(end - start)) == end - 1);
}

static void take(void *context, const struct element *element)
{
    struct printing *printing = context;
    assert(!printing->filter->tables || printing->filter->tables >> element->table & 1);
    char *end = route_dump_line(printing->dump, &printing->file, element, printing->room);
    check_line(printing->room, end);
    end = route_json_line(printing->json, &printing->file, element, printing->room);
    assert(end > printing->room);
    check_line(printing->room, end);
    json_t *parsed =
        json_loadb(printing->room, (size_t)(end - printing->room), JSON_REJECT_DUPLICATES, NULL);
    assert(json_is_object(parsed));
    json_decref(parsed);
}

static void report(void *context, const char *fault)
{
    route_reader_report(((struct printing *)context)->reader, fault);
}

static void count_fault(void *context, const char *fault)
{
    assert(*fault);
    ((struct printing *)context)->faults++;
}

/* All bytes are the head that was already read; the input itself has none. */
static void print_all(struct printing *printing, const uint8_t *bytes, size_t n)
{
    struct stream_faults faults = {.report = count_fault, .context = printing};
    enum route_form form = route_form_of(bytes, n < ROUTE_HEAD ? n : ROUTE_HEAD);
    struct input *input;
    struct element_walk walk = {
        .filter = printing->filter, .take = take, .report = report, .context = printing};
    if (form == ROUTE_FORM_LOG || input_open("/dev/null", &input, NULL))
        return;
    printing->reader = route_reader_new(form, input, bytes, n, &faults);
    while (route_reader_next(printing->reader, NULL) > 0) {
        printing->file.record++;
        if (printing->reader->collector)
            printing->file.collector = printing->reader->collector;
        route_reader_walk(printing->reader, &walk);
    }
    assert(printing->faults == faults.bad);
    element_walk_done(&walk);
    route_reader_free(printing->reader);
    input_close(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0)
        return 0;
    struct route_dump_options options = {.is_short = bytes[0] & 2,
                                         .has_large_communities = bytes[0] & 4,
                                         .is_time_of_change = bytes[0] & 8};
    struct element_filter filter = {.tables =
                                        bytes[0] & 16 ? 1U << (bytes[0] >> 5) % BMP_TABLES : 0};
    struct printing printing = {.file = {.path = "archive", .collector = "a \"collector\""},
                                .dump = route_dump_new(&options),
                                .json = route_json_new(),
                                .filter = &filter,
                                .room = malloc(ROUTE_LINE_MAX)};
    assert(printing.room);
    print_all(&printing, bytes + 1, n - 1);
    route_dump_free(printing.dump);
    route_json_free(printing.json);
    free(printing.room);
    return 0;
}
