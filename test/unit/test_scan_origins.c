/* source/table/scan with what routes are held against: outages of countries, and what the RPKI says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scan_play.h"
#include "text_maker.h"

/* AS 100 and AS 200 are of KP, AS 300 is of SE. */
static struct countries *load_countries(void)
{
    static const char text[] = "2|test|20080224|6|19830101|20080224|+0000\n"
                               "test|*|asn|*|3|summary\n"
                               "test|*|ipv4|*|0|summary\n"
                               "test|*|ipv6|*|0|summary\n"
                               "test|KP|asn|100|1|20080101|allocated\n"
                               "test|KP|asn|200|1|20080101|allocated\n"
                               "test|SE|asn|300|1|20080101|allocated\n";
    char path[] = "/tmp/lastlight-delegated-XXXXXX";
    const char *paths[] = {path};
    struct stream_faults faults = {0};
    struct why why;
    text_write(path, text, sizeof text - 1);
    struct countries *countries = countries_load(paths, 1, &faults, &why);
    remove(path);
    assert_non_null(countries);
    return countries;
}

/* AS 100 has 513 blocks of the 769 of KP, AS 200 the others. */
static struct play begin_countries(void)
{
    struct play play = begin(0);
    play.wish.countries = load_countries();
    set_up(&play);
    return play;
}

static void done_countries(struct play *play)
{
    countries_free((struct countries *)(uintptr_t)play->wish.countries);
    done(play);
}

/* The event of a country, which is the only one; NULL if there is none. */
static const struct scan_event *find_country(const struct play *play, const char *code)
{
    const struct scan_event *found = NULL;
    for (size_t i = 0; i < play->events->count; i++) {
        const struct scan_event *at = event(play, i);
        if (!at->is_country || strcmp(at->country.code, code) != 0)
            continue;
        assert_null(found);
        found = at;
    }
    return found;
}

/* A word of another country, so that what follows has a time right before it. */
static void tick(struct play *play, int64_t at)
{
    say(play, at, 9, "30.0.0.0/16", at % 2 ? "5 8 300" : "5 8 8 300");
}

/* Two ASes of a country at once are an event of the country, too: as large as theirs together. */
static void test_country(void **state)
{
    (void)state;
    struct play play = begin_countries();
    say_all(&play, HOUR, 0, PEERS, "10.0.0.0/16", NULL);
    say_all(&play, HOUR + 60, 0, PEERS, "20.0.0.0/16", NULL);
    say_all(&play, HOUR + 60, 0, PEERS, "30.0.0.0/16", NULL);
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 5); /* SE has no other AS: all of it was gone */
    const struct scan_event *country = find_country(&play, "KP");
    assert_ptr_equal(country, event(&play, 0));
    assert_int_equal(country->kind, SCAN_OUTAGE);
    assert_int_equal(country->ases, 2);
    assert_int_equal(country->known_ases, 2);
    assert_int_equal(country->blocks, 512);
    assert_int_equal(country->known_blocks, 769);
    assert_int_equal(country->known_prefixes, 4);
    assert_interval(&country->began, 49, HOUR + 8);
    assert_int_equal(find_country(&play, "SE")->known_ases, 1);
    double sum = 0;
    for (size_t i = 0; i < 5; i++) {
        const struct scan_event *at = event(&play, i);
        assert_string_equal(at->country.code,
                            at == country || (at->asn && at->asn != 300) ? "KP" : "SE");
        sum += at->asn == 100 || at->asn == 200 ? at->score : 0;
    }
    assert_true(sum > 0 && country->score > 0.999 * sum && country->score < 1.001 * sum);
    done_countries(&play);
}

/* One network after the other, further apart than what is one event of an AS: it began with the first
 * that was a tenth, and was over when less than that was left. */
