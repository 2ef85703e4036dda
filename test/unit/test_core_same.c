/* The same observations give the same conclusions: shuffled within the lateness bound, and saved
 * and loaded at any point. Also what the core says of input that is too late, and of a bad
 * checkpoint. */
#include "core_world.h"

static const struct answer GOOD = {OUTCOME_OK, STAGE_DONE, 180};
static const struct answer LOST = {OUTCOME_TIMEOUT, STAGE_CONNECT, 0};

/* Everything that can happen, in one hour and a half. */
static struct answer eventful(struct world *w, int ask, double t)
{
    bool is_control = w->asks[ask].is_control;
    if (t >= 600 && t < 900)
        return LOST; /* our own line */
    if (is_control)
        return GOOD;
    if (t >= 1500 && t < 2100 && world_random(w) < 0.4)
        return LOST;
    if (t >= 2100 && t < 3000 + 30 * ask)
        return LOST;
    if (t >= 3900 && t < 4200 && ask == 3)
        return (struct answer){OUTCOME_REFUSED, STAGE_CONNECT, 180};
    return world_random(w) < 0.01 ? LOST : GOOD;
}

static void make_world(struct world *w)
{
    static const char *const targets[] = {"icmp:175.45.176.10", "icmp:175.45.176.11",
                                          "icmp:175.45.177.20", "tcp:175.45.177.20:80",
                                          "dns:175.45.176.10/kp./SOA"};
    world_init(w);
    world_subject(w, 9 * 3600);
    world_ask(w, "lon", "icmp:203.0.113.1", true, 20);
    world_ask(w, "lon", "icmp:203.0.113.2", true, 20);
    world_ask(w, "ams", "icmp:203.0.113.1", true, 20);
    for (int i = 0; i < 5; i++) {
        world_ask(w, i % 2 ? "lon" : "ams", targets[i], false, 15);
        world_member(w, NAME_TARGET, targets[i]);
    }
    world_member(w, NAME_PREFIX, "175.45.176.0/24");
    world_member(w, NAME_PREFIX, "175.45.177.0/24");
    world_member(w, NAME_ASN, "131279");
    world_route_all(w, 1, 3, "175.45.176.0/24", "4837 131279");
    world_route_all(w, 1, 3, "175.45.177.0/24", "4837 131279");
    world_peer(w, 1200, 3, PEER_DOWN);
    world_peer(w, 1800, 3, PEER_UP);
    world_route(w, 1801, 3, "175.45.176.0/24", "64503 4837 131279");
    world_route_all(w, 2400, 30, "175.45.176.0/24", NULL);
    world_route_all(w, 2700, 30, "175.45.176.0/24", "20485 131279");
    world_route_all(w, 4500, 10, "175.45.177.128/25", "3491 17557");
    world_route_all(w, 4900, 10, "175.45.177.128/25", NULL);
    struct observation *gap = world_add(w, 5100, OBSERVATION_GAP);
    gap->source = world_name(w, NAME_VANTAGE, "ams");
    gap->value = world_time(5130).ns;
    world_run(w, 0, 5400, eventful);
    world_end(w, 5400);
}

static void put_text(const struct world *w, uint32_t name, struct buffer *out)
{
    buffer_printf(out, " %s", registry_text(w->registry, name));
}

static void put_interval(const struct interval *at, struct buffer *out)
{
    buffer_printf(out, " [%lld %lld]", (long long)at->last_before.ns,
                  (long long)at->first_after.ns);
}

static void put_incident(const struct world *w, const struct incident *i, struct buffer *out)
{
    buffer_printf(out, " %u.%u %u %u %u", i->id, i->revision, i->episodes, i->is_open,
                  i->first_layer);
    put_text(w, i->subject, out);
    put_text(w, i->first_target, out);
    put_interval(&i->began, out);
    put_interval(&i->ended, out);
    for (int layer = 0; layer < LAYER_COUNT; layer++) {
        buffer_printf(out, " %u/%u/%u", i->layers[layer].extent.down,
                      i->layers[layer].extent.degraded, i->layers[layer].extent.watched);
        put_interval(&i->layers[layer].down, out);
        put_interval(&i->layers[layer].degraded, out);
        put_interval(&i->layers[layer].all_up, out);
    }
}

