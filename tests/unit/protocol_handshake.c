#include "protocol/handshake.h"
#include "tests/unit/check.h"

/* MariaDB 10.11.19's greeting, as it came. */
#define GREETING                             \
    "\x0a"                                   \
    "5.5.5-10.11.19-MariaDB-0+deb12u1-log\0" \
    "\x1a\x05\0\0"                           \
    "ossi5j:|\0"                             \
    "\xfe\xf7\x2d\x02"                       \
    "\0\xff\x81\x15\0\0\0\0\0\0\x1d\0\0\0"   \
    "'Hv9V(`0iDWi\0"                         \
    "mysql_native_password\0"

/* Connector/C 3.3.20's answer to it, user till, password till, database shop. */
#define LOGIN_C                                                                            \
    "\x8c\xa2\xbf\0\0\0\x10\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1d\0\0\0"         \
    "till\0"                                                                               \
    "\x14\xe1\xbd\x08\xcc\x95\x29\xfd\x2d\x34\x02\x28\xda\x81\x90\x55\x19\x8c\x69\x0f\x5e" \
    "shop\0"                                                                               \
    "mysql_native_password\0"                                                              \
    "\x14\x03_os\x05Linux\x04_pid\x04"                                                     \
    "8914"

/* PyMySQL 1.0.2's: it says it is MySQL, and leaves the extended capabilities empty. */
#define LOGIN_PY                                                                           \
    "\x0d\xa2\x3a\0\xff\xff\xff\0\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"       \
    "till\0"                                                                               \
    "\x14\xe1\xbd\x08\xcc\x95\x29\xfd\x2d\x34\x02\x28\xda\x81\x90\x55\x19\x8c\x69\x0f\x5e" \
    "shop\0"                                                                               \
    "mysql_native_password\0"                                                              \
    "\x08\x04_pid\x02"                                                                     \
    "12"

#define LOGIN_HEAD_WITH(third) \
    "\x8c\xa2" third "\0\0\0\x10\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const uint64_t everything = UINT64_MAX;

static void a_real_greeting(void **state)
{
    struct greeting g;
    struct buf b = buf_with_max(1000);
    const char *why;

    (void)state;
    assert_true(greeting_decode(BYTES(GREETING), &g, &why));
    assert_null(why);
    check_span(g.version, "5.5.5-10.11.19-MariaDB-0+deb12u1-log");
    assert_int_equal(g.connection_id, 0x51a);
    assert_memory_equal(g.nonce, "ossi5j:|'Hv9V(`0iDWi", AUTH_NONCE);
    assert_true(g.capabilities == 0x1d81fff7feULL);
    assert_int_equal(g.collation, 45);
    assert_int_equal(g.status, STATUS_AUTOCOMMIT);
    check_span(g.plugin, AUTH_NATIVE);
    greeting_encode(&b, &g);
    check_bytes(buf_span(&b), BYTES(GREETING));
    buf_free(&b);
}

static void greetings_cut_anywhere(void **state)
{
    struct span whole = BYTES(GREETING);
    size_t needed = whole.n - strlen("mysql_native_password") - 1;
    struct greeting g;
    const char *why;

    (void)state;
    for (size_t n = 0; n < needed - 1; n++) {
        assert_false(greeting_decode((struct span){whole.p, n}, &g, &why));
        assert_non_null(why);
    }
    assert_true(greeting_decode((struct span){whole.p, whole.n - 1}, &g, &why));
    check_span(g.plugin, AUTH_NATIVE);
}

static void other_first_packets(void **state)
{
    static const struct {
        struct span in;
        const char *why;
    } rows[] = {
        {ROW_BYTES("\xff\x10\x04Too many connections"), "error"},
        {ROW_BYTES("\x09"
                   "3.23.0\0"),
         "version 10"},
        {ROW_BYTES("\x0a"
                   "4.0.0\0"
                   "\1\0\0\0"
                   "12345678\0"
                   "\0\0"
                   "\0\0\0"
                   "\0\0\0\0\0\0\0\0\0\0\0\0\0"
                   "123456789012\0"),
         "before 4.1"},
    };
    struct greeting g;
    const char *why;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_false(greeting_decode(rows[i].in, &g, &why));
        assert_non_null(strstr(why, rows[i].why));
    }
}

