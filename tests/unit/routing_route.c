#include "routing/route.h"

#include "tests/unit/check.h"

#include <stdio.h>

enum { P, A, B, C, SERVERS };

struct world {
    struct topology *topology;
    struct server_load loads[SERVERS];
    struct route_policy policy;
    struct causal causal;
    struct sql_class statement;
    struct route_ask ask;
};

static struct gtid_set position(const char *text)
{
    struct gtid_set s;

    assert_true(gtid_set_parse(span_of(text), &s));
    return s;
}

static void say(struct world *w, const char *sql)
{
    sql_classify(span_of(sql), (struct sql_mode){0}, false, &w->statement);
    w->ask.wish = (struct route_wish){0};
    route_wish_add_hints(&w->ask.wish, &w->statement.hints, w->topology);
}

/* A primary, three equal fresh replicas, and a session that asks for a read. */
static void setup(struct world *w)
{
    *w = (struct world){0};
    w->topology = topology_new();
    assert_non_null(w->topology);
    w->topology->count = SERVERS;
    w->topology->primary = P;
    for (int i = 0; i < SERVERS; i++) {
        struct server_view *v = &w->topology->servers[i];

        v->role = i == P ? ROLE_PRIMARY : ROLE_REPLICA;
        v->health = HEALTH_UP;
        v->weight = 1;
        v->sampled_ns = 1;
        v->position = position("0-1-10");
        v->name[0] = "pabc"[i];
        atomic_init(&w->loads[i].busy, 0);
    }
    w->policy = (struct route_policy){.consistency = CONSISTENCY_SESSION};
    causal_init(&w->causal);
    w->ask = (struct route_ask){.statement = &w->statement,
                                .policy = &w->policy,
                                .topology = w->topology,
                                .causal = &w->causal,
                                .loads = w->loads};
    say(w, "SELECT 1");
}

static void wrote(struct world *w, const char *text)
{
    struct gtid g;

    assert_true(gtid_parse(span_of(text), &g));
    causal_wrote(&w->causal, &g);
}

static void check_route(struct world *w, int server, enum route_reason reason, bool wait)
{
    struct route r = route_statement(&w->ask);

    if (r.reason != reason)
        print_error("got: %d %s\n", r.server, route_reason_name(r.reason));
    assert_int_equal(r.reason, reason);
    assert_int_equal(r.server, server);
    assert_int_equal(r.wait, wait);
}

static void with(void (*test)(struct world *))
{
    struct world w;

    setup(&w);
    test(&w);
    topology_unref(w.topology);
}

static void what_goes_to_the_primary_(struct world *w)
{
    say(w, "UPDATE t SET a = 1");
    check_route(w, P, ROUTE_STATEMENT, false);
    say(w, "SELECT @@version");
    check_route(w, P, ROUTE_STATEMENT, false);
    say(w, "/* tillway: primary */ SELECT 1");
    check_route(w, P, ROUTE_STATEMENT, false);
    say(w, "/* tillway: replica */ DELETE FROM t");
    check_route(w, P, ROUTE_STATEMENT, false);
    say(w, "SELECT 1");
    w->ask.pins = PIN_TRANSACTION;
    check_route(w, P, ROUTE_PINNED, false);
    say(w, "/* tillway: replica */ SELECT 1");
    check_route(w, P, ROUTE_PINNED, false);
    w->ask.pins = 0;
    w->policy.consistency = CONSISTENCY_PRIMARY;
    say(w, "SELECT 1");
    check_route(w, P, ROUTE_POLICY, false);
    say(w, "UPDATE t SET a = 1");
    check_route(w, P, ROUTE_POLICY, false);
    say(w, "/* tillway: replica */ SELECT 1");
    check_route(w, A, ROUTE_BALANCED, false);
}

static void which_replicas_may_answer_(struct world *w)
{
    struct server_view *s = w->topology->servers;

    s[A].health = HEALTH_BROKEN;
    s[B].weight = 0;
    check_route(w, C, ROUTE_BALANCED, false);
    s[C].lagging = true;
    check_route(w, P, ROUTE_NO_REPLICA, false);
    s[C].lagging = false;
    check_route(w, C, ROUTE_BALANCED, false);
    w->ask.exclude = 1u << C;
    check_route(w, P, ROUTE_NO_REPLICA, false);
    s[B].weight = 1;
    check_route(w, B, ROUTE_BALANCED, false);
    for (int h = 0; h < HEALTH_COUNT; h++) {
        s[B].health = (enum server_health)h;
        check_route(w, h == HEALTH_UP ? B : P, h == HEALTH_UP ? ROUTE_BALANCED : ROUTE_NO_REPLICA,
                    false);
    }
    s[B].health = HEALTH_UP;
    s[B].role = ROLE_UNKNOWN;
    check_route(w, P, ROUTE_NO_REPLICA, false);
}