static void test_roll(void **state)
{
    (void)state;
    struct play play = begin_countries();
    tick(&play, HOUR - 1);
    say_all(&play, HOUR, 0, PEERS, "10.0.0.0/16", NULL);
    say_all(&play, HOUR + 1200, 0, PEERS, "20.0.0.0/16", NULL);
    say_all(&play, HOUR + 2400, 0, PEERS, "10.2.0.0/24", NULL);
    tick(&play, 2 * HOUR - 2);
    say_all(&play, 2 * HOUR, 0, PEERS, "10.0.0.0/16", "5 7 100");
    tick(&play, 2 * HOUR + 1199);
    say_all(&play, 2 * HOUR + 1200, 0, PEERS, "20.0.0.0/16", "5 7 200");
    tick(&play, 4 * HOUR); /* and 10.2.0.0/24 stays away: it is no tenth */
    end(&play, 5 * HOUR);
    const struct scan_event *country = find_country(&play, "KP");
    assert_non_null(country);
    assert_int_equal(country->blocks, 513);
    assert_int_equal(country->ases, 2);
    assert_int_equal(country->open, 1);
    assert_interval(&country->began, HOUR - 1, HOUR + 8);
    assert_interval(&country->ended, 2 * HOUR + 1199, 2 * HOUR + 1207);
    assert_int_equal(country->longest_ns / NS_PER_S, HOUR + 1199 - 8);
    done_countries(&play);
}

/* What was away for long before and after counts for the time of the country's outage alone. */
static void test_part_of_a_loss(void **state)
{
    (void)state;
    struct play play = begin_countries();
    say_all(&play, HOUR, 0, PEERS, "10.2.0.0/24", NULL);
    tick(&play, 3 * HOUR - 1);
    say_all(&play, 3 * HOUR, 0, PEERS, "10.0.0.0/16", NULL);
    say_all(&play, 3 * HOUR + 5, 0, PEERS, "20.0.0.0/16", NULL);
    tick(&play, 3 * HOUR + 599);
    say_all(&play, 3 * HOUR + 600, 0, PEERS, "10.0.0.0/16", "5 7 100");
    say_all(&play, 3 * HOUR + 605, 0, PEERS, "20.0.0.0/16", "5 7 200");
    end(&play, 20 * HOUR);
    const struct scan_event *country = find_country(&play, "KP");
    assert_non_null(country);
    assert_int_equal(country->blocks, 513);
    double seconds_of_all = country->score * 1025;
    assert_true(seconds_of_all > 512 * 595 && seconds_of_all < 513 * 610);
    done_countries(&play);
}

