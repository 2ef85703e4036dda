/* source/table/scan: archives made by hand, and what a scan must and must not find in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scan_play.h"

/* Two of three prefixes of an AS go for half an hour. */
static void test_outage(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say(&play, HOUR - 10, 9, "30.0.0.0/16", "5 8 8 300"); /* the last word before */
    say_all(&play, HOUR, 0, PEERS, "10.0.0.0/16", NULL);
    say_all(&play, HOUR + 10, 0, PEERS, "10.1.0.0/16", NULL);
    say(&play, HOUR + 1790, 9, "30.0.0.0/16", "5 8 300");
    say_all(&play, HOUR + 1800, 0, PEERS, "10.0.0.0/16", "5 7 100");
    say_all(&play, HOUR + 1810, 0, PEERS, "10.1.0.0/16", "5 7 100");
    end(&play, 3 * HOUR);
    assert_int_equal(play.events->count, 1);
    const struct scan_event *outage = event(&play, 0);
    assert_int_equal(outage->kind, SCAN_OUTAGE);
    assert_int_equal(outage->asn, 100);
    assert_int_equal(outage->prefix_count, 2);
    assert_prefix(&outage->prefixes[0], "10.0.0.0/16");
    assert_prefix(&outage->prefixes[1], "10.1.0.0/16");
    assert_int_equal(outage->known_prefixes, 3);
    assert_int_equal(outage->blocks, 512);
    assert_interval(&outage->began, HOUR - 10, HOUR + 8); /* nine of ten are more than 80 % */
    assert_interval(&outage->ended, HOUR + 1809, HOUR + 1817);
    assert_int_equal(outage->open, 0);
    assert_int_equal(outage->peers, 10);
    assert_int_equal(outage->of, 10);
    assert_int_equal(outage->times, 1);
    assert_int_equal(outage->flaps, 0);
    assert_int_equal(outage->upstream_count, 1);
    assert_int_equal(outage->upstreams[0].asn, 7);
    assert_int_equal(outage->together, 0);
    assert_float_equal(outage->path_length, 4, 0.001);
    assert_true(outage->fall_ns >= 10 * NS_PER_S && outage->fall_ns <= 19 * NS_PER_S);
    /* 512 of 1026 blocks, all peers, a bit less than half an hour. */
    assert_true(outage->score > 512.0 / 1025 * 1750 && outage->score < 512.0 / 1025 * 1810);
    done(&play);
}

/* Never told of before, all withdraw it: it was there. */
static void test_first_word_is_withdrawal(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "40.0.0.0/16", NULL);
    say_all(&play, HOUR + 600, 0, PEERS, "40.0.0.0/16", "5 7 400");
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 1);
    assert_int_equal(event(&play, 0)->asn, 400);
    assert_int_equal(event(&play, 0)->told.ns, 0);
    done(&play);
}

/* It appears, and is gone again in minutes: that is no outage. After an hour it is one, and it is said that
 * nobody had told of it before. */
static void test_appeared(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "40.0.0.0/16", "5 7 400");
    say_all(&play, HOUR + 20, 0, PEERS, "41.0.0.0/16", "5 7 410");
    say_all(&play, HOUR + 300, 0, PEERS, "40.0.0.0/16", NULL);
    say_all(&play, 2 * HOUR, 0, PEERS, "41.0.0.0/16", NULL);
    end(&play, 8 * HOUR);
    assert_int_equal(play.events->count, 1);
    const struct scan_event *outage = event(&play, 0);
    assert_int_equal(outage->asn, 410);
    assert_int_equal(seconds(outage->told), HOUR + 20);
    assert_int_equal(outage->open, 1);
    /* It was away for six hours, and counts for the one that it had been there. */
    assert_true(outage->score * 1281 / 256 < HOUR + 60);
    done(&play);
}

static void test_never_returned(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", NULL);
    end(&play, 5 * HOUR);
    assert_int_equal(play.events->count, 1);
    const struct scan_event *outage = event(&play, 0);
    assert_int_equal(outage->open, 1);
    assert_false(outage->is_unseen);
    assert_int_equal(outage->ended.first_after.ns, 0);
    assert_int_equal(outage->longest_ns / NS_PER_S, 4 * HOUR - 8);
    done(&play);
}

