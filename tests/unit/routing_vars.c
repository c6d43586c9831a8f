#include "routing/vars.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>

static enum vars_set note(struct vars *v, const char *name, const char *value)
{
    return vars_note(v, span_of(name), span_of(value));
}

/* A list from "name=value" texts up to NULL. */
static struct vars *list_of(const char *const *texts)
{
    struct vars *v = vars_new();

    assert_non_null(v);
    for (; *texts; texts++) {
        const char *eq = strchr(*texts, '=');

        assert_non_null(eq);
        assert_int_equal(vars_note(v, (struct span){(const uint8_t *)*texts, (size_t)(eq - *texts)},
                                   span_of(eq + 1)),
                         VARS_CARRIED);
    }
    return v;
}

static struct catalog *catalog(void)
{
    static const struct {
        const char *name;
        enum variable_type type;
    } known[] = {
        {"long_query_time", VARIABLE_NUMBER},
        {"sql_select_limit", VARIABLE_NUMBER},
        {"lc_time_names", VARIABLE_TEXT},
    };
    struct catalog *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->variables = calloc(ARRAY_LEN(known), sizeof(*c->variables));
    assert_non_null(c->variables);
    c->variable_count = ARRAY_LEN(known);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        c->variables[i].name = strdup(known[i].name);
        c->variables[i].type = known[i].type;
    }
    catalog_seal(c);
    return c;
}

static void check_difference(const struct vars *from, const struct vars *to,
                             const struct catalog *c, const char *expected)
{
    struct buf out = buf_with_max(4096);

    vars_difference(&out, from, to, c);
    assert_true(buf_ok(&out));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

enum { TEXTS = 6 };

static void differences(void **state)
{
    static const struct {
        const char *from[TEXTS];
        const char *to[TEXTS];
        const char *set;
    } rows[] = {
        {{NULL}, {NULL}, ""},
        {{"a=1"}, {"a=1"}, ""},
        {{NULL}, {"a=1"}, "SET a=1"},
        {{"a=1"}, {NULL}, "SET a=DEFAULT"},
        {{"a=1"}, {"a=2"}, "SET a=2"},
        {{"a=1", "c=3"}, {"b=2", "c=3"}, "SET a=DEFAULT,b=2"},
        {{"c=3"}, {"a=1", "b=2", "c=4", "d=5"}, "SET a=1,b=2,c=4,d=5"},
        {{NULL}, {"time_zone=+03:00", "autocommit=OFF"}, "SET autocommit='OFF',time_zone='+03:00'"},
        {{NULL}, {"a=0", "sql_mode=ANSI,X"}, "SET sql_mode='ANSI,X',a=0"},
        {{NULL}, {"sql_mode="}, "SET sql_mode=''"},
        {{NULL},
         {"a=-1.50", "b=1.", "c=1.2.3", "d=-", "e=1e5"},
         "SET a=-1.50,b=1.,c='1.2.3',d='-',e='1e5'"},
        {{NULL}, {"lc_time_names=5"}, "SET lc_time_names='5'"},
        {{NULL},
         {"sql_select_limit=18446744073709551615"},
         "SET sql_select_limit=18446744073709551615"},
        /* no quote, backslash or letter beyond ASCII is ever sent as itself */
        {{NULL}, {"a=it's"}, "SET a=_utf8mb4 x'69742773'"},
        {{NULL}, {"a=\\"}, "SET a=_utf8mb4 x'5C'"},
        {{NULL}, {"a=\xc3\xa9"}, "SET a=_utf8mb4 x'C3A9'"},
        {{NULL}, {"a=@x"}, "SET a=_utf8mb4 x'4078'"},
        {{NULL}, {"character_set_results="}, "SET character_set_results=NULL"},
        {{NULL}, {"innodb_tmpdir="}, "SET innodb_tmpdir=NULL"},
        {{NULL}, {"system_versioning_asof=DEFAULT"}, "SET system_versioning_asof=DEFAULT"},
        {{NULL},
         {"tx_isolation=SERIALIZABLE", "a=1"},
         "SET a=1,SESSION tx_isolation='SERIALIZABLE'"},
        {{"tx_read_only=ON"}, {NULL}, "SET SESSION tx_read_only=DEFAULT"},
        /* names the server has twice */
        {{NULL},
         {"default_storage_engine=A", "storage_engine=B"},
         "SET default_storage_engine='B'"},
        {{"transaction_isolation=X"}, {"tx_isolation=X"}, ""},
        {{NULL}, {"wsrep_OSU_method=RSU"}, "SET wsrep_OSU_method='RSU'"},
        /* some variables do not understand a text of two bytes a letter */
        {{"character_set_connection=ucs2"},
         {"character_set_connection=utf8mb4", "a=x", "b=1"},
         "SET character_set_connection=_utf8mb4 'utf8mb4',a=_utf8mb4 'x',b=1"},
        {{"collation_connection=utf16_bin"}, {NULL}, "SET collation_connection=DEFAULT"},
        {{NULL}, {"collation_connection=utf32_bin"}, "SET collation_connection='utf32_bin'"},
    };
    struct catalog *c = catalog();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vars *from = list_of(rows[i].from);
        struct vars *to = list_of(rows[i].to);

        check_difference(from, to, c, rows[i].set);
        check_difference(from, from, c, "");
        vars_free(from);
        vars_free(to);
    }
    catalog_unref(c);
}