/* Less than a tenth; one network of several, with a third; and with two thirds. */
static void test_least(void **state)
{
    (void)state;
    static const struct {
        const char *prefixes[2];
        bool is_country;
    } cases[] = {{{"10.2.0.0/24"}, false},
                 {{"10.0.0.0/16"}, false},
                 {{"10.0.0.0/16", "10.1.0.0/16"}, true},
                 {{"20.0.0.0/16", "10.2.0.0/24"}, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play = begin_countries();
        for (int64_t k = 0; k < 2 && cases[i].prefixes[k]; k++)
            say_all(&play, HOUR + 20 * k, 0, PEERS, cases[i].prefixes[k], NULL);
        end(&play, 2 * HOUR);
        assert_int_equal(find_country(&play, "KP") != NULL, cases[i].is_country);
        done_countries(&play);
    }
}

/* At half of the peers. */
static void test_partial_country(void **state)
{
    (void)state;
    struct play play = begin_countries();
    say_all(&play, HOUR, 0, 5, "10.0.0.0/16", NULL);
    say_all(&play, HOUR + 10, 0, 5, "20.0.0.0/16", NULL);
    say_all(&play, 2 * HOUR, 0, 5, "10.0.0.0/16", "5 7 100");
    say_all(&play, 2 * HOUR + 10, 0, 5, "20.0.0.0/16", "5 7 200");
    end(&play, 3 * HOUR);
    const struct scan_event *country = find_country(&play, "KP");
    assert_non_null(country);
    assert_int_equal(country->kind, SCAN_PARTIAL);
    assert_int_equal(country->peers, 5);
    assert_int_equal(country->of, 10);
    assert_int_equal(seconds(country->began.first_after), HOUR + 2);
    assert_int_equal(seconds(country->ended.first_after), 2 * HOUR + 13);
    done_countries(&play);
}

/* Twice in a day is two events; still away when a gap comes is not over. */
static void test_end(void **state)
{
    (void)state;
    struct play play = begin_countries();
    struct interval hole = {{(START + 5 * (int64_t)HOUR) * NS_PER_S},
                            {(START + 6 * (int64_t)HOUR) * NS_PER_S}};
    scan_hole(play.scan, hole);
    for (int64_t hour = 1; hour < 4; hour += 2) {
        tick(&play, hour * HOUR - 1);
        say_all(&play, hour * HOUR, 0, PEERS, "10.0.0.0/16", NULL);
        say_all(&play, hour * HOUR, 0, PEERS, "20.0.0.0/16", NULL);
        if (hour == 3)
            break;
        tick(&play, hour * HOUR + 1799);
        say_all(&play, hour * HOUR + 1800, 0, PEERS, "10.0.0.0/16", "5 7 100");
        say_all(&play, hour * HOUR + 1800, 0, PEERS, "20.0.0.0/16", "5 7 200");
    }
    tick(&play, 7 * HOUR);
    end(&play, 8 * HOUR);
    size_t over = 0, unseen = 0;
    for (size_t i = 0; i < play.events->count; i++) {
        const struct scan_event *at = event(&play, i);
        if (!at->is_country)
            continue;
        over += at->ended.first_after.ns != 0;
        unseen += at->is_unseen;
        assert_int_equal(at->is_unseen, at->ended.first_after.ns == 0);
    }
    assert_int_equal(over, 1);
    assert_int_equal(unseen, 1);
    done_countries(&play);
}

/* A part of a country is not the country. */
static void test_wish(void **state)
{
    (void)state;
    struct play play = begin_countries();
    play.wish.asn = 100;
    say_all(&play, HOUR, 0, PEERS, "10.0.0.0/16", NULL);
    say_all(&play, HOUR, 0, PEERS, "10.1.0.0/16", NULL);
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 1);
    assert_false(event(&play, 0)->is_country);
    done_countries(&play);
}

/* What the RPKI says of the prefixes that went; nothing, where nobody told whose they are. */
static void test_rpki(void **state)
{
    (void)state;
    static const char text[] = "ASN,IP Prefix,Max Length\nAS200,20.0.0.0/16,16\n"
                               "AS400,40.0.0.0/16,16\n";
    char path[] = "/tmp/lastlight-rpki-XXXXXX";
    struct stream_faults faults = {0};
    struct why why;
    struct play play = begin(0);
    text_write(path, text, sizeof text - 1);
    struct rpki *rpki = rpki_load(path, &faults, &why);
    remove(path);
    assert_non_null(rpki);
    play.wish.rpki = rpki;
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", NULL);
    say_all(&play, 2 * HOUR, 0, PEERS, "40.0.0.0/16", NULL); /* and nobody ever told more of it */
    end(&play, 3 * HOUR);
    assert_int_equal(play.events->count, 2);
    assert_int_equal(event(&play, 0)->asn, 200);
    assert_int_equal(event(&play, 0)->rpki[RPKI_VALID], 1);
    assert_int_equal(event(&play, 1)->asn, 0);
    assert_int_equal(event(&play, 1)->rpki[RPKI_UNKNOWN], 1);
    done(&play);
    rpki_free(rpki);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_country),
        cmocka_unit_test(test_roll),
        cmocka_unit_test(test_part_of_a_loss),
        cmocka_unit_test(test_least),
        cmocka_unit_test(test_partial_country),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_wish),
        cmocka_unit_test(test_rpki),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
