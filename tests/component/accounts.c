/* What a session brings to the servers with its log-in, and what comes of it when accounts change
 * while sessions live. */
#include "component/rig.h"

#define DENIED "Access denied for user 'till'@'10.0.0.1' (using password: YES)"
#define SHOP   "\x0cprogram_name\x04shop"
#define HERE             \
    "\x0a_client_ip\x09" \
    "127.0.0.1"

static const char update_sql[] = "UPDATE t SET a=1";

/* A connection to the server, whose log-in has these attributes. */
static struct peer *serves_with(struct server *server, struct span attributes)
{
    struct peer *p = server_accepts(server);

    server_greets(p);
    server_hears_attributes(p, "till", attributes);
    server_says_ok(p);
    server_hears_setup(p);
    return p;
}

static struct peer *till_with(struct rig *r, struct span attributes)
{
    struct peer *till = client_greeted(r);

    client_logs_in(till, .with = CAP_CONNECT_ATTRS, .attributes = attributes);
    return till;
}

static void attributes_reach_the_servers_with_the_address(void **state)
{
    static const struct {
        struct span sent, heard;
    } rows[] = {
        {ROW_BYTES(SHOP), ROW_BYTES(HERE SHOP)},
        {ROW_BYTES("\x0a_client_ip\x07"
                   "1.2.3.4" SHOP),
         ROW_BYTES(HERE SHOP)},
        {ROW_BYTES(SHOP "\x04_os"), ROW_BYTES(HERE SHOP)},
        {ROW_BYTES(""), ROW_BYTES(HERE)},
    };
    struct rig *r = rig_start(.by_attributes = true);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer *till = till_with(r, rows[i].sent);
        struct peer *primary;

        if (i == 1 || i == 2) { /* they are the same as the first: so is the connection */
            (void)client_hears_ok(till);
            continue;
        }
        primary = serves_with(&r->servers[PRIMARY], rows[i].heard);
        (void)client_hears_ok(till);
        RUNS(till, primary, update_sql, .affected = 1);
    }
}

static void attributes_are_the_openers(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = till_with(r, BYTES(SHOP));
    struct peer *primary = serves_with(&r->servers[PRIMARY], BYTES(HERE SHOP));
    struct peer *other;

    (void)state;
    (void)client_hears_ok(till);
    other = till_with(r, BYTES("\x04_pid\x01"
                               "7"));
    (void)client_hears_ok(other);
    RUNS(other, primary, update_sql, .affected = 1);
    server_is_left_alone(&r->servers[PRIMARY], 50);
}

/* The proxy knows the old password only, the server the new one already. */
static void a_password_that_the_server_refuses_is_checked_anew(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    rig_changes_passwords(r);
    client_logs_in(till, .user = "till");
    server_refuses(&r->servers[PRIMARY], 1045, "28000", DENIED);
    client_is_refused(till, 1045, "28000", "'till'@'127.0.0.1' (using password: YES)");
    assert_int_equal(atomic_load(&r->refreshes), 1);
}

/* The accounts say yes, the server no: perhaps it lets nobody in from the proxy's address. */
static void what_the_server_says_in_the_end_counts(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = client_greeted(r);

    (void)state;
    client_logs_in(till, .user = "till");
    server_refuses(&r->servers[PRIMARY], 1045, "28000", DENIED);
    server_refuses(&r->servers[PRIMARY], 1045, "28000", DENIED);
    client_is_refused(till, 1045, "28000", "'till'@'10.0.0.1'");
    assert_int_equal(atomic_load(&r->refreshes), 1);
}

/* A till that is in, and whose connections are gone; till's password is "changed" by now. */
static struct peer *outdated_till(struct rig *r)
{
    struct scene s = rig_scene(r);

    peer_cut(s.primary);
    rig_changes_passwords(r);
    catalog_ref(r->catalog);
    rig_send_catalog(r, r->catalog, 0);
    rig_barrier(r);
    return s.till;
}

static void who_is_in_stays_in_when_the_password_changes(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = outdated_till(r);
    struct peer *other = client_greeted(r);
    struct peer *primary;

    (void)state;
    client_logs_in(other, .password = "changed");
    primary = server_lets_in(&r->servers[PRIMARY], "till", "changed");
    (void)client_hears_ok(other);
    RUNS(other, primary, "BEGIN", .status = STATUS_IN_TRANS);
    client_asks(till, update_sql);
    server_refuses(&r->servers[PRIMARY], 1045, "28000", DENIED);
    primary = server_lets_in(&r->servers[PRIMARY], "till", "changed");
    server_hears_query(primary, update_sql);
    server_says(primary, .affected = 1);
    (void)client_hears_ok(till);
}

/* Where nobody has come by the new password yet, the client is to log in anew. */
static void who_cannot_come_back_is_told_and_closed(void **state)
{
    struct rig *r = rig_start(.workers = 1);
    struct peer *till = outdated_till(r);

    (void)state;
    client_asks(till, update_sql);
    server_refuses(&r->servers[PRIMARY], 1045, "28000", DENIED);
    client_is_refused(till, 1045, "28000", "Access denied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(attributes_reach_the_servers_with_the_address),
        RIG_TEST(attributes_are_the_openers),
        RIG_TEST(a_password_that_the_server_refuses_is_checked_anew),
        RIG_TEST(what_the_server_says_in_the_end_counts),
        RIG_TEST(who_is_in_stays_in_when_the_password_changes),
        RIG_TEST(who_cannot_come_back_is_told_and_closed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