static void freshness_(struct world *w)
{
    struct server_view *s = w->topology->servers;

    wrote(w, "0-1-11");
    check_route(w, P, ROUTE_NOT_FRESH, false);
    s[B].position = position("0-1-11");
    check_route(w, B, ROUTE_BALANCED, false);
    atomic_store(&w->loads[B].busy, 100); /* fresh wins over idle */
    w->policy.wait_for_replica = true;
    check_route(w, B, ROUTE_BALANCED, false);
    wrote(w, "0-1-12");
    check_route(w, A, ROUTE_WAITS, true);
    w->policy.consistency = CONSISTENCY_EVENTUAL;
    check_route(w, A, ROUTE_BALANCED, false);
    w->policy.consistency = CONSISTENCY_SESSION;
    w->ask.exclude = 1u << A | 1u << B | 1u << C;
    check_route(w, P, ROUTE_NO_REPLICA, false);
}

/* Positions do not count; the node that answered last fits, the others after a barrier. */
static void in_a_galera_cluster_(struct world *w)
{
    struct server_view *s = w->topology->servers;

    w->topology->galera = true;
    w->policy.wait_for_replica = true;
    check_route(w, A, ROUTE_BALANCED, false);
    wrote(w, "0-1-5"); /* everybody has it, by their positions */
    causal_saw(&w->causal, P, 100);
    causal_fold(&w->causal, w->topology);
    check_route(w, A, ROUTE_WAITS, true);
    say(w, "UPDATE t SET a = 1");
    check_route(w, P, ROUTE_STATEMENT, false);
    w->topology->primary = A; /* the next writer may still be applying that */
    check_route(w, A, ROUTE_STATEMENT, true);
    causal_saw(&w->causal, A, 110);
    check_route(w, A, ROUTE_STATEMENT, false);
    s[A].since_ns = 120; /* it was away */
    check_route(w, A, ROUTE_STATEMENT, true);
    w->policy.consistency = CONSISTENCY_EVENTUAL;
    check_route(w, A, ROUTE_STATEMENT, false);
    w->topology->primary = P;
    w->policy.consistency = CONSISTENCY_GLOBAL;
    causal_init(&w->causal);
    say(w, "SELECT 1");
    check_route(w, A, ROUTE_WAITS, true);
    say(w, "UPDATE t SET a = 1");
    check_route(w, P, ROUTE_STATEMENT, false);
    w->topology->writers = 7; /* others have what nobody here has seen */
    check_route(w, P, ROUTE_STATEMENT, true);
    w->ask.pins = PIN_TRANSACTION;
    check_route(w, P, ROUTE_STATEMENT, false);
}

static void it_stays_where_it_read_(struct world *w)
{
    causal_saw(&w->causal, C, 50);
    check_route(w, C, ROUTE_REPLICA_STAYED, false);
    atomic_store(&w->loads[C].busy, 100);
    check_route(w, C, ROUTE_REPLICA_STAYED, false);
    w->policy.wait_for_replica = true;
    w->ask.exclude = 1u << C;
    check_route(w, P, ROUTE_NOT_FRESH, false);
    w->ask.exclude = 0;
    causal_saw(&w->causal, P, 60);
    check_route(w, P, ROUTE_NOT_FRESH, false);
}

static void the_least_busy_(struct world *w)
{
    atomic_store(&w->loads[A].busy, 2);
    atomic_store(&w->loads[B].busy, 1);
    atomic_store(&w->loads[C].busy, 3);
    check_route(w, B, ROUTE_BALANCED, false);
}

static void reads_of_the_primary_(struct world *w)
{
    struct server_view *s = w->topology->servers;

    w->policy.primary_reads = true;
    for (int i = A; i < SERVERS; i++)
        atomic_store(&w->loads[i].busy, 2);
    check_route(w, P, ROUTE_PRIMARY_SHARE, false);
    atomic_store(&w->loads[P].busy, 3);
    atomic_store(&w->loads[B].busy, 1);
    check_route(w, B, ROUTE_BALANCED, false);
    wrote(w, "0-1-11"); /* nobody else has it */
    check_route(w, P, ROUTE_PRIMARY_SHARE, false);
    w->policy.wait_for_replica = true;
    check_route(w, B, ROUTE_WAITS, true);
    s[A].position = position("0-1-11");
    check_route(w, A, ROUTE_BALANCED, false);
    w->ask.exclude = 1u << A | 1u << B | 1u << C;
    check_route(w, P, ROUTE_PRIMARY_SHARE, false);
    w->ask.exclude = 0;
}

