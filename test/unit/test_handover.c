/* app/handover: everything arrives once and in order, names keep their numbers, and what has no
 * room becomes a gap. */
#include "app/handover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the writer took out. */
struct taken {
    struct observation *list;
    size_t count, capacity;
};

static void take_one(void *context, const struct observation *observation)
{
    struct taken *taken = context;
    if (taken->count == taken->capacity) {
        taken->capacity = taken->capacity ? 2 * taken->capacity : 1024;
        taken->list = realloc(taken->list, taken->capacity * sizeof *taken->list);
        assert_non_null(taken->list);
    }
    taken->list[taken->count++] = *observation;
}

static struct observation seen_at(int64_t ns)
{
    return (struct observation){.kind = OBSERVATION_TICK, .time = {ns}};
}

static void put_many(const struct sink *sink, int64_t first, int64_t count)
{
    for (int64_t i = first; i < first + count; i++)
        sink_emit(sink, &(struct observation){.kind = OBSERVATION_TICK, .time = {i}});
}

static uint32_t intern(struct registry *registry, enum name_kind kind, const char *text)
{
    return registry_intern(registry, kind, text, strlen(text));
}

static void test_names(void **state)
{
    (void)state;
    struct registry *loop = registry_new(), *writer = registry_new();
    intern(loop, NAME_TARGET, "icmp:192.0.2.1");
    intern(writer, NAME_TARGET, "icmp:192.0.2.1");
    struct handover *handover = handover_new(loop, "lon");
    struct sink in = handover_sink(handover);
    struct taken taken = {0};
    struct sink out = {writer, take_one, &taken};
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 300; i++) {
            char text[64];
            struct observation observation = seen_at(1 + i);
            snprintf(text, sizeof text, "10.%d.%d.0/24", round, i % 256);
            observation.target = intern(in.registry, NAME_PREFIX, text);
            sink_emit(&in, &observation);
        }
        handover_send(handover);
        if (round % 2) /* sends may be merged into one take */
            handover_take(handover, &out);
    }
    handover_take(handover, &out);
    assert_int_equal(taken.count, 1500);
    assert_int_equal(registry_count(writer), registry_count(loop));
    for (uint32_t id = 1; id <= registry_count(loop); id++) {
        assert_string_equal(registry_text(writer, id), registry_text(loop, id));
        assert_int_equal(registry_kind(writer, id), registry_kind(loop, id));
    }
    assert_string_equal(registry_text(writer, 2), "lon");
    free(taken.list);
    handover_free(handover);
    registry_free(loop);
    registry_free(writer);
}

static void test_full(void **state)
{
    (void)state;
    struct registry *loop = registry_new(), *writer = registry_new();
    struct handover *handover = handover_new(loop, "lon");
    struct sink in = handover_sink(handover);
    struct taken taken = {0};
    struct sink out = {writer, take_one, &taken};
    put_many(&in, 1, HANDOVER_CAP - 10);
    handover_send(handover);
    assert_int_equal(handover_dropped(handover), 0);
    put_many(&in, HANDOVER_CAP - 9, 30); /* room for ten of them */
    handover_send(handover);
    assert_int_equal(handover_dropped(handover), 20);
    put_many(&in, HANDOVER_CAP + 21, 5);
    handover_send(handover);
    assert_int_equal(handover_dropped(handover), 25);
    handover_take(handover, &out);
    assert_int_equal(taken.count, HANDOVER_CAP);
    /* Room again: first the gap, over all that was dropped, then what follows. */
    taken.count = 0;
    put_many(&in, HANDOVER_CAP + 26, 2);
    handover_send(handover);
    handover_send(handover);
    handover_take(handover, &out);
    assert_int_equal(taken.count, 3);
    assert_int_equal(taken.list[0].kind, OBSERVATION_GAP);
    assert_int_equal(taken.list[0].time.ns, HANDOVER_CAP + 1);
    assert_int_equal(taken.list[0].value, HANDOVER_CAP + 25);
    assert_string_equal(registry_text(writer, taken.list[0].source), "lon");
    assert_int_equal(taken.list[1].time.ns, HANDOVER_CAP + 26);
    assert_int_equal(handover_dropped(handover), 25);
    free(taken.list);
    handover_free(handover);
    registry_free(loop);
    registry_free(writer);
}

struct consumer {
    struct handover *handover;
    struct registry *registry;
    struct taken taken;
};

static void *consume(void *context)
{
    struct consumer *consumer = context;
    struct sink out = {consumer->registry, take_one, &consumer->taken};
    bool goes_on;
    do {
        goes_on = handover_wait(consumer->handover);
        handover_take(consumer->handover, &out);
    } while (goes_on);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    enum { ROUNDS = 2000, EACH = 50 };
    struct registry *loop = registry_new();
    struct consumer consumer = {.handover = handover_new(loop, "lon"), .registry = registry_new()};
    struct sink in = handover_sink(consumer.handover);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, consume, &consumer), 0);
    for (int round = 0; round < ROUNDS; round++) {
        char text[32];
        snprintf(text, sizeof text, "%d", round);
        intern(in.registry, NAME_TEXT, text);
        put_many(&in, 1 + round * EACH, EACH);
        handover_send(consumer.handover);
    }
    handover_end(consumer.handover);
    pthread_join(thread, NULL);
    assert_int_equal(handover_dropped(consumer.handover), 0);
    assert_int_equal(consumer.taken.count, ROUNDS * EACH);
    for (int64_t i = 0; i < ROUNDS * EACH; i++)
        assert_int_equal(consumer.taken.list[i].time.ns, i + 1);
    assert_int_equal(registry_count(consumer.registry), ROUNDS + 1);
    free(consumer.taken.list);
    handover_free(consumer.handover);
    registry_free(consumer.registry);
    registry_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