/* Half of the peers lose it: partial, if it lasts. */
static void test_partial(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, 5, "20.0.0.0/16", NULL);
    say_all(&play, HOUR + 10, 0, 5, "30.0.0.0/16", NULL); /* back in four minutes: it settles */
    say_all(&play, HOUR + 240, 0, 5, "30.0.0.0/16", "5 8 300");
    say_all(&play, HOUR + 1200, 0, 5, "20.0.0.0/16", "5 7 200");
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 1);
    const struct scan_event *partial = event(&play, 0);
    assert_int_equal(partial->kind, SCAN_PARTIAL);
    assert_int_equal(partial->asn, 200);
    assert_int_equal(partial->peers, 5);
    assert_int_equal(partial->of, 10);
    assert_int_equal(seconds(partial->began.first_after), HOUR + 2);
    done(&play);
}

/* Six of ten peers have it back, and four do not. */
static void test_partly_back(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", NULL);
    say_all(&play, 2 * HOUR, 0, 6, "20.0.0.0/16", "5 7 200");
    end(&play, 3 * HOUR);
    assert_int_equal(play.events->count, 1);
    const struct scan_event *outage = event(&play, 0);
    assert_interval(&outage->ended, HOUR + 9, 2 * HOUR + 3);
    assert_int_equal(outage->open, 0);
    assert_int_equal(outage->partly, 1);
    assert_int_equal(outage->lacking, 4);
    assert_int_equal(outage->lacking_of, 10);
    done(&play);
}

/* One or two peers that come and go, a peer that is slow to hear, a few that keep a dead route. */
static void test_flapping_peers(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    for (unsigned i = 0; i < 200; i++) {
        say(&play, HOUR + 30 * i, 3, "20.0.0.0/16", i % 2 ? "5 7 200" : NULL);
        say(&play, HOUR + 30 * i, 3, "10.0.0.0/16", i % 2 ? "5 7 100" : NULL);
        say(&play, HOUR + 30 * i + 5, 4, "10.0.0.0/16", i % 3 ? "5 7 100" : NULL);
        say(&play, HOUR + 30 * i + 6, 4, "50.0.0.0/16", i % 3 ? "5 7 500" : NULL);
    }
    end(&play, 4 * HOUR);
    assert_int_equal(play.events->count, 0);
    done(&play);
}

/* Sessions that are lost, one after the other, are nobody's outage; nor is the table that is told again. */
static void test_session_losses(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    for (unsigned peer = 0; peer < PEERS; peer++)
        tell(&play, made_state(START + HOUR + peer, peer, 6, 1));
    for (unsigned peer = 0; peer < PEERS; peer++) {
        tell(&play, made_state(START + HOUR + 600 + peer, peer, 5, 6));
        say(&play, HOUR + 600 + peer, peer, "10.0.0.0/16", "5 7 100");
        say(&play, HOUR + 600 + peer, peer, "20.0.0.0/16", "5 7 200");
    }
    end(&play, 3 * HOUR);
    assert_int_equal(play.events->count, 0);
    assert_int_equal(scan_summary(play.scan).table.sessions_lost, PEERS);
    done(&play);
}

/* Peers that begin anew do not bring back what is gone, and it is back when they say so. */
static void test_loss_of_sessions_in_outage(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", NULL);
    for (unsigned peer = 0; peer < 6; peer++) {
        tell(&play, made_state(START + HOUR + 600 + peer, peer, 6, 1));
        tell(&play, made_state(START + HOUR + 700 + peer, peer, 5, 6));
        say(&play, HOUR + 710 + peer, peer, "10.0.0.0/16", "5 7 100");
    }
    say_all(&play, 2 * HOUR, 0, PEERS, "20.0.0.0/16", "5 7 200");
    end(&play, 3 * HOUR);
    assert_int_equal(play.events->count, 1);
    assert_true(seconds(event(&play, 0)->ended.first_after) >= 2 * HOUR);
    done(&play);
}

/* Something every second, so that silence is a gap. */
static void beat(struct play *play, int64_t from, int64_t until)
{
    for (int64_t at = from; at < until; at++)
        say(play, at, (unsigned)(at % PEERS), "30.0.0.0/16",
            at % 20 < 10 ? "5 8 300" : "5 8 8 300");
}

