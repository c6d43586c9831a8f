/* Session tracking passed on: a client is told what it wants to be told, its own session_track_…
 * variables are its own, and the proxy still learns everything. */
#include "component/rig.h"
#include "proxy/session/session_steps.h"

static const char ask_own[] = "SELECT CAST(CONCAT_WS('/',@@session.session_track_transaction_info,"
                              "@@session.session_track_schema,@@session.session_track_state_change,"
                              "IFNULL(@@session.session_track_system_variables,'')) AS BINARY)";
static const char ask_default[] =
    "SELECT CAST(CONCAT_WS('/',@@global.session_track_transaction_info,"
    "@@global.session_track_schema,@@global.session_track_state_change,"
    "IFNULL(@@global.session_track_system_variables,'')) AS BINARY)";
static const char everything[] =
    "SET session_track_system_variables='*',session_track_schema=1,session_track_state_change=1,"
    "session_track_transaction_info='CHARACTERISTICS'";
static const char wanted[] =
    "SET session_track_system_variables='autocommit',session_track_schema=1,"
    "session_track_state_change=0,session_track_transaction_info='OFF'";
static const char read_sql[] = "SELECT name FROM Product";

static void is_asked(struct peer *server, const char *sql, const char *answer)
{
    server_hears_query(server, sql);
    server_says_rows(server, answer);
}

static void is_laid_on(struct peer *server, const char *sql)
{
    server_hears_query(server, sql);
    server_says_ok(server);
}

/* A till that wants to hear of autocommit and of the schema. */
static struct scene scene_of(struct rig *r, const char *schema)
{
    struct scene s = {.till = client_connects(r, 0)};

    client_hears_greeting(s.till);
    client_logs_in(s.till, .with = CAP_SESSION_TRACK, .schema = schema);
    s.primary = server_serves(&r->servers[PRIMARY]);
    is_asked(s.primary, ask_default, "OFF/ON/OFF/autocommit");
    return s;
}

static void hears_changes(struct peer *till, struct span changes)
{
    struct ok ok = client_hears_ok(till);

    assert_int_equal(ok.changes.n, changes.n);
    if (changes.n)
        assert_memory_equal(ok.changes.p, changes.p, changes.n);
    assert_int_equal((ok.status & STATUS_SESSION_STATE_CHANGED) != 0, changes.n > 0);
}

static void a_client_hears_what_it_wants(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, NULL);

    (void)state;
    hears_changes(s.till, BYTES(""));
    client_asks(s.till, "SET autocommit=1, sql_mode='ANSI'");
    server_hears_query(s.primary, "SET autocommit=1, sql_mode='ANSI'");
    server_says(s.primary, .variable = {"sql_mode", "ANSI", "autocommit", "ON"}, .state = true,
                .schema = "shop", .transaction = "T_______", .info = "fine", .affected = 7);
    hears_changes(s.till, BYTES("\0\x0e\x0a"
                                "autocommit\x02ON\x01\x05\x04shop"));
    client_asks(s.till, "INSERT INTO t VALUES (1)");
    server_hears_query(s.primary, "INSERT INTO t VALUES (1)");
    server_says(s.primary, .gtid = "0-1-2");
    hears_changes(s.till, BYTES(""));
}

static struct peer *next_till(struct rig *r)
{
    struct peer *till = client_connects(r, 0);

    client_hears_greeting(till);
    client_logs_in(till, .with = CAP_SESSION_TRACK);
    return till;
}

/* The next session that gets the connection knows what was told over it; after a SET GLOBAL on any
 * connection it asks again. */
static void defaults_are_asked_once(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, NULL);
    struct peer *next = NULL;

    (void)state;
    (void)client_hears_ok(s.till);
    next = next_till(r);
    (void)client_hears_ok(next);
    client_asks(next, "DO 1");
    is_laid_on(s.primary, "DO 1");
    (void)client_hears_ok(next);
    client_asks(next, "SET GLOBAL sql_mode=DEFAULT");
    is_laid_on(s.primary, "SET GLOBAL sql_mode=DEFAULT");
    (void)client_hears_ok(next);
    next = next_till(r);
    s.primary = server_serves(&r->servers[PRIMARY]);
    is_asked(s.primary, ask_default, "OFF/OFF/OFF/autocommit");
    (void)client_hears_ok(next);
}