/* What a replica has shown the primary may show a moment later. */
static void from_a_replica_to_the_primary_(struct world *w)
{
    w->policy.primary_reads = true;
    for (int i = A; i < SERVERS; i++)
        atomic_store(&w->loads[i].busy, 2);
    causal_saw(&w->causal, P, 40);
    check_route(w, P, ROUTE_PRIMARY_SHARE, false);
    causal_saw(&w->causal, A, 50);
    check_route(w, A, ROUTE_REPLICA_STAYED, false);
    w->topology->servers[A].sampled_ns = 50 + CAUSAL_SETTLE_NS;
    causal_fold(&w->causal, w->topology);
    check_route(w, A, ROUTE_BALANCED, false);
    w->policy.consistency = CONSISTENCY_EVENTUAL;
    check_route(w, P, ROUTE_PRIMARY_SHARE, false);
    w->policy.consistency = CONSISTENCY_SESSION;
    wrote(w, "0-1-11"); /* behind what it saw */
    check_route(w, P, ROUTE_PRIMARY_SHARE, false);
}

/* There is no way back for who only reads: it leaves when that is worth it. */
static void it_stays_on_the_primary_(struct world *w)
{
    w->policy.primary_reads = true;
    atomic_store(&w->loads[P].busy, 5);
    for (int i = A; i < SERVERS; i++)
        atomic_store(&w->loads[i].busy, 3);
    check_route(w, A, ROUTE_BALANCED, false);
    causal_saw(&w->causal, P, 50);
    w->topology->servers[P].sampled_ns = 50 + CAUSAL_SETTLE_NS;
    causal_fold(&w->causal, w->topology);
    check_route(w, P, ROUTE_PRIMARY_SHARE, false);
    atomic_store(&w->loads[P].busy, 8);
    check_route(w, A, ROUTE_BALANCED, false);
}

static void reads_that_are_not_the_primarys_(struct world *w)
{
    struct server_view *s = w->topology->servers;

    w->policy.primary_reads = true;
    for (int i = A; i < SERVERS; i++)
        atomic_store(&w->loads[i].busy, 2);
    say(w, "/* tillway: replica */ SELECT 1");
    check_route(w, A, ROUTE_BALANCED, false);
    say(w, "/* tillway: server=c */ SELECT 1");
    check_route(w, C, ROUTE_ASKED_SERVER, false);
    say(w, "SELECT 1");
    s[P].weight = 0;
    check_route(w, A, ROUTE_BALANCED, false);
    s[P].weight = 1;
    (void)snprintf(s[P].group, sizeof s[P].group, "reporting");
    check_route(w, A, ROUTE_BALANCED, false);
    s[P].group[0] = 0;
    w->ask.exclude = 1u << P;
    check_route(w, A, ROUTE_BALANCED, false);
    w->ask.exclude = 0;
    w->topology->primary = -1;
    s[P].health = HEALTH_DOWN;
    check_route(w, A, ROUTE_BALANCED, false);
}

static void groups_(struct world *w)
{
    struct server_view *s = w->topology->servers;

    (void)snprintf(s[B].group, sizeof s[B].group, "reporting");
    for (w->ask.turn = 0; w->ask.turn < 10; w->ask.turn++)
        assert_int_not_equal(route_statement(&w->ask).server, B);
    say(w, "/* tillway: server=reporting */ SELECT 1");
    check_route(w, B, ROUTE_ASKED_SERVER, false);
    s[B].weight = 0;
    check_route(w, B, ROUTE_ASKED_SERVER, false);
    s[B].weight = 1;
    (void)snprintf(s[C].group, sizeof s[C].group, "reporting");
    say(w, "/* tillway: server=reporting */ SELECT 1");
    atomic_store(&w->loads[C].busy, 1);
    check_route(w, B, ROUTE_ASKED_SERVER, false);
    s[B].health = HEALTH_DOWN;
    check_route(w, C, ROUTE_ASKED_SERVER, false);
    s[C].health = HEALTH_DOWN; /* A stays what it is for */
    check_route(w, P, ROUTE_NO_REPLICA, false);
    say(w, "/* tillway: server=nobody */ SELECT 1");
    check_route(w, A, ROUTE_BALANCED, false);
    s[A].health = HEALTH_DOWN;
    check_route(w, P, ROUTE_NO_REPLICA, false);
}