/* What comes of a gap is not known: nothing went out in it, and what was out may be back. */
static void test_gap(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    beat(&play, 100, 1000);
    say_all(&play, 1000, 0, PEERS, "20.0.0.0/16", NULL);
    beat(&play, 1010, 1100);
    beat(&play, 1500, 2500);
    say_all(&play, 2500, 0, 3, "10.0.0.0/16", NULL); /* the others may have lost it in the gap */
    end(&play, 3000);
    assert_int_equal(scan_summary(play.scan).gaps, 2); /* the end is one, too */
    assert_int_equal(play.events->count, 1);
    const struct scan_event *outage = event(&play, 0);
    assert_int_equal(outage->asn, 200);
    assert_true(outage->is_unseen);
    assert_int_equal(outage->longest_ns / NS_PER_S, 1099 - 1008);
    done(&play);
}

/* Two collectors with the same peers' words: the one stops recording, and the other does not. */
static void set_up_two(struct play *play)
{
    for (play->collector = 0; play->collector < 2; play->collector++)
        set_up(play);
    for (int64_t at = 100; at < 1000; at++)
        for (play->collector = 0; play->collector < 2; play->collector++)
            beat(play, at, at + 1);
    play->collector = 0;
}

/* Whose archive has come to its end is no witness that all is well. */
static void test_end_of_one_collector(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up_two(&play);
    beat(&play, 1000, 3000);
    say_all(&play, 3000, 0, PEERS, "20.0.0.0/16", NULL);
    beat(&play, 3010, 4000);
    end(&play, 4000);
    assert_int_equal(scan_summary(play.scan).gaps, 1);
    assert_int_equal(play.events->count, 1);
    const struct scan_event *outage = event(&play, 0);
    assert_int_equal(outage->kind, SCAN_OUTAGE);
    assert_int_equal(outage->peers, PEERS);
    assert_int_equal(outage->of, PEERS);
    done(&play);
}

/* What the other one goes on to see did not go out of sight. */
static void test_gap_of_one_collector(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up_two(&play);
    for (play.collector = 0; play.collector < 2; play.collector++) {
        say_all(&play, 1000, 0, PEERS, "20.0.0.0/16", NULL);
        say_all(&play, 1000, 0, PEERS, "10.0.0.0/16", "5 6 666");
    }
    play.collector = 0;
    beat(&play, 1010, 4000);
    end(&play, 4000);
    assert_int_equal(play.events->count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_false(event(&play, i)->is_unseen);
        assert_true(event(&play, i)->longest_ns / NS_PER_S >= 4000 - 1020);
    }
    done(&play);
}

/* Nor is it known whether another origin was still there. */
static void test_claim_in_gap(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    beat(&play, 100, 1000);
    say_all(&play, 1000, 0, PEERS, "20.0.0.0/16", "5 6 666");
    say_all(&play, 1020, 0, PEERS, "10.0.0.0/16", "5 6 777");
    beat(&play, 1040, 1100);
    beat(&play, 1500, 1600);
    say_all(&play, 1600, 0, PEERS, "10.0.0.0/16", "5 6 777");
    beat(&play, 1620, 2000);
    end(&play, 2001);
    assert_int_equal(play.events->count, 2);
    for (size_t i = 0; i < 2; i++) {
        bool is_seen = event(&play, i)->other == 777;
        assert_int_equal(event(&play, i)->open, 1);
        assert_int_equal(event(&play, i)->is_unseen, !is_seen);
        assert_int_equal(event(&play, i)->longest_ns / NS_PER_S, is_seen ? 981 : 99);
    }
    done(&play);
}

/* A quiet collector has no gaps. */
static void test_quiet(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, 5 * HOUR, 0, PEERS, "20.0.0.0/16", NULL);
    end(&play, 10 * HOUR);
    assert_int_equal(scan_summary(play.scan).gaps, 0);
    assert_int_equal(play.events->count, 1);
    assert_interval(&event(&play, 0)->began, 49, 5 * HOUR + 8);
    done(&play);
}