static void a_log_in_tells_the_schema(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, "shop");

    (void)state;
    server_hears(s.primary, COM_INIT_DB, "shop");
    server_says(s.primary, .schema = "shop");
    hears_changes(s.till, BYTES("\x01\x05\x04shop"));
}

static void the_clients_own_values_are_shown(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, NULL);

    (void)state;
    (void)client_hears_ok(s.till);
    client_asks(s.till, "SELECT @@session_track_schema");
    is_laid_on(s.primary, wanted);
    is_asked(s.primary, "SELECT @@session_track_schema", "1");
    (void)client_hears_rows(s.till, "1");
    client_asks(s.till, "SHOW VARIABLES");
    is_laid_on(s.primary, wanted);
    is_asked(s.primary, "SHOW VARIABLES", "x");
    (void)client_hears_rows(s.till, "x");
    client_asks(s.till, "DO 1");
    is_laid_on(s.primary, everything);
    is_laid_on(s.primary, "DO 1");
    (void)client_hears_ok(s.till);
}

/* Its OK goes to the client as it is; what else it set is learnt in front of the next statement. */
static void what_the_client_sets_is_learnt(void **state)
{
    static const char set[] = "SET session_track_system_variables='sql_mode', sql_mode='ANSI'";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, NULL);
    struct peer *replica;
    char restore[512];

    (void)state;
    (void)client_hears_ok(s.till);
    client_asks(s.till, set);
    is_laid_on(s.primary, wanted);
    server_hears_query(s.primary, set);
    server_says(s.primary, .variable = {"sql_mode", "ANSI"}, .schema = "as it is");
    hears_changes(s.till, BYTES("\0\x0e\x08sql_mode\x04"
                                "ANSI\x01\x09\x08"
                                "as it is"));
    client_asks(s.till, read_sql); /* a read, but this must be known first */
    is_asked(s.primary, ask_own, "OFF/OFF/ON/sql_mode");
    (void)snprintf(restore, sizeof restore, "%s,SESSION sql_mode=@@SESSION.sql_mode", everything);
    server_hears_query(s.primary, restore);
    server_says(s.primary, .variable = {"sql_mode", "ANSI_QUOTES"}, .schema = "shop");
    is_asked(s.primary, read_sql, "tea");
    (void)client_hears_rows(s.till, "tea");
    rig_publish(r);
    client_asks(s.till, read_sql);
    replica = server_serves(&r->servers[REPLICA]);
    server_hears(replica, COM_INIT_DB, "shop");
    server_says_ok(replica);
    is_laid_on(replica, "SET sql_mode='ANSI_QUOTES'");
    is_asked(replica, read_sql, "tea");
    (void)client_hears_rows(s.till, "tea");
}

static void what_cannot_be_learnt_pins(void **state)
{
    static const char set[] = "SET session_track_schema=0, CHARACTER SET latin1";
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, NULL);

    (void)state;
    (void)client_hears_ok(s.till);
    client_asks(s.till, set);
    is_laid_on(s.primary, wanted);
    is_laid_on(s.primary, set);
    (void)client_hears_ok(s.till);
    client_asks(s.till, "DO 1");
    is_asked(s.primary, ask_own, "OFF/OFF/OFF/autocommit");
    is_laid_on(s.primary, everything);
    is_laid_on(s.primary, "DO 1");
    (void)client_hears_ok(s.till);
    client_asks(s.till, read_sql);
    is_asked(s.primary, read_sql, "tea");
    (void)client_hears_rows(s.till, "tea");
    server_is_left_alone(&r->servers[REPLICA], 0);
}