/* To set one of a pair changes the other; only the one told last is known. */
static void character_sets_and_collations(void **state)
{
    static const struct {
        const char *from[TEXTS];
        const char *to[TEXTS];
        const char *set;
    } rows[] = {
        {{NULL}, {"character_set_connection=latin1"}, "SET character_set_connection='latin1'"},
        {{NULL},
         {"character_set_connection=latin1", "collation_connection=latin1_bin"},
         "SET collation_connection='latin1_bin'"},
        {{NULL},
         {"collation_connection=latin1_bin", "character_set_connection=utf8mb4"},
         "SET character_set_connection='utf8mb4'"},
        {{"collation_connection=utf8mb4_bin"},
         {"character_set_connection=utf8mb4"},
         "SET character_set_connection='utf8mb4'"},
        {{"character_set_connection=utf8mb4"},
         {"collation_connection=utf8mb4_bin"},
         "SET collation_connection='utf8mb4_bin'"},
        {{"collation_connection=utf8mb4_bin"}, {NULL}, "SET collation_connection=DEFAULT"},
        {{"collation_server=latin1_bin"},
         {"character_set_server=latin1", "sql_mode="},
         "SET sql_mode='',character_set_server='latin1'"},
        {{NULL},
         {"character_set_client=latin1", "character_set_results=latin1",
          "character_set_connection=latin1"},
         "SET character_set_connection='latin1',character_set_client='latin1',"
         "character_set_results='latin1'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct vars *from = list_of(rows[i].from);
        struct vars *to = list_of(rows[i].to);

        check_difference(from, to, NULL, rows[i].set);
        vars_free(from);
        vars_free(to);
    }
}

/* SET NAMES x COLLATE y gives the results' character set a collation that only SET NAMES gives
 * again, until it is set by itself. */
static void names_with_a_collation(void **state)
{
    struct vars *empty = vars_new();
    struct vars *v = list_of((const char *const[TEXTS]){"character_set_client=latin1",
                                                        "character_set_results=latin1",
                                                        "character_set_connection=latin1"});
    struct vars *before = vars_new();

    (void)state;
    vars_copy(before, v);
    assert_int_equal(vars_note_names(v, span_of("latin1_bin")), VARS_CARRIED);
    check_difference(empty, v, NULL, "SET NAMES 'latin1' COLLATE 'latin1_bin'");
    check_difference(before, v, NULL, "SET NAMES 'latin1' COLLATE 'latin1_bin'");
    check_difference(v, v, NULL, "");
    check_difference(v, empty, NULL,
                     "SET collation_connection=DEFAULT,character_set_client=DEFAULT,"
                     "character_set_results=DEFAULT");
    assert_int_equal(note(v, "collation_connection", "utf8mb4_bin"), VARS_CARRIED);
    assert_int_equal(note(v, "character_set_client", "utf8mb4"), VARS_CARRIED);
    assert_int_equal(note(v, "sql_mode", ""), VARS_CARRIED);
    check_difference(empty, v, NULL,
                     "SET sql_mode='',NAMES 'latin1' COLLATE 'latin1_bin',"
                     "character_set_client='utf8mb4',collation_connection='utf8mb4_bin'");
    vars_copy(before, v);
    assert_int_equal(note(v, "character_set_results", "latin1"), VARS_CARRIED);
    check_difference(before, v, NULL, "SET character_set_results='latin1'");
    vars_free(v);
    vars_free(empty);
    vars_free(before);
}

/* … but within one report the order says nothing: the collation does. */
static void a_report_of_both(void **state)
{
    struct vars *v = vars_new();
    struct vars *empty = vars_new();

    (void)state;
    vars_report(v);
    assert_int_equal(note(v, "collation_connection", "utf8mb4_bin"), VARS_CARRIED);
    assert_int_equal(note(v, "character_set_connection", "utf8mb4"), VARS_CARRIED);
    check_difference(empty, v, NULL, "SET collation_connection='utf8mb4_bin'");
    vars_report(v);
    assert_int_equal(note(v, "character_set_connection", "utf8mb4"), VARS_CARRIED);
    check_difference(empty, v, NULL, "SET character_set_connection='utf8mb4'");
    vars_report(v);
    assert_int_equal(note(v, "character_set_connection", "latin1"), VARS_CARRIED);
    assert_int_equal(note(v, "collation_connection", "latin1_bin"), VARS_CARRIED);
    assert_int_equal(note(v, "character_set_connection", "latin1"), VARS_CARRIED);
    check_difference(empty, v, NULL, "SET collation_connection='latin1_bin'");
    vars_free(v);
    vars_free(empty);
}

static void rules(void **state)
{
    static const char *const pins[] = {"timestamp",
                                       "insert_id",
                                       "last_insert_id",
                                       "rand_seed1",
                                       "pseudo_thread_id",
                                       "gtid_seq_no",
                                       "sql_log_bin",
                                       "character_set_database",
                                       "max_join_size",
                                       "TIMESTAMP",
                                       "no such",
                                       "a=b",
                                       "a'b",
                                       "",
                                       "1a",
                                       "a\xc3\xa9"};
    static const char *const ignored[] = {"last_gtid", "warning_count", "in_transaction",
                                          "session_track_schema"};
    struct vars *v = vars_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pins); i++)
        assert_int_equal(note(v, pins[i], "1"), VARS_PINS);
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        assert_int_equal(note(v, ignored[i], "1"), VARS_IGNORED);
    assert_int_equal(note(v, "sql_auto_is_null", "OFF"), VARS_CARRIED);
    assert_int_equal(note(v, "sql_auto_is_null", "ON"), VARS_PINS);
    assert_int_equal(note(v, "autocommit", "ON"), VARS_CARRIED);
    assert_int_equal(note(v, "time_zone", "+00:00"), VARS_CARRIED);
    check_span(vars_value(v, "time_zone"), "+00:00");
    assert_null(vars_value(v, "timestamp").p);
    assert_null(vars_value(v, "nothing").p);
    vars_free(v);
    vars_free(NULL);
}