static void what_a_rule_asks_(struct world *w)
{
    w->ask.wish = (struct route_wish){.primary = true};
    check_route(w, P, ROUTE_RULE, false);
    w->topology->primary = -1;
    check_route(w, A, ROUTE_NO_PRIMARY_READ, false);
    w->topology->primary = P;
    w->policy.consistency = CONSISTENCY_PRIMARY;
    w->ask.wish = (struct route_wish){.replica = true};
    check_route(w, A, ROUTE_BALANCED, false);
    w->ask.wish = (struct route_wish){.only = 1u << C};
    check_route(w, C, ROUTE_ASKED_SERVER, false);
    say(w, "UPDATE t SET a = 1"); /* never makes a write go to a replica */
    w->ask.wish = (struct route_wish){.replica = true, .only = 1u << C};
    check_route(w, P, ROUTE_POLICY, false);
    w->policy.consistency = CONSISTENCY_SESSION;
    check_route(w, P, ROUTE_STATEMENT, false);
}

static void rules_before_comments_(struct world *w)
{
    const struct sql_hints hints = {
        .replica = true, .consistency = SQL_HINT_EVENTUAL, .timeout_ms = 5, .server = span_of("b")};
    struct route_wish wish = {0};

    route_wish_add_hints(&wish, &hints, w->topology);
    assert_int_equal(wish.only, 1u << B);
    assert_true(wish.replica && wish.has_consistency);
    assert_int_equal(route_consistency(&wish, CONSISTENCY_PRIMARY), CONSISTENCY_EVENTUAL);
    assert_int_equal(wish.timeout_ms, 5);
    wish = (struct route_wish){.primary = true,
                               .has_consistency = true,
                               .consistency = CONSISTENCY_GLOBAL,
                               .timeout_ms = 3};
    route_wish_add_hints(&wish, &hints, w->topology);
    assert_false(wish.only || wish.replica);
    assert_int_equal(route_consistency(&wish, CONSISTENCY_SESSION), CONSISTENCY_GLOBAL);
    assert_int_equal(wish.timeout_ms, 3);
    wish.timeout_ms = 9;
    route_wish_add_hints(&wish, &hints, w->topology);
    assert_int_equal(wish.timeout_ms, 5);
    wish = (struct route_wish){0};
    assert_int_equal(route_consistency(&wish, CONSISTENCY_SESSION), CONSISTENCY_SESSION);
}

static void without_a_primary_(struct world *w)
{
    struct server_view *s = w->topology->servers;

    w->topology->primary = -1;
    s[P].health = HEALTH_DOWN;
    check_route(w, A, ROUTE_BALANCED, false);
    say(w, "UPDATE t SET a = 1");
    check_route(w, -1, ROUTE_NO_PRIMARY, false);
    w->policy.consistency = CONSISTENCY_PRIMARY;
    check_route(w, -1, ROUTE_NO_PRIMARY, false);
    say(w, "SELECT 1");
    check_route(w, A, ROUTE_NO_PRIMARY_READ, false);
    w->ask.pins = PIN_TEMPORARY;
    check_route(w, -1, ROUTE_NO_PRIMARY, false);
    w->ask.pins = 0;
    say(w, "/* tillway: primary */ SELECT 1");
    check_route(w, -1, ROUTE_NO_PRIMARY, false);
    say(w, "SELECT 1");
    wrote(w, "0-1-11"); /* … but only where fresh */
    check_route(w, -1, ROUTE_NO_PRIMARY, false);
    w->policy.consistency = CONSISTENCY_SESSION;
    check_route(w, -1, ROUTE_NO_PRIMARY, false);
    s[C].position = position("0-1-11");
    check_route(w, C, ROUTE_BALANCED, false);
    for (int i = A; i < SERVERS; i++)
        s[i].lagging = true; /* nobody commits any more: lag is no reason to answer nothing */
    check_route(w, C, ROUTE_BALANCED, false);
    s[A].lagging = false;
    s[A].position = position("0-1-11");
    check_route(w, A, ROUTE_BALANCED, false);
    for (int i = A; i < SERVERS; i++)
        s[i].health = HEALTH_DOWN;
    check_route(w, -1, ROUTE_NO_SERVER, false);
    w->policy.consistency = CONSISTENCY_PRIMARY;
    check_route(w, -1, ROUTE_NO_SERVER, false);
}