/* A hole that was told of beforehand. */
static void test_hole(void **state)
{
    (void)state;
    struct play play = begin(0);
    struct interval hole = {{(START + 2 * (int64_t)HOUR) * NS_PER_S},
                            {(START + 3 * (int64_t)HOUR) * NS_PER_S}};
    scan_hole(play.scan, hole);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", NULL);
    say_all(&play, 4 * HOUR, 0, PEERS, "10.0.0.0/16", "5 7 100");
    end(&play, 5 * HOUR);
    assert_int_equal(scan_summary(play.scan).gaps, 1);
    assert_true(event(&play, 0)->is_unseen);
    done(&play);
}

/* A hole for which there is no room is told: what went unseen in it may look like an outage. */
static void test_too_many_holes(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    for (int64_t i = 0; i < WHOLE_HOLES_MAX + 2; i++)
        scan_hole(play.scan, (struct interval){{(START + 2 * (int64_t)HOUR + i) * NS_PER_S},
                                               {(START + 3 * (int64_t)HOUR + i) * NS_PER_S}});
    end(&play, HOUR);
    assert_int_equal(scan_summary(play.scan).refused, 2);
    done(&play);
}

/* Flaps before an outage are counted; back for less than five minutes is not back. */
static void test_flaps(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    for (int64_t i = 1; i <= 3; i++) {
        say_all(&play, HOUR + 1000 * i, 0, PEERS, "20.0.0.0/16", NULL);
        say_all(&play, HOUR + 1000 * i + 200, 0, PEERS, "20.0.0.0/16", "5 7 200");
    }
    say_all(&play, 3 * HOUR, 0, PEERS, "20.0.0.0/16", NULL);
    say_all(&play, 3 * HOUR + 300, 0, PEERS, "20.0.0.0/16", "5 7 200");
    say_all(&play, 3 * HOUR + 420, 0, PEERS, "20.0.0.0/16", NULL);
    say_all(&play, 4 * HOUR, 0, PEERS, "20.0.0.0/16", "5 7 200");
    end(&play, 5 * HOUR);
    assert_int_equal(play.events->count, 4);
    const struct scan_event *largest = event(&play, 0);
    assert_int_equal(largest->flaps, 3);
    assert_int_equal(largest->times, 2);
    assert_int_equal(seconds(largest->began.first_after), 3 * HOUR + 8);
    assert_int_equal(seconds(largest->ended.first_after), 4 * HOUR + 7);
    done(&play);
}

/* One after the other over two hours: nobody can say when it began. */
static void test_drift(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    for (unsigned peer = 0; peer < 5; peer++)
        say(&play, HOUR * (1 + peer), peer, "20.0.0.0/16", NULL);
    end(&play, 9 * HOUR);
    assert_int_equal(play.events->count, 0);
    done(&play);
}

/* What another prefix of the same AS covers is not lost, nor what more specific ones inside cover. */
static void test_covered(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, 60, 0, PEERS, "10.0.128.0/17", "5 7 100");
    say_all(&play, 70, 0, PEERS, "20.0.0.0/17", "5 7 200");
    say_all(&play, 80, 0, PEERS, "20.0.128.0/18", "5 9 201");
    say_all(&play, 90, 0, PEERS, "30.0.7.0/24", "5 8 301");
    say_all(&play, HOUR, 0, PEERS, "10.0.128.0/17", NULL); /* within 10.0.0.0/16 */
    say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", NULL);   /* three quarters are still there */
    say_all(&play, HOUR, 0, PEERS, "30.0.7.0/24", NULL);   /* within the /16 of another AS */
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 3);
    assert_int_equal(event(&play, 0)->asn, 200);
    assert_int_equal(event(&play, 0)->blocks, 64);
    assert_int_equal(event(&play, 1)->asn, 301);
    assert_int_equal(event(&play, 1)->blocks, 1);
    assert_int_equal(event(&play, 2)->kind, SCAN_MORE_SPECIFIC); /* it came and went */
    assert_int_equal(event(&play, 2)->other, 301);
    done(&play);
}

/* Two ASes behind one upstream, at the same time. */
static void test_together(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "10.0.0.0/16", NULL);
    say_all(&play, HOUR + 20, 0, PEERS, "20.0.0.0/16", NULL);
    say_all(&play, HOUR + 30, 0, PEERS, "30.0.0.0/16", NULL); /* behind another */
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 3);
    for (size_t i = 0; i < 3; i++) {
        bool is_behind = event(&play, i)->asn != 300;
        assert_int_equal(event(&play, i)->behind, is_behind ? 7 : 0);
        assert_int_equal(event(&play, i)->together, is_behind);
    }
    done(&play);
}