static void fingerprints(void **state)
{
    struct vars *a = vars_new();
    struct vars *b = vars_new();
    uint64_t one;

    (void)state;
    assert_true(vars_fingerprint(a) == 0);
    (void)note(a, "x", "1");
    one = vars_fingerprint(a);
    assert_true(one != 0);
    (void)note(a, "y", "2");
    assert_true(vars_fingerprint(a) != one);
    /* the order does not matter, what is from where does */
    (void)note(b, "y", "2");
    (void)note(b, "x", "1");
    assert_true(vars_fingerprint(a) == vars_fingerprint(b));
    (void)note(b, "x", "2");
    (void)note(b, "y", "1");
    assert_true(vars_fingerprint(a) != vars_fingerprint(b));
    (void)note(b, "x", "1");
    (void)note(b, "y", "2");
    assert_true(vars_fingerprint(a) == vars_fingerprint(b));
    vars_clear(a);
    assert_true(vars_fingerprint(a) == 0);
    (void)note(a, "x", "1");
    assert_true(vars_fingerprint(a) == one);
    (void)note(a, "x", "");
    assert_true(vars_fingerprint(a) != one && vars_fingerprint(a) != 0);
    vars_free(a);
    vars_free(b);
}

/* A copy shares until one of the two changes. */
static void copies_live_alone(void **state)
{
    struct vars *a = vars_new();
    struct vars *b = vars_new();
    struct vars *c = vars_new();

    (void)state;
    (void)note(a, "x", "1");
    (void)note(a, "y", "1");
    vars_copy(b, a);
    vars_copy(c, b);
    vars_copy(c, c);
    assert_true(vars_fingerprint(b) == vars_fingerprint(a));
    (void)note(b, "x", "2");
    check_span(vars_value(a, "x"), "1");
    check_span(vars_value(b, "x"), "2");
    check_span(vars_value(c, "x"), "1");
    (void)note(a, "z", "3");
    assert_null(vars_value(c, "z").p);
    vars_free(a);
    check_span(vars_value(c, "y"), "1");
    vars_copy(c, b);
    check_span(vars_value(c, "x"), "2");
    vars_free(b);
    check_span(vars_value(c, "x"), "2");
    vars_free(c);
}