static void a_primary_that_failed_this_statement_(struct world *w)
{
    w->ask.exclude = 1u << P;
    say(w, "UPDATE t SET a = 1");
    check_route(w, -1, ROUTE_NO_PRIMARY, false);
    say(w, "SELECT 1");
    check_route(w, A, ROUTE_BALANCED, false);
    w->ask.exclude = 1u << P | 1u << A | 1u << B | 1u << C;
    check_route(w, -1, ROUTE_NO_SERVER, false);
}

static void check_explained(struct world *w, const char *expected)
{
    struct route r = route_statement(&w->ask);
    char text[256];

    route_explain(&w->ask, &r, text, sizeof(text));
    assert_string_equal(text, expected);
}

static void explained_(struct world *w)
{
    char tiny[8];
    struct route r;

    check_explained(w, "replica a: a read, to the least busy fresh replica");
    say(w, "SELECT a FROM t FOR UPDATE");
    check_explained(w,
                    "primary p: not provably a read: it locks what it reads (FOR UPDATE, LOCK IN "
                    "SHARE MODE)");
    say(w, "SELECT my_fn(1)");
    check_explained(w,
                    "primary p: not provably a read: it calls a function that may write (my_fn)");
    r = route_statement(&w->ask);
    route_explain(&w->ask, &r, tiny, sizeof(tiny));
    assert_string_equal(tiny, "primary");
    say(w, "SELECT 1");
    w->ask.pins = PIN_TEMPORARY | PIN_OPAQUE;
    check_explained(w, "primary p: a read, but the session's state keeps it on the primary: it may "
                       "have temporary tables");
    w->topology->primary = -1;
    check_explained(w, "nowhere: needs the primary, and there is none");
}

static void words_for_all(void **state)
{
    (void)state;
    for (int r = 0; r < ROUTE_REASON_COUNT; r++) {
        assert_true(strlen(route_reason_name((enum route_reason)r)) > 0);
        assert_true(strlen(route_reason_text((enum route_reason)r)) > 0);
        for (int q = 0; q < r; q++)
            assert_string_not_equal(route_reason_name((enum route_reason)r),
                                    route_reason_name((enum route_reason)q));
    }
    for (uint32_t p = PIN_TRANSACTION; p <= PIN_TRACKING; p <<= 1)
        assert_true(strlen(session_pin_text(p)) > 0);
    assert_string_equal(session_pin_text(PIN_LOCKS | PIN_ROLE), session_pin_text(PIN_LOCKS));
    assert_string_equal(session_pin_text(0), "nothing pins it");
}

#define IN_A_WORLD(name)           \
    static void name(void **state) \
    {                              \
        (void)state;               \
        with(name##_);             \
    }

IN_A_WORLD(what_goes_to_the_primary)
IN_A_WORLD(which_replicas_may_answer)
IN_A_WORLD(freshness)
IN_A_WORLD(in_a_galera_cluster)
IN_A_WORLD(it_stays_where_it_read)
IN_A_WORLD(the_least_busy)
IN_A_WORLD(reads_of_the_primary)
IN_A_WORLD(reads_that_are_not_the_primarys)
IN_A_WORLD(from_a_replica_to_the_primary)
IN_A_WORLD(it_stays_on_the_primary)
IN_A_WORLD(groups)
IN_A_WORLD(what_a_rule_asks)
IN_A_WORLD(rules_before_comments)
IN_A_WORLD(without_a_primary)
IN_A_WORLD(a_primary_that_failed_this_statement)
IN_A_WORLD(explained)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_to_the_primary),
        cmocka_unit_test(which_replicas_may_answer),
        cmocka_unit_test(freshness),
        cmocka_unit_test(in_a_galera_cluster),
        cmocka_unit_test(it_stays_where_it_read),
        cmocka_unit_test(the_least_busy),
        cmocka_unit_test(reads_of_the_primary),
        cmocka_unit_test(reads_that_are_not_the_primarys),
        cmocka_unit_test(from_a_replica_to_the_primary),
        cmocka_unit_test(it_stays_on_the_primary),
        cmocka_unit_test(groups),
        cmocka_unit_test(what_a_rule_asks),
        cmocka_unit_test(rules_before_comments),
        cmocka_unit_test(without_a_primary),
        cmocka_unit_test(a_primary_that_failed_this_statement),
        cmocka_unit_test(explained),
        cmocka_unit_test(words_for_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