/* Another AS announces the same prefix, for a time. */
static void test_origin_change(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 2, 9, "20.0.0.0/16", "5 6 6 666");
    say_all(&play, HOUR + 900, 2, 9, "20.0.0.0/16", "5 7 200");
    say_all(&play, HOUR, 0, 4, "10.0.0.0/16", "5 6 777"); /* too few go over at once */
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 1);
    const struct scan_event *change = event(&play, 0);
    assert_int_equal(change->kind, SCAN_ORIGIN);
    assert_int_equal(change->asn, 200);
    assert_int_equal(change->other, 666);
    assert_int_equal(change->peers, 7);
    assert_int_equal(change->of, 10);
    assert_int_equal(change->blocks, 256);
    assert_interval(&change->began, 49, HOUR);
    assert_interval(&change->ended, HOUR + 905, HOUR + 906);
    assert_float_equal(change->path_length, 5, 0.001);
    assert_float_equal(change->old_path_length, 4, 0.001);
    assert_false(change->is_related);
    assert_true(change->is_sure);
    done(&play);
}

/* Away for long it was not so all the time: each time is an event of its own. For two minutes it was not
 * away. */
static void test_origin_comes_again(void **state)
{
    (void)state;
    static const int64_t begins[] = {HOUR, HOUR + 720, 3 * HOUR},
                         ends[] = {HOUR + 600, HOUR + 1200, 4 * HOUR};
    struct play play = begin(0);
    set_up(&play);
    for (size_t i = 0; i < 3; i++) {
        say_all(&play, begins[i], 0, PEERS, "20.0.0.0/16", "5 6 666");
        say_all(&play, ends[i], 0, PEERS, "20.0.0.0/16", "5 7 200");
    }
    end(&play, 5 * HOUR);
    assert_int_equal(play.events->count, 2);
    const struct scan_event *later = event(&play, 0), *first = event(&play, 1);
    assert_int_equal(first->longest_ns / NS_PER_S, 1200 + 8);
    assert_int_equal(first->times, 2);
    assert_int_equal(first->flaps, 0);
    assert_int_equal(seconds(later->began.first_after), 3 * HOUR);
    assert_int_equal(seconds(later->ended.first_after), 4 * HOUR + 9);
    assert_int_equal(later->longest_ns / NS_PER_S, HOUR + 8);
    assert_int_equal(later->asn, 200);
    assert_int_equal(later->times, 1);
    assert_int_equal(later->flaps, 2);
    done(&play);
}

/* The same of a more specific one. */
static void test_more_specific_comes_again(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    for (int64_t hour = 1; hour <= 2; hour++) {
        say_all(&play, hour * HOUR, 0, PEERS, "20.0.1.0/24", "5 6 666");
        say_all(&play, hour * HOUR + 600, 0, PEERS, "20.0.1.0/24", NULL);
    }
    end(&play, 3 * HOUR);
    assert_int_equal(play.events->count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct scan_event *specific = event(&play, i);
        assert_int_equal(specific->kind, SCAN_MORE_SPECIFIC);
        assert_int_equal(specific->asn, 200);
        assert_prefix(&specific->cover, "20.0.0.0/16");
        assert_int_equal(specific->longest_ns / NS_PER_S, 608);
        assert_int_equal(specific->flaps, seconds(specific->began.first_after) > HOUR);
    }
    done(&play);
}

/* Whoever had the more specific prefix first takes it back from another: that is no new one. */
static void test_more_specific_taken_back(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "20.0.1.0/24", "5 6 666");
    say_all(&play, HOUR + 2, 0, PEERS, "20.0.1.0/24", "5 6 777");
    say_all(&play, 2 * HOUR, 0, PEERS, "20.0.1.0/24", "5 6 666");
    say_all(&play, 3 * HOUR, 0, PEERS, "20.0.1.0/24", NULL);
    end(&play, 4 * HOUR);
    for (size_t i = 0; i < play.events->count; i++)
        assert_false(event(&play, i)->kind == SCAN_MORE_SPECIFIC &&
                     seconds(event(&play, i)->began.first_after) > HOUR);
    done(&play);
}

