/* The rules one by one; tests/unit/routing_causal_world.c proves them together. */
#include "routing/causal.h"

#include "tests/unit/check.h"

enum { P, A, B, SERVERS };
#define CLOCK_MS 1000000ULL

static struct gtid_set position(const char *text)
{
    struct gtid_set s;

    assert_true(gtid_set_parse(span_of(text), &s));
    return s;
}

static void sample(struct topology *t, int i, const char *text, uint64_t at_ms)
{
    t->servers[i].position = position(text);
    t->servers[i].sampled_ns = at_ms * CLOCK_MS;
}

static struct topology *world(void)
{
    struct topology *t = topology_new();

    assert_non_null(t);
    t->count = SERVERS;
    t->primary = P;
    for (int i = 0; i < SERVERS; i++) {
        t->servers[i].role = i == P ? ROLE_PRIMARY : ROLE_REPLICA;
        t->servers[i].health = HEALTH_UP;
        sample(t, i, "0-1-10", 10);
    }
    return t;
}

static void wrote(struct causal *c, const char *text)
{
    struct gtid g;

    assert_true(gtid_parse(span_of(text), &g));
    causal_wrote(c, &g);
}

static void check_fits(struct causal *c, const struct topology *t, enum causal_fit a,
                       enum causal_fit b)
{
    causal_fold(c, t);
    assert_int_equal(causal_fits(c, t, P), CAUSAL_FITS);
    assert_int_equal(causal_fits(c, t, A), a);
    assert_int_equal(causal_fits(c, t, B), b);
}

static void a_new_session_reads_anywhere(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    causal_init(&c);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_FITS);
    topology_unref(t);
}

static void an_own_write_has_to_be_there(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    causal_init(&c);
    wrote(&c, "0-1-11");
    check_fits(&c, t, CAUSAL_WAIT, CAUSAL_WAIT);
    sample(t, A, "0-1-11", 20);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_WAIT);
    wrote(&c, "0-1-12");
    check_fits(&c, t, CAUSAL_WAIT, CAUSAL_WAIT);
    sample(t, A, "0-2-12", 30);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_WAIT);
    topology_unref(t);
}

static void after_a_read_only_that_server_until_it_is_sampled(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    causal_init(&c);
    causal_saw(&c, A, 50 * CLOCK_MS);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_UNFIT);
    sample(t, A, "0-1-20", 49); /* asked for before the read ended */
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_UNFIT);
    t->servers[A].sampled_ns = 50 * CLOCK_MS + CAUSAL_SETTLE_NS - 1;
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_UNFIT);
    t->servers[A].sampled_ns = 50 * CLOCK_MS + CAUSAL_SETTLE_NS;
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_WAIT);
    assert_int_equal(c.seen_at, -1);
    sample(t, B, "0-1-20", 60);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_FITS);
    topology_unref(t);
}

/* The primary's sample is higher than what a lagging replica showed: it must not lock it out. */
static void the_primary_bounds_only_what_is_gone(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    causal_init(&c);
    causal_saw(&c, A, 50 * CLOCK_MS);
    sample(t, P, "0-1-30", 60);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_UNFIT);
    t->servers[A].health = HEALTH_DOWN;
    t->servers[A].since_ns = 61 * CLOCK_MS;
    causal_fold(&c, t);
    assert_int_equal(c.seen_at, -1);
    assert_int_equal(causal_fits(&c, t, B), CAUSAL_WAIT);
    sample(t, B, "0-1-30", 70);
    assert_int_equal(causal_fits(&c, t, B), CAUSAL_FITS);
    topology_unref(t);
}

static void a_server_that_was_away_is_another(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    causal_init(&c);
    causal_saw(&c, A, 50 * CLOCK_MS);
    t->servers[A].since_ns = 55 * CLOCK_MS; /* down and up again: it may have come back with less */
    sample(t, A, "0-1-9", 60);
    check_fits(&c, t, CAUSAL_UNFIT, CAUSAL_UNFIT);
    sample(t, P, "0-1-10", 60);
    check_fits(&c, t, CAUSAL_WAIT, CAUSAL_FITS);
    topology_unref(t);
}