static void caps(void **state)
{
    struct vars *v = vars_new();
    char name[16];
    char *large = malloc(70000);
    int carried = 0;

    (void)state;
    assert_non_null(large);
    memset(large, 'x', 70000);
    assert_int_equal(vars_note(v, span_of("a"), (struct span){(const uint8_t *)large, 70000}),
                     VARS_FULL);
    assert_int_equal(vars_note(v, span_of("a"), (struct span){(const uint8_t *)large, 60000}),
                     VARS_CARRIED);
    assert_int_equal(vars_note(v, span_of("b"), (struct span){(const uint8_t *)large, 60000}),
                     VARS_FULL);
    assert_true(vars_bytes(v) > 60000);
    vars_clear(v);
    assert_true(vars_bytes(v) < 1000);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "v%d", i);
        carried += note(v, name, "1") == VARS_CARRIED;
    }
    assert_int_equal(carried, 256);
    assert_int_equal(note(v, "v7", "2"), VARS_FULL); /* full is full: the caller has pinned */
    vars_free(v);
    free(large);
}

static uint64_t dice(uint64_t *random, uint64_t sides)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random % sides;
}

/* What the SET would do, played on a list: it must end in the other's state. */
static void play(struct vars *v, const char *set)
{
    char name[32];
    char value[32];
    int n;

    if (strncmp(set, "SET ", 4) == 0)
        set += 4;
    while (sscanf(set, "%31[a-z0-9_]=%31[^,]%n", name, value, &n) == 2) {
        assert_string_not_equal(value, "");
        (void)note(v, name, strcmp(value, "DEFAULT") == 0 ? "0" : value);
        set += n;
        set += *set == ',';
    }
    assert_int_equal(*set, 0);
}

static void random_lists_end_equal(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        uint64_t random = seed * 0x9E3779B97F4A7C15ULL;
        struct vars *a = vars_new();
        struct vars *b = vars_new();
        struct buf out = buf_with_max(4096);

        for (int i = 0; i < 12; i++) {
            char name[8];
            char value[8];

            (void)snprintf(name, sizeof(name), "v%u", (unsigned)dice(&random, 8));
            (void)snprintf(value, sizeof(value), "%u", (unsigned)dice(&random, 3));
            (void)note(dice(&random, 2) ? a : b, name, value);
        }
        vars_difference(&out, a, b, NULL);
        play(a, buf_text(&out));
        for (int i = 0; i < 8; i++) {
            char name[8];
            struct span x;
            struct span y;

            (void)snprintf(name, sizeof(name), "v%d", i);
            x = vars_value(a, name);
            y = vars_value(b, name);
            if (!y.p)
                y = x.p ? span_of("0") : y; /* DEFAULT is 0 here */
            check_bytes(x, y);
        }
        buf_free(&out);
        vars_free(a);
        vars_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences),
        cmocka_unit_test(character_sets_and_collations),
        cmocka_unit_test(names_with_a_collation),
        cmocka_unit_test(a_report_of_both),
        cmocka_unit_test(rules),
        cmocka_unit_test(fingerprints),
        cmocka_unit_test(copies_live_alone),
        cmocka_unit_test(caps),
        cmocka_unit_test(random_lists_end_equal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