/* A provider that announces its customer's prefix is told to be on its path. */
static void test_related_origin(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", "5 7");
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 1);
    assert_int_equal(event(&play, 0)->other, 7);
    assert_true(event(&play, 0)->is_related);
    assert_int_equal(event(&play, 0)->open, 1);
    done(&play);
}

/* A more specific prefix of another AS that comes and goes. One that stays may have been there before. */
static void test_more_specific(void **state)
{
    (void)state;
    for (unsigned has_unsure = 0; has_unsure < 2; has_unsure++) {
        struct play play = begin(0);
        play.wish.has_unsure = has_unsure;
        set_up(&play);
        say_all(&play, HOUR, 0, PEERS, "20.0.1.0/24", "5 6 666");
        say_all(&play, HOUR, 0, PEERS, "20.0.2.0/24", "5 6 777");
        say_all(&play, HOUR, 0, PEERS, "30.0.2.0/24", "5 8 300 888"); /* a customer's */
        say_all(&play, HOUR, 0, 3, "30.0.3.0/24", "5 6 999");         /* not far spread */
        say_all(&play, HOUR + 450, 0, PEERS, "20.0.1.0/24", NULL);
        end(&play, 2 * HOUR);
        assert_int_equal(play.events->count, 1 + has_unsure);
        assert_int_equal(play.events->left_out, 1 - has_unsure);
        const struct scan_event *specific = event(&play, 0);
        assert_int_equal(specific->kind, SCAN_MORE_SPECIFIC);
        assert_int_equal(specific->asn, 200);
        assert_int_equal(specific->other, 666);
        assert_prefix(&specific->prefixes[0], "20.0.1.0/24");
        assert_prefix(&specific->cover, "20.0.0.0/16");
        assert_interval(&specific->began, 49, HOUR);
        assert_interval(&specific->ended, HOUR + 458, HOUR + 459);
        assert_int_equal(specific->peers, 10);
        assert_float_equal(specific->path_length, 4, 0.001);
        assert_float_equal(specific->old_path_length, 0, 0);
        assert_true(specific->is_sure);
        if (has_unsure) {
            assert_int_equal(event(&play, 1)->other, 777);
            assert_false(event(&play, 1)->is_sure);
        }
        done(&play);
    }
}

/* With a table dump it is known that it is new. */
static void test_more_specific_with_dump(void **state)
{
    (void)state;
    struct play play = begin(0);
    char path[64];
    for (unsigned peer = 0; peer < PEERS; peer++) {
        snprintf(path, sizeof path, "%u 5 7 200", MADE_FIRST_ASN + peer);
        tell(&play, made_entry(START, peer, "20.0.0.0/16", path));
        tell(&play, made_entry(START, peer, "30.0.0.0/16", path));
        tell(&play, made_entry(START, peer, "30.0.9.0/24", path));
    }
    say_all(&play, HOUR, 0, PEERS, "20.0.1.0/24", "5 6 666");
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 1);
    assert_int_equal(event(&play, 0)->kind, SCAN_MORE_SPECIFIC);
    assert_true(event(&play, 0)->is_sure);
    done(&play);
}

/* After a dump, a prefix that only some peers ever had is measured by these. */
static void test_dump_then_outage(void **state)
{
    (void)state;
    struct play play = begin(0);
    char path[64];
    for (unsigned peer = 0; peer < PEERS; peer++) {
        snprintf(path, sizeof path, "%u 5 7 200", MADE_FIRST_ASN + peer);
        tell(&play, made_entry(START, peer, "20.0.0.0/16", path));
        tell(&play, made_entry(START, peer, "30.0.0.0/16", path));
        if (peer < 6)
            tell(&play, made_entry(START, peer, "40.0.0.0/16", path));
    }
    say_all(&play, HOUR, 0, 6, "40.0.0.0/16", NULL);
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 1);
    assert_int_equal(event(&play, 0)->kind, SCAN_OUTAGE);
    assert_int_equal(event(&play, 0)->peers, 6);
    assert_int_equal(event(&play, 0)->of, 6);
    done(&play);
}

