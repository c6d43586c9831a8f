/* What the monitor is told of a server by those who met it. */
#include "component/rig.h"

#include <unistd.h>

static const char read_sql[] = "SELECT name FROM Product";
static const char write_sql[] = "INSERT INTO t VALUES (1)";

/* The monitor was told of nothing but this. */
static void is_suspected_of(struct rig *r, int server, enum suspicion why)
{
    assert_int_equal(atomic_load(&r->suspected_of[server]), 1 << why);
}

static void answers(struct peer *server, struct peer *till)
{
    server_hears_query(server, read_sql);
    server_says_rows(server, "tea");
    (void)client_hears_rows(till, "tea");
}

static void a_replica_is_lost(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);
    struct peer *replica;

    (void)state;
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears_query(replica, read_sql);
    peer_cut(replica);
    answers(s.primary, s.till);
    is_suspected_of(r, REPLICA, SUSPECT_LOST);
}

static void a_replica_never_greets(void **state)
{
    struct rig *r = rig_start(.connect_timeout_ms = 100);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, read_sql);
    answers(s.primary, s.till);
    is_suspected_of(r, REPLICA, SUSPECT_NO_LOGIN);
}

/* An error is an answer. */
static void a_replica_refuses_the_login(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, read_sql);
    server_refuses(&r->servers[REPLICA], 1040, "08004", "Too many connections");
    answers(s.primary, s.till);
    assert_int_equal(atomic_load(&r->suspected_of[REPLICA]), 0);
}

/* One that is opened ahead tells so, too. */
static void a_primary_never_greets(void **state)
{
    struct rig *r = rig_start(.workers = 1, .connect_timeout_ms = 100, .min_idle = 2);

    (void)state;
    (void)rig_scene(r);
    for (int i = 0; i < PEER_STEP_MS && !atomic_load(&r->suspicions[PRIMARY]); i++)
        (void)usleep(1000);
    is_suspected_of(r, PRIMARY, SUSPECT_NO_LOGIN);
}

static void is_told(struct scene *s, uint16_t code, const char *sqlstate, const char *text)
{
    client_asks(s->till, write_sql);
    server_hears_query(s->primary, write_sql);
    server_says_error(s->primary, code, sqlstate, text);
    client_hears_error(s->till, code, sqlstate, text);
}

static void a_write_finds_no_room(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    is_told(&s, 1114, "HY000", "The table 't' is full");
    is_suspected_of(r, PRIMARY, SUSPECT_NO_ROOM);
}

/* InnoDB's other words for it, unless the client itself has said that it would only read. */
static void a_write_in_a_read_only_transaction_is_none(void **state)
{
    static const char words[] = "Cannot execute statement in a READ ONLY transaction";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    RUNS(s.till, s.primary, "START TRANSACTION READ ONLY",
         .status = STATUS_IN_TRANS | STATUS_IN_TRANS_READONLY);
    is_told(&s, 1792, "25006", words);
    assert_int_equal(atomic_load(&r->suspicions[PRIMARY]), 0);
    client_asks(s.till, "ROLLBACK");
    server_hears_command(s.primary, COM_PING, (struct span){NULL, 0});
    server_says(s.primary, .status = STATUS_IN_TRANS | STATUS_IN_TRANS_READONLY);
    server_hears_query(s.primary, "ROLLBACK");
    server_says(s.primary, .status = 0);
    (void)client_hears_ok(s.till);
    is_told(&s, 1792, "25006", words);
    is_suspected_of(r, PRIMARY, SUSPECT_NO_ROOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_replica_is_lost),           RIG_TEST(a_replica_never_greets),
        RIG_TEST(a_replica_refuses_the_login), RIG_TEST(a_primary_never_greets),
        RIG_TEST(a_write_finds_no_room),       RIG_TEST(a_write_in_a_read_only_transaction_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