static void a_mysql_greeting_has_no_extended_capabilities(void **state)
{
    struct greeting g = {.version = span_of("8.0.36"),
                         .capabilities = 0x1d00000000ULL | CAP_CLIENT_MYSQL | CAP_PROTOCOL_41 |
                                         CAP_SECURE_CONNECTION | CAP_PLUGIN_AUTH,
                         .plugin = span_of("caching_sha2_password")};
    struct greeting again;
    struct buf b = buf_with_max(1000);
    const char *why;

    (void)state;
    memcpy(g.nonce, "abcdefghijklmnopqrst", AUTH_NONCE);
    greeting_encode(&b, &g);
    assert_true(greeting_decode(buf_span(&b), &again, &why));
    assert_true(again.capabilities == (g.capabilities & UINT32_MAX));
    assert_memory_equal(again.nonce, g.nonce, AUTH_NONCE);
    check_span(again.plugin, "caching_sha2_password");
    buf_free(&b);
}

static void a_login_of_connector_c(void **state)
{
    struct login l;
    struct greeting g;
    uint8_t stage1[AUTH_HASH];
    uint8_t stage2[AUTH_HASH];
    struct buf b = buf_with_max(1000);
    const char *why;

    (void)state;
    assert_true(login_decode(BYTES(LOGIN_C), everything, &l, &why));
    assert_true(l.capabilities == 0x1d00bfa28cULL);
    assert_int_equal(l.max_packet, 0x100000);
    assert_int_equal(l.collation, 33);
    check_span(l.user, "till");
    check_span(l.database, "shop");
    check_span(l.plugin, AUTH_NATIVE);
    check_span(l.attributes, "\x03_os\x05Linux\x04_pid\x04"
                             "8914");
    assert_false(l.ssl_request);
    assert_true(greeting_decode(BYTES(GREETING), &g, &why));
    assert_true(auth_parse_stage2(span_of("*736304A180CFC7262687D518DCC5449804DFDA66"), stage2));
    assert_true(auth_native_check(g.nonce, l.auth, stage2, stage1));
    login_encode(&b, &l);
    check_bytes(buf_span(&b), BYTES(LOGIN_C));
    buf_free(&b);
}

static void a_login_of_pymysql(void **state)
{
    struct login l;
    const char *why;

    (void)state;
    assert_true(login_decode(BYTES(LOGIN_PY), everything, &l, &why));
    assert_true(l.capabilities == 0x003aa20dULL);
    check_span(l.user, "till");
    assert_int_equal(l.auth.n, AUTH_HASH);
    check_span(l.database, "shop");
    check_span(l.attributes, "\x04_pid\x02"
                             "12");
}

static void what_was_not_offered_is_dropped(void **state)
{
    struct login l;
    const char *why;

    (void)state;
    assert_true(login_decode(BYTES(LOGIN_C), everything & ~(CAP_MARIADB_BULK | CAP_CONNECT_ATTRS),
                             &l, &why));
    assert_false(l.capabilities & CAP_MARIADB_BULK);
    assert_int_equal(l.attributes.n, 0);
}

/* MySQL's clients put it behind everything else. */
static void a_level_for_zstd(void **state)
{
    struct buf b = buf_with_max(1000);
    struct login l = {.capabilities = CAP_PROTOCOL_41 | CAP_SECURE_CONNECTION | CAP_ZSTD |
                                      CAP_CLIENT_MYSQL | CAP_CONNECT_ATTRS,
                      .user = span_of("till"),
                      .attributes = BYTES("\x01k\x01v"),
                      .zstd_level = 7};
    struct login got;
    const char *why;

    (void)state;
    login_encode(&b, &l);
    assert_true(login_decode(buf_span(&b), everything, &got, &why));
    assert_int_equal(got.zstd_level, 7);
    check_span(got.attributes, "\x01k\x01v");
    assert_true(login_decode(buf_span(&b), everything & ~CAP_ZSTD, &got, &why));
    assert_int_equal(got.zstd_level, 0);
    assert_true(login_decode((struct span){b.data, b.len - 1}, everything, &got, &why));
    assert_int_equal(got.zstd_level, 0);
    buf_free(&b);
}