/* Fewer peers than must have spoken of a prefix. */
static void test_min_peers(void **state)
{
    (void)state;
    static const struct {
        unsigned peers, min_peers;
        size_t events;
    } cases[] = {{1, 0, 0}, {2, 0, 1}, {3, 0, 1}, {5, 0, 1}, {5, 6, 0}, {1, 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play = begin(cases[i].min_peers);
        for (unsigned k = 0; k < 3; k++)
            say_all(&play, 10 * k, 0, cases[i].peers,
                    k == 0   ? "20.0.0.0/16"
                    : k == 1 ? "30.0.0.0/16"
                             : "40.0.0.0/16",
                    "5 7 200");
        say_all(&play, HOUR, 0, cases[i].peers, "20.0.0.0/16", NULL);
        end(&play, 2 * HOUR);
        assert_int_equal(play.events->count, cases[i].events);
        done(&play);
    }
}

static void test_wishes(void **state)
{
    (void)state;
    static const struct {
        uint32_t asn;
        const char *prefix;
        size_t events;
    } cases[] = {{0, NULL, 3},          {200, NULL, 2},         {666, NULL, 1},
                 {300, NULL, 0},        {0, "20.0.0.0/8", 2},   {0, "20.0.1.0/24", 2},
                 {0, "10.0.0.0/16", 1}, {100, "20.0.0.0/8", 0}, {0, "2001:db8::/32", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct play play = begin(0);
        play.wish.asn = cases[i].asn;
        if (cases[i].prefix)
            play.wish.prefix = made_prefix(cases[i].prefix);
        set_up(&play);
        say_all(&play, HOUR, 0, PEERS, "10.0.0.0/16", NULL);
        say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", "5 6 666");
        say_all(&play, HOUR + 600, 0, PEERS, "20.0.0.0/16", "5 7 200");
        say_all(&play, 2 * HOUR, 0, PEERS, "20.0.0.0/16", NULL);
        end(&play, 3 * HOUR);
        assert_int_equal(play.events->count, cases[i].events);
        done(&play);
    }
}

/* A /16 of IPv4 and a /32 of IPv6 are each ranked by their share of what is known of their family. */
static void test_families(void **state)
{
    (void)state;
    struct play play = begin(0);
    set_up(&play);
    say_all(&play, 50, 0, PEERS, "2001:db8::/32", "5 7 600");
    say_all(&play, 50, 0, PEERS, "2001:db9::/32", "5 7 601");
    say_all(&play, HOUR, 0, PEERS, "2001:db8::/32", NULL);
    say_all(&play, HOUR, 0, PEERS, "20.0.0.0/16", NULL);
    end(&play, 2 * HOUR);
    assert_int_equal(play.events->count, 2);
    assert_int_equal(event(&play, 0)->family, 6);
    assert_int_equal(event(&play, 0)->blocks, 65536);
    assert_int_equal(event(&play, 1)->family, 4);
    assert_true(event(&play, 0)->score < 2.1 * event(&play, 1)->score);
    done(&play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_first_word_is_withdrawal),
        cmocka_unit_test(test_appeared),
        cmocka_unit_test(test_never_returned),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_partly_back),
        cmocka_unit_test(test_flapping_peers),
        cmocka_unit_test(test_session_losses),
        cmocka_unit_test(test_loss_of_sessions_in_outage),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_end_of_one_collector),
        cmocka_unit_test(test_gap_of_one_collector),
        cmocka_unit_test(test_claim_in_gap),
        cmocka_unit_test(test_quiet),
        cmocka_unit_test(test_hole),
        cmocka_unit_test(test_too_many_holes),
        cmocka_unit_test(test_flaps),
        cmocka_unit_test(test_drift),
        cmocka_unit_test(test_covered),
        cmocka_unit_test(test_together),
        cmocka_unit_test(test_origin_change),
        cmocka_unit_test(test_origin_comes_again),
        cmocka_unit_test(test_more_specific_comes_again),
        cmocka_unit_test(test_more_specific_taken_back),
        cmocka_unit_test(test_related_origin),
        cmocka_unit_test(test_more_specific),
        cmocka_unit_test(test_more_specific_with_dump),
        cmocka_unit_test(test_dump_then_outage),
        cmocka_unit_test(test_min_peers),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_families),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