static void what_the_primary_showed_is_folded_too(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    causal_init(&c);
    causal_saw(&c, P, 50 * CLOCK_MS);
    check_fits(&c, t, CAUSAL_UNFIT, CAUSAL_UNFIT);
    sample(t, P, "0-1-15", 60);
    check_fits(&c, t, CAUSAL_WAIT, CAUSAL_WAIT);
    sample(t, A, "0-1-15", 60);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_WAIT);
    topology_unref(t);
}

static void a_commit_covers_what_was_seen_in_its_domain(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    causal_init(&c);
    causal_saw(&c, P, 50 * CLOCK_MS);
    wrote(&c, "0-1-11");
    sample(t, A, "0-1-11", 60);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_WAIT);

    /* … and with two domains only there */
    sample(t, P, "0-1-11,1-1-5", 60);
    causal_init(&c);
    causal_fold(&c, t);
    causal_saw(&c, P, 70 * CLOCK_MS);
    wrote(&c, "0-1-11");
    check_fits(&c, t, CAUSAL_UNFIT, CAUSAL_UNFIT);
    sample(t, P, "0-1-11,1-1-5", 80);
    check_fits(&c, t, CAUSAL_WAIT, CAUSAL_WAIT);
    sample(t, B, "0-1-11,1-1-5", 80);
    check_fits(&c, t, CAUSAL_WAIT, CAUSAL_FITS);
    topology_unref(t);
}

static void a_replica_read_before_an_own_write_has_to_have_it(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    sample(t, P, "0-1-11,1-1-5", 10);
    sample(t, A, "0-1-10,1-1-5", 10);
    causal_init(&c);
    causal_fold(&c, t);
    causal_saw(&c, A, 70 * CLOCK_MS);
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_UNFIT);
    wrote(&c, "0-1-11");
    check_fits(&c, t, CAUSAL_WAIT, CAUSAL_UNFIT);
    causal_saw(&c, A, 75 * CLOCK_MS); /* it waited */
    check_fits(&c, t, CAUSAL_FITS, CAUSAL_UNFIT);
    topology_unref(t);
}

static void more_domains_than_fit(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    causal_init(&c);
    for (uint32_t i = 0; i <= GTID_DOMAINS_MAX; i++) {
        struct gtid g = {i, 1, 1};

        causal_wrote(&c, &g);
    }
    check_fits(&c, t, CAUSAL_UNFIT, CAUSAL_UNFIT);
    topology_unref(t);
}

static void without_a_primary(void **state)
{
    struct topology *t = world();
    struct causal c;

    (void)state;
    t->primary = -1;
    causal_init(&c);
    causal_saw(&c, P, 50 * CLOCK_MS);
    t->servers[P].health = HEALTH_DOWN;
    t->servers[P].since_ns = 55 * CLOCK_MS;
    causal_fold(&c, t);
    assert_int_equal(causal_fits(&c, t, P), CAUSAL_UNFIT);
    assert_int_equal(causal_fits(&c, t, A), CAUSAL_UNFIT);
    t->primary = A; /* promoted */
    t->servers[A].since_ns = 60 * CLOCK_MS;
    sample(t, A, "0-1-10", 59); /* from when it was a replica */
    causal_fold(&c, t);
    assert_int_equal(c.seen_at, P);
    sample(t, A, "0-1-10", 70);
    causal_fold(&c, t);
    assert_int_equal(c.seen_at, -1);
    assert_int_equal(causal_fits(&c, t, A), CAUSAL_FITS);
    assert_int_equal(causal_fits(&c, t, B), CAUSAL_FITS);
    topology_unref(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_session_reads_anywhere),
        cmocka_unit_test(an_own_write_has_to_be_there),
        cmocka_unit_test(after_a_read_only_that_server_until_it_is_sampled),
        cmocka_unit_test(the_primary_bounds_only_what_is_gone),
        cmocka_unit_test(a_server_that_was_away_is_another),
        cmocka_unit_test(what_the_primary_showed_is_folded_too),
        cmocka_unit_test(a_commit_covers_what_was_seen_in_its_domain),
        cmocka_unit_test(a_replica_read_before_an_own_write_has_to_have_it),
        cmocka_unit_test(more_domains_than_fit),
        cmocka_unit_test(without_a_primary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