static void logins_cut_anywhere(void **state)
{
    struct span whole = BYTES(LOGIN_C);
    struct login l;
    const char *why;
    int refused = 0;

    (void)state;
    for (size_t n = 0; n < whole.n; n++) {
        if (login_decode((struct span){whole.p, n}, everything, &l, &why))
            continue;
        assert_non_null(why);
        refused++;
    }
    /* Taken: texts whose closing NUL is missing, and packets that end behind a field. */
    assert_in_range(refused, 32 + 26 + 20, whole.n - 1);
}

static void odd_logins(void **state)
{
    static const struct {
        struct span in;
        bool ok;
        const char *user;
        size_t auth;
    } rows[] = {
        {ROW_BYTES(LOGIN_HEAD_WITH("\x08")), false, NULL, 0}, /* nothing follows */
        {ROW_BYTES(LOGIN_HEAD_WITH("\x08") "u\0"
                                           "\0"),
         true, "u", 0}, /* no password */
        {ROW_BYTES(LOGIN_HEAD_WITH("\x08") "u"), false, NULL, 0},
        {ROW_BYTES(LOGIN_HEAD_WITH("\x08") "\0"
                                           "\x02"
                                           "ab"
                                           "mysql_native_password"),
         true, "", 2},
        {ROW_BYTES(LOGIN_HEAD_WITH("\x08") "u\0"
                                           "\x05"
                                           "ab"),
         false, NULL, 0},
        {ROW_BYTES(LOGIN_HEAD_WITH("\x28") "u\0"
                                           "\xfc\x02\0"
                                           "ab"
                                           "p\0"),
         true, "u", 2},
        {ROW_BYTES("\x05\xa6\0\0\0u\0pass"), false, NULL, 0}, /* before 4.1 */
        {ROW_BYTES(""), false, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct login l;
        const char *why;

        assert_int_equal(login_decode(rows[i].in, everything, &l, &why), rows[i].ok);
        assert_int_equal(why == NULL, rows[i].ok);
        if (rows[i].ok) {
            check_span(l.user, rows[i].user);
            assert_int_equal(l.auth.n, rows[i].auth);
        }
    }
}

static void a_request_for_tls(void **state)
{
    struct login l = {.capabilities = CAP_PROTOCOL_41 | CAP_SSL | CAP_SECURE_CONNECTION,
                      .max_packet = 1 << 24,
                      .collation = 45,
                      .ssl_request = true};
    struct login again;
    struct buf b = buf_with_max(100);
    const char *why;

    (void)state;
    login_encode(&b, &l);
    assert_int_equal(b.len, 32);
    assert_true(login_decode(buf_span(&b), everything, &again, &why));
    assert_true(again.ssl_request);
    assert_int_equal(again.collation, 45);
    assert_false(login_decode(buf_span(&b), everything & ~CAP_SSL, &again, &why));
    buf_free(&b);
}

static const uint64_t change_caps = CAP_PROTOCOL_41 | CAP_SECURE_CONNECTION | CAP_PLUGIN_AUTH |
                                    CAP_PLUGIN_AUTH_LENENC | CAP_CONNECT_ATTRS;
static const struct {
    struct span in;
    bool ok;
    const char *database;
    uint16_t collation;
    const char *plugin;
    const char *attributes;
} change_rows[] = {
    {ROW_BYTES("\x11"
               "till\0"
               "\x02"
               "ab"
               "shop\0"
               "\x2d\0"
               "plug\0"
               "\x04\x01"
               "a\x01"
               "b"),
     true, "shop", 45, "plug",
     "\x01"
     "a\x01"
     "b"},
    {ROW_BYTES("\x11"
               "till\0"
               "\x02"
               "ab"
               "shop\0"
               "\x2d\0"
               "plug\0"),
     true, "shop", 45, "plug", ""},
    {ROW_BYTES("\x11"
               "till\0"
               "\x02"
               "ab"
               "\0"
               "\x2d\x01"),
     true, "", 301, "", ""},
    {ROW_BYTES("\x11"
               "till\0"
               "\x02"
               "ab"
               "shop\0"),
     true, "shop", 0, "", ""},
    {ROW_BYTES("\x11"
               "till\0"
               "\x02"
               "ab"
               "shop\0"
               "\x2d"),
     false, "", 0, "", ""},
    {ROW_BYTES("\x11"
               "till\0"
               "\x09"
               "ab"
               "shop\0"),
     false, "", 0, "", ""},
    {ROW_BYTES("\x11"
               "till"),
     false, "", 0, "", ""},
    {ROW_BYTES("\x11"), false, "", 0, "", ""},
    {ROW_BYTES(""), false, "", 0, "", ""},
};

static void change_user(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(change_rows); i++) {
        struct change_user u;
        const char *why;

        assert_int_equal(change_user_decode(change_rows[i].in, change_caps, &u, &why),
                         change_rows[i].ok);
        assert_int_equal(why == NULL, change_rows[i].ok);
        if (!change_rows[i].ok)
            continue;
        check_span(u.user, "till");
        check_span(u.auth, "ab");
        check_span(u.database, change_rows[i].database);
        assert_int_equal(u.collation, change_rows[i].collation);
        check_span(u.plugin, change_rows[i].plugin);
        check_span(u.attributes, change_rows[i].attributes);
    }
}