/* An EOF packet has no room for changes: the next OK packet tells them. */
static void an_old_client_hears_later(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = {.till = client_connects(r, 0)};

    (void)state;
    client_hears_greeting(s.till);
    client_logs_in(s.till, .with = CAP_SESSION_TRACK, .without = CAP_DEPRECATE_EOF);
    s.primary = server_serves(&r->servers[PRIMARY]);
    is_asked(s.primary, ask_default, "OFF/ON/OFF/autocommit");
    (void)client_hears_ok(s.till);
    client_asks(s.till, "CALL p()");
    server_hears_query(s.primary, "CALL p()");
    server_sends_rows(
        s.primary, &(struct says){.variable = {"autocommit", "ON"}, .status = STATUS_MORE_RESULTS},
        (const char *const[]){"a", NULL});
    server_says_ok(s.primary);
    (void)client_hears_rows(s.till, "a");
    hears_changes(s.till, BYTES("\0\x0e\x0a"
                                "autocommit\x02ON"));
}

/* SHOW VARIABLES of a client without session tracking shows what a server shows it. */
static void defaults_are_shown_to_who_never_asked(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = rig_scene(r);

    (void)state;
    client_asks(s.till, "SHOW VARIABLES");
    is_laid_on(s.primary, "SET session_track_system_variables=DEFAULT,session_track_schema=DEFAULT,"
                          "session_track_state_change=DEFAULT,"
                          "session_track_transaction_info=DEFAULT");
    is_asked(s.primary, "SHOW VARIABLES", "x");
    (void)client_hears_rows(s.till, "x");
}

/* Whether code left something behind is asked under the proxy's values, which that looks at. */
static void hidden_code_is_asked_about_under_the_proxys_values(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, NULL);
    struct peer *replica;

    (void)state;
    (void)client_hears_ok(s.till);
    client_asks(s.till, "CALL p()");
    server_hears_query(s.primary, "CALL p()");
    server_says(s.primary, .state = true);
    (void)client_hears_ok(s.till);
    client_asks(s.till, "SHOW VARIABLES");
    is_laid_on(s.primary, wanted);
    is_asked(s.primary, "SHOW VARIABLES", "x");
    (void)client_hears_rows(s.till, "x");
    rig_publish(r);
    client_asks(s.till, read_sql);
    is_laid_on(s.primary, everything);
    is_asked(s.primary, read_sql, "tea");
    (void)client_hears_rows(s.till, "tea");
    rig_publish(r);
    client_asks(s.till, read_sql);
    server_hears_probe(s.primary, "0 -1 0");
    server_says_rows(s.primary, "0/");
    replica = server_serves(&r->servers[REPLICA]);
    is_asked(replica, read_sql, "tea");
    (void)client_hears_rows(s.till, "tea");
}

/* What is laid on in front of a question counts rows of its own. */
static void a_row_count_outlives_what_is_laid_on(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct scene s = scene_of(r, NULL);

    (void)state;
    (void)client_hears_ok(s.till);
    client_asks(s.till, "SHOW VARIABLES");
    is_laid_on(s.primary, wanted);
    is_asked(s.primary, "SHOW VARIABLES", "x");
    (void)client_hears_rows(s.till, "x");
    client_asks(s.till, "SELECT ROW_COUNT()");
    is_laid_on(s.primary, everything);
    is_asked(s.primary, "SELECT IF(0,ROW_COUNT(),-1) AS `ROW_COUNT()`", "-1");
    (void)client_hears_rows(s.till, "-1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(a_client_hears_what_it_wants),
        RIG_TEST(defaults_are_asked_once),
        RIG_TEST(a_log_in_tells_the_schema),
        RIG_TEST(the_clients_own_values_are_shown),
        RIG_TEST(what_the_client_sets_is_learnt),
        RIG_TEST(what_cannot_be_learnt_pins),
        RIG_TEST(an_old_client_hears_later),
        RIG_TEST(defaults_are_shown_to_who_never_asked),
        RIG_TEST(hidden_code_is_asked_about_under_the_proxys_values),
        RIG_TEST(a_row_count_outlives_what_is_laid_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
