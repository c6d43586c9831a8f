/* A write is refused for want of room on the primary's disk: what the client gets depends on what
 * the monitor finds. */
#include "base/clock.h"
#include "component/rig.h"

static const char write_sql[] = "INSERT INTO t VALUES (1)";

static void is_refused(const struct scene *s, const char *sql)
{
    client_asks(s->till, sql);
    server_hears_query(s->primary, sql);
    server_says_error(s->primary, 1114, "HY000", "The table 't' is full");
}

/* The monitor has heard of it, and the client nothing. */
static void waits(struct rig *r)
{
    for (int i = 0; i < PEER_STEP_MS && !atomic_load(&r->suspicions[PRIMARY]); i++)
        (void)usleep(1000);
    assert_int_equal(atomic_load(&r->suspected_of[PRIMARY]), 1 << SUSPECT_NO_ROOM);
    rig_barrier(r);
}

static void is_full(struct rig *r)
{
    r->view->primary = -1;
    r->view->servers[PRIMARY].health = HEALTH_TIMEOUT;
    rig_publish(r);
}

static void is_replaced(struct rig *r)
{
    rig_make_primary(r, REPLICA);
    r->view->servers[REPLICA].since_ns = clock_mono_ns();
    rig_publish(r);
}

static void finds_room(struct rig *r)
{
    r->view->servers[PRIMARY].room_ns = clock_mono_ns();
    rig_publish(r);
}

static void is_told(const struct scene *s)
{
    client_hears_error(s->till, 1114, "HY000", "The table 't' is full");
}

static void is_written_there(struct rig *r, const struct scene *s)
{
    struct peer *next = server_serves(&r->servers[REPLICA]);

    server_hears_query(next, write_sql);
    server_says(next, .affected = 1);
    (void)client_hears_ok(s->till);
}

static void it_is_written_on_the_next_primary(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);

    (void)state;
    is_refused(&s, write_sql);
    waits(r);
    is_full(r);
    is_replaced(r);
    is_written_there(r, &s);
}

/* One that was made read-only before it was found to be full. */
static void a_switchover_will_do(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);

    (void)state;
    is_refused(&s, write_sql);
    waits(r);
    is_replaced(r);
    is_written_there(r, &s);
}

static void hears_again(struct peer *p, const char *sql)
{
    (void)peer_hears_first(p); /* its time */
    server_says_ok(p);
    server_hears_query(p, sql);
}

static void a_transaction_goes_on_there(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);
    struct peer *next;

    (void)state;
    RUNS(s.till, s.primary, "BEGIN", .status = STATUS_IN_TRANS, .transaction = "T_______");
    is_refused(&s, write_sql);
    waits(r);
    is_full(r);
    is_replaced(r);
    next = server_serves(&r->servers[REPLICA]);
    hears_again(next, "BEGIN");
    server_says(next, .status = STATUS_IN_TRANS, .transaction = "T_______");
    server_hears_query(next, "SET timestamp=DEFAULT");
    server_says_ok(next);
    server_hears_query(next, write_sql);
    server_says(next, .status = STATUS_IN_TRANS, .transaction = "T___W___");
    (void)client_hears_ok(s.till);
}

/* A table of the MEMORY kind, say. */
static void where_there_is_room_it_is_told(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);

    (void)state;
    is_refused(&s, write_sql);
    waits(r);
    finds_room(r);
    is_told(&s);
    RUNS(s.till, s.primary, write_sql, .affected = 1);
}

/* Room that was found before does not count. */
static void it_is_looked_for_anew(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);

    (void)state;
    finds_room(r);
    is_refused(&s, write_sql);
    waits(r);
    peer_hears_nothing(s.till, 300);
    finds_room(r);
    is_told(&s);
}

static void without_another_primary_it_is_told_at_last(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 300);
    struct scene s = rig_scene(r);

    (void)state;
    is_refused(&s, write_sql);
    is_told(&s);
    RUNS(s.till, s.primary, write_sql, .affected = 1);
}

/* How far its code had come nobody knows. */
static void a_procedure_is_told_at_once(void **state)
{
    struct rig *r = rig_start(.workers = 1, .failover_ms = 60000);
    struct scene s = rig_scene(r);

    (void)state;
    is_refused(&s, "CALL place_order()");
    is_told(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(it_is_written_on_the_next_primary),
        RIG_TEST(a_switchover_will_do),
        RIG_TEST(a_transaction_goes_on_there),
        RIG_TEST(where_there_is_room_it_is_told),
        RIG_TEST(it_is_looked_for_anew),
        RIG_TEST(without_another_primary_it_is_told_at_last),
        RIG_TEST(a_procedure_is_told_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