/* Unlike the login's, the length is one byte whatever was negotiated. */
static void change_user_with_a_long_reply(void **state)
{
    struct buf b = buf_with_max(1000);
    struct change_user u;
    const char *why;

    (void)state;
    buf_put_u8(&b, COM_CHANGE_USER);
    buf_put_cstr(&b, "till");
    buf_put_u8(&b, 0xFC);
    buf_put_zeros(&b, 0xFC);
    buf_put_cstr(&b, "shop");
    assert_true(change_user_decode(buf_span(&b), change_caps, &u, &why));
    assert_int_equal(u.auth.n, 0xFC);
    check_span(u.database, "shop");
    buf_free(&b);
}

static void auth_switch(void **state)
{
    static const uint8_t nonce[AUTH_NONCE + 1] = "0123456789abcdefghij";
    struct buf b = buf_with_max(100);
    struct span plugin;
    struct span data;

    (void)state;
    auth_switch_encode(&b, AUTH_NATIVE, (struct span){nonce, AUTH_NONCE}, true);
    check_bytes(buf_span(&b), BYTES("\xfemysql_native_password\0"
                                    "0123456789abcdefghij\0"));
    assert_true(auth_switch_decode(buf_span(&b), &plugin, &data));
    check_span(plugin, AUTH_NATIVE);
    check_span(data, "0123456789abcdefghij");
    assert_true(auth_switch_decode(BYTES("\xfe"), &plugin, &data));
    check_span(plugin, "");
    assert_true(auth_switch_decode(BYTES("\xfe"
                                         "client_ed25519\0"
                                         "0123456789012345678901234567890\0"),
                                   &plugin, &data));
    assert_int_equal(data.n, 32);
    assert_false(auth_switch_decode(BYTES("\xfe"
                                          "no end"),
                                    &plugin, &data));
    assert_false(auth_switch_decode(BYTES("\0"), &plugin, &data));
    assert_false(auth_switch_decode(BYTES(""), &plugin, &data));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_real_greeting),
        cmocka_unit_test(greetings_cut_anywhere),
        cmocka_unit_test(other_first_packets),
        cmocka_unit_test(a_mysql_greeting_has_no_extended_capabilities),
        cmocka_unit_test(a_login_of_connector_c),
        cmocka_unit_test(a_login_of_pymysql),
        cmocka_unit_test(what_was_not_offered_is_dropped),
        cmocka_unit_test(a_level_for_zstd),
        cmocka_unit_test(logins_cut_anywhere),
        cmocka_unit_test(odd_logins),
        cmocka_unit_test(a_request_for_tls),
        cmocka_unit_test(change_user),
        cmocka_unit_test(change_user_with_a_long_reply),
        cmocka_unit_test(auth_switch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