static void put_verdict(const struct world *w, const struct verdict *v, struct buffer *out)
{
    buffer_printf(out, " %u.%u call %u", v->incident, v->revision, v->call);
    for (int cause = 0; cause < CAUSE_COUNT; cause++)
        buffer_printf(out, " %.17g", v->posterior[cause]);
    for (int kind = 0; kind < EVIDENCE_COUNT; kind++) {
        const struct finding *f = &v->evidence[kind].finding;
        buffer_printf(out, " %u %u/%u %.17g %.17g", f->truth, f->n, f->m, f->a, f->b);
        put_text(w, f->name, out);
        put_interval(&f->first, out);
        put_interval(&f->second, out);
    }
}

/* All that a conclusion says, as text: numbers of the registry as names. */
static void put(const struct world *w, const struct conclusion *c, struct buffer *out)
{
    buffer_printf(out, "%d %lld", (int)c->kind, (long long)c->time.ns);
    switch (c->kind) {
    case CONCLUSION_EVENT:
        buffer_printf(out, " %u %u %u %u %u %.17g %.17g", c->event.id, c->event.incident,
                      c->event.layer, c->event.from, c->event.to, c->event.size,
                      c->event.certainty);
        put_text(w, c->event.target, out);
        put_text(w, c->event.source, out);
        put_interval(&c->event.at, out);
        break;
    case CONCLUSION_INCIDENT:
        put_incident(w, &c->incident, out);
        break;
    case CONCLUSION_EPISODE:
        buffer_printf(out, " %u %u %u %.17g", c->episode.incident, c->episode.number,
                      c->episode.is_open, c->episode.depth);
        put_interval(&c->episode.began, out);
        put_interval(&c->episode.ended, out);
        break;
    case CONCLUSION_VERDICT:
        put_verdict(w, c->verdict, out);
        break;
    case CONCLUSION_NOTICE:
        buffer_printf(out, " %u %u %u %u/%u", c->notice.id, c->notice.kind, c->notice.is_open,
                      c->notice.n, c->notice.m);
        put_text(w, c->notice.source, out);
        put_text(w, c->notice.target, out);
        put_interval(&c->notice.began, out);
        put_interval(&c->notice.ended, out);
        break;
    case CONCLUSION_SERIES:
        buffer_printf(out, " %u %u %.17g %.17g %.17g", c->series.condition, c->series.is_counted,
                      c->series.belief, c->series.loss, c->series.rtt_base_ns);
        put_text(w, c->series.source, out);
        put_text(w, c->series.target, out);
        put_interval(&c->series.since, out);
        break;
    }
    buffer_puts(out, "\n");
}

static struct buffer told(const struct world *w)
{
    struct buffer text = {0};
    for (size_t i = 0; i < w->out.count; i++)
        put(w, &w->out.list[i], &text);
    return text;
}

/* Changes the numbers that names have, as another order of arrival would. */
static uint32_t renamed(const struct world *from, struct world *to, uint32_t id)
{
    return id ? world_name(to, registry_kind(from->registry, id), registry_text(from->registry, id))
              : 0;
}

static void shuffled(void **state)
{
    (void)state;
    struct world w, other;
    make_world(&w);
    world_feed(&w);
    struct buffer expected = told(&w);
    assert_true(world_incidents(&w) >= 2);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        world_init(&other);
        other.random = seed * 77;
        other.list = mem_new(w.count, sizeof *other.list);
        other.count = w.count;
        memcpy(other.list, w.list, w.count * sizeof *w.list);
        /* Each arrives up to 14.9 s late: sort by time of arrival, kept in seq. A subject and its
         * members stay together: they are one thing said in several observations. */
        for (size_t i = 0; i < w.count; i++) {
            bool is_end = i + 1 >= w.count;
            bool is_said = w.list[i].time.ns < world_time(0).ns;
            int64_t late = is_said  ? 0
                           : is_end ? 15 * NS_PER_S
                                    : (int64_t)(world_random(&other) * 14.9e9);
            other.list[i].seq = (uint64_t)(w.list[i].time.ns + late);
        }
        for (size_t i = 1; i < w.count; i++)
            for (size_t k = i; k > 0 && other.list[k].seq < other.list[k - 1].seq; k--) {
                struct observation o = other.list[k];
                other.list[k] = other.list[k - 1];
                other.list[k - 1] = o;
            }
        for (size_t i = 0; i < w.count; i++) {
            struct observation *o = &other.list[i];
            o->source = renamed(&w, &other, o->source);
            o->target = renamed(&w, &other, o->target);
            o->peer = renamed(&w, &other, o->peer);
            o->path = renamed(&w, &other, o->path);
        }
        world_feed(&other);
        struct buffer got = told(&other);
        assert_string_equal(got.bytes, expected.bytes);
        buffer_done(&got);
        world_done(&other);
    }
    buffer_done(&expected);
    world_done(&w);
}

static void saved_and_loaded(void **state)
{
    (void)state;
    struct world w;
    make_world(&w);
    world_feed(&w);
    struct buffer expected = told(&w);
    for (size_t every = 97; every <= 997; every += 450) {
        struct core *core = core_new(w.registry);
        conclusions_clear(&w.out);
        for (size_t i = 0; i < w.count; i++) {
            core_feed(core, &w.list[i], &w.out);
            if (i % every != every - 1)
                continue;
            struct buffer bytes = {0};
            core_save(core, &bytes);
            core_free(core);
            core = core_load(w.registry, bytes.bytes, bytes.size);
            assert_non_null(core);
            buffer_done(&bytes);
        }
        assert_int_equal(core_counters(core).observations, w.count);
        core_free(core);
        struct buffer got = told(&w);
        assert_string_equal(got.bytes, expected.bytes);
        buffer_done(&got);
    }
    buffer_done(&expected);
    world_done(&w);
}

static void feed_some(struct world *w, struct core *core, bool with_bins, struct buffer *out)
{
    struct observation bin = {.kind = OBSERVATION_BIN,
                              .target = world_name(w, NAME_ASN, "131279"),
                              .peer = world_name(w, NAME_SUBJECT, "kp"),
                              .known = 4,
                              .family = 4,
                              .peers_total = 9};
    for (size_t i = 0; i < w->count; i++) {
        bin.time = utc_add(w->list[i].time, (int64_t)(i % 3) * NS_PER_HOUR - NS_PER_HOUR);
        if (with_bins)
            core_feed(core, &bin, &w->out);
        core_feed(core, &w->list[i], &w->out);
    }
    core_save(core, out);
}

/* Whenever they come and whatever they say, the core is what it would be without them. */
static void bins_change_nothing(void **state)
{
    (void)state;
    struct world w;
    struct buffer with = {0}, without = {0};
    make_world(&w);
    struct core *one = core_new(w.registry), *other = core_new(w.registry);
    feed_some(&w, one, false, &without);
    struct buffer expected = told(&w);
    conclusions_clear(&w.out);
    feed_some(&w, other, true, &with);
    struct buffer got = told(&w);
    assert_string_equal(got.bytes, expected.bytes);
    assert_int_equal(with.size, without.size);
    assert_memory_equal(with.bytes, without.bytes, with.size);
    core_free(one);
    core_free(other);
    buffer_done(&with);
    buffer_done(&without);
    buffer_done(&got);
    buffer_done(&expected);
    world_done(&w);
}

static void bad_checkpoints(void **state)
{
    (void)state;
    struct world w;
    make_world(&w);
    struct core *core = core_new(w.registry);
    for (size_t i = 0; i < 400; i++)
        core_feed(core, &w.list[i], &w.out);
    struct buffer bytes = {0};
    core_save(core, &bytes);
    core_free(core);
    for (size_t n = 0; n < bytes.size; n += n < 300 ? 1 : 101)
        assert_null(core_load(w.registry, bytes.bytes, n));
    bytes.bytes[20]++; /* the version of the rules */
    assert_null(core_load(w.registry, bytes.bytes, bytes.size));
    buffer_done(&bytes);
    world_done(&w);
}

static void too_late(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    int ask = world_ask(&w, "lon", "icmp:175.45.176.10", false, 1);
    world_probe(&w, ask, 100, GOOD);
    world_probe(&w, ask, 86, GOOD);
    world_probe(&w, ask, 84, GOOD);
    struct core *core = core_new(w.registry);
    for (size_t i = 0; i < w.count; i++)
        core_feed(core, &w.list[i], &w.out);
    assert_int_equal(core_counters(core).late, 1);
    core_free(core);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shuffled),
        cmocka_unit_test(saved_and_loaded),
        cmocka_unit_test(bins_change_nothing),
        cmocka_unit_test(bad_checkpoints),
        cmocka_unit_test(too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
