/* Which stored functions and views are free of effects, which procedures leave nothing unreported,
 * and what that makes of statements. */
#include "routing/objects.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <strings.h>

static bool is_variable(const void *ctx, struct span name)
{
    static const char *const known[] = {"sql_mode", "timestamp", "autocommit"};

    (void)ctx;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (name.n == strlen(known[i]) && strncasecmp((const char *)name.p, known[i], name.n) == 0)
            return true;
    return false;
}

struct made {
    enum object_kind kind;
    const char *schema;
    const char *name;
    const char *text;
    bool acts;
};

static struct objects *judged(const struct made *rows, size_t count)
{
    struct objects *o = objects_new();

    assert_non_null(o);
    o->list = calloc(count ? count : 1, sizeof *o->list);
    assert_non_null(o->list);
    for (size_t i = 0; i < count; i++) {
        o->list[o->count++] = (struct object){
            .kind = rows[i].kind,
            .schema = strdup(rows[i].schema),
            .name = strdup(rows[i].name),
            .text = rows[i].text ? strdup(rows[i].text) : NULL,
            .text_len = rows[i].text ? strlen(rows[i].text) : 0,
            .mode = {.utf8 = true},
        };
    }
    objects_judge(o, NULL, is_variable);
    return o;
}

static void check_judged(const struct made *rows, size_t count)
{
    struct objects *o = judged(rows, count);

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < o->count; k++) {
            const struct object *x = &o->list[k];

            if (strcmp(x->name, rows[i].name) != 0 || strcmp(x->schema, rows[i].schema) != 0 ||
                x->kind != rows[i].kind)
                continue;
            if (x->acts != rows[i].acts)
                print_error("%s: %s\n", x->name, rows[i].text ? rows[i].text : "");
            assert_int_equal(x->acts, rows[i].acts);
        }
    objects_unref(o);
}

#define F(name, acts, text)                       \
    {                                             \
        OBJECT_FUNCTION, "shop", name, text, acts \
    }
#define V(name, acts, text)                   \
    {                                         \
        OBJECT_VIEW, "shop", name, text, acts \
    }

static void bodies(void **state)
{
    static const struct made rows[] = {
        F("f01", false, "RETURN x + 1"),
        F("f02", false,
          "BEGIN DECLARE n INT DEFAULT 0; SELECT COUNT(*) INTO n FROM t; RETURN n; END"),
        F("f03", false,
          "BEGIN DECLARE a, b INT; SET a = 1, b := (SELECT MAX(c) FROM t); RETURN (a); END"),
        F("f04", false,
          "BEGIN IF (x) THEN RETURN 1; ELSEIF (y) THEN RETURN 2; END IF; RETURN 3; END"),
        F("f05", false,
          "BEGIN DECLARE done INT; DECLARE c CURSOR FOR SELECT a FROM t; DECLARE CONTINUE "
          "HANDLER FOR NOT FOUND SET done = 1; OPEN c; REPEAT FETCH c INTO v; UNTIL (done) END "
          "REPEAT; CLOSE c; RETURN v; END"),
        F("f06", false, "BEGIN WHILE (i < 10) DO SET i = i + 1; END WHILE; RETURN i; END"),
        F("f07", false, "RETURN (SELECT INSERT(a, 1, 1, 'x') FROM t LIMIT 1)"),
        F("f08", false,
          "BEGIN FOR r IN (SELECT a FROM t) DO SET s = s + r.a; END FOR; RETURN s; END"),
        F("f09", false, "BEGIN SIGNAL SQLSTATE '45000'; END"),
        F("f10", false,
          "BEGIN DECLARE s VARCHAR(10) CHARACTER SET utf8mb4; SET s = 'x'; RETURN s; END"),

        F("w01", true, "BEGIN INSERT INTO t VALUES (1); RETURN 1; END"),
        F("w02", true, "BEGIN UPDATE t SET a = 1; RETURN 1; END"),
        F("w03", true, "BEGIN DELETE FROM t; RETURN 1; END"),
        F("w04", true, "BEGIN REPLACE t VALUES (1); RETURN 1; END"),
        F("w05", true, "BEGIN CALL p(); RETURN 1; END"),
        F("w06", true, "BEGIN SET @v = 1; RETURN 1; END"),
        F("w07", true, "BEGIN SELECT 1 INTO @v; RETURN 1; END"),
        F("w08", true, "BEGIN SET sql_mode = ''; RETURN 1; END"),
        F("w09", true, "BEGIN SET x = 1, SQL_MODE = ''; RETURN 1; END"),
        F("w10", true, "BEGIN SET SESSION sql_mode = ''; RETURN 1; END"),
        F("w11", true, "BEGIN SET GLOBAL x = 1; RETURN 1; END"),
        F("w12", true, "RETURN @@server_id"),
        F("w13", true, "RETURN LAST_INSERT_ID()"),
        F("w14", true, "RETURN GET_LOCK('a', 1)"),
        F("w15", true, "RETURN NEXTVAL(s)"),
        F("w16", true, "RETURN (SELECT NEXT VALUE FOR s)"),
        F("w17", true, "BEGIN DECLARE CONTINUE HANDLER FOR NOT FOUND DELETE FROM t; RETURN 1; END"),
        F("w18", true, "BEGIN CREATE TEMPORARY TABLE x (a INT); RETURN 1; END"),
        F("w19", true, "BEGIN HANDLER t OPEN; RETURN 1; END"),
        F("w20", true, "BEGIN TRUNCATE t; RETURN 1; END"),
        F("w21", true, "BEGIN DO RELEASE_LOCK('a'); RETURN 1; END"),
        F("w22", true, "RETURN (SELECT a FROM t FOR UPDATE)"),
        F("w23", true, "RETURN nobody_knows_this(1)"),
        F("w24", true, "BEGIN EXECUTE IMMEDIATE 'DROP TABLE t'; RETURN 1; END"),
        F("w25", true, "RETURN /*!110700 1 + */ 2"),
        F("w26", true, "RETURN 'unfinished"),
        F("w27", true, "BEGIN SET NAMES latin1; RETURN 1; END"),
        F("w28", true, "BEGIN SET PASSWORD = 'x'; RETURN 1; END"),
        F("w29", true, "RETURN (SELECT COUNT(*) FROM mysql.user)"),
        F("w30", true, "BEGIN KILL 5; RETURN 1; END"),
        F("w31", true, "BEGIN SELECT a INTO OUTFILE '/tmp/x' FROM t; RETURN 1; END"),
        F("w32", true, "BEGIN GET DIAGNOSTICS CONDITION 1 @a = MESSAGE_TEXT; RETURN 1; END"),
        F("w33", true, NULL),
    };

    (void)state;
    check_judged(rows, ARRAY_LEN(rows));
}

/* What a function or view does through others, however deep, and in whatever order they are listed.
 */
static void depth(void **state)
{
    static const struct made rows[] = {
        F("a_calls", true, "RETURN b_calls(1)"),
        F("b_calls", true, "RETURN shop.c_writes(1)"),
        F("c_writes", true, "BEGIN INSERT INTO t VALUES (1); RETURN 1; END"),
        F("d_reads_view", true, "RETURN (SELECT x FROM v_top)"),
        F("e_pure", false, "RETURN f_pure(1)"),
        F("f_pure", false, "RETURN 1"),
        V("v_base", true, "select `shop`.`a_calls`(`shop`.`t`.`a`) AS `x` from `shop`.`t`"),
        V("v_middle", true, "select `v_base`.`x` AS `x` from `shop`.`v_base`"),
        V("v_top", true, "select `x`.`x` AS `x` from `shop`.`v_middle` `x`"),
        V("v_pure", false, "select `shop`.`e_pure`(`shop`.`t`.`a`) AS `v_pure` from `shop`.`t`"),
        V("v_pure_too", false, "select `v_pure`.`v_pure` AS `v_other` from `shop`.`v_pure`"),
        V("v_other", false, "select `t`.`v_pure_too` AS `v_pure_too` from `shop`.`t`"),
        V("v_system", true, "select `x`.`HOST` AS `h` from `information_schema`.`PROCESSLIST` `x`"),
        V("v_connection", true, "select connection_id() AS `id`"),
        V("v_unknown", false, NULL),
    };

    (void)state;
    check_judged(rows, ARRAY_LEN(rows));
}

static const struct made shop[] = {
    F("pure", false, "RETURN 1"),
    F("Writes", true, "BEGIN DELETE FROM t; RETURN 1; END"),
    F("loaded", false, "RETURN 1"),
    {OBJECT_LOADABLE, "", "loaded", NULL, true},
    {OBJECT_FUNCTION, "other", "far", "RETURN 1", false},
    {OBJECT_FUNCTION, "Twice", "f", "RETURN 1", false},
    {OBJECT_FUNCTION, "twice", "f", "BEGIN DELETE FROM t; RETURN 1; END", true},
    {OBJECT_FUNCTION, "pkg", "g", "RETURN 1", false},
    {OBJECT_PACKAGE, "shop", "pkg", NULL, true},
    V("harmless", false, "select 1 AS `a`"),
    V("acting", true, "select `shop`.`Writes`() AS `a`"),
    F("h\xc3\xa9", false, "RETURN 1"),
};

static struct sql_class classified(const struct objects *o, const char *schema, const char *text)
{
    struct object_names room;
    struct sql_class c;

    sql_classify_with(span_of(text), (struct sql_mode){.utf8 = true}, false,
                      objects_names(o, span_of(schema), &room), &c);
    return c;
}

static void check_statements(const struct objects *o, const char *schema)
{
    static const struct {
        enum sql_reason reason;
        const char *text;
    } rows[] = {
        {SQL_IS_READ, "SELECT pure(1)"},
        {SQL_IS_READ, "SELECT PURE (1)"},
        {SQL_IS_READ, "SELECT `pure`(1), shop.pure(2), `shop` . `pure` (3), other.far()"},
        {SQL_IS_READ, "SELECT a FROM t WHERE pure(a) IN (SELECT pure(b) FROM u)"},
        {SQL_IS_READ, "SELECT shop.loaded(1)"},
        {SQL_IS_READ, "SELECT * FROM harmless"},
        {SQL_UNKNOWN_FUNCTION, "SELECT writes()"},
        {SQL_UNKNOWN_FUNCTION, "SELECT pure(WRITES())"},
        {SQL_UNKNOWN_FUNCTION, "SELECT pure(1), shop.writes()"},
        {SQL_UNKNOWN_FUNCTION, "SELECT nobody(1)"},
        {SQL_UNKNOWN_FUNCTION, "SELECT loaded(1)"},
        {SQL_UNKNOWN_FUNCTION, "SELECT far()"},
        {SQL_UNKNOWN_FUNCTION, "SELECT shop.far()"},
        {SQL_UNKNOWN_FUNCTION, "SELECT twice.f()"},
        {SQL_UNKNOWN_FUNCTION, "SELECT TWICE.f()"},
        {SQL_UNKNOWN_FUNCTION, "SELECT pkg.g()"},
        {SQL_UNKNOWN_FUNCTION, "SELECT other.shop.pure(1)"},
        {SQL_UNKNOWN_FUNCTION, "SELECT h\xc3\xa9(1)"},
        {SQL_VIEW_ACTS, "SELECT * FROM acting"},
        {SQL_VIEW_ACTS, "SELECT * FROM shop.ACTING"},
        {SQL_VIEW_ACTS, "SELECT * FROM t JOIN `Acting` USING (a)"},
        {SQL_VIEW_ACTS, "EXPLAIN SELECT * FROM acting"},
        {SQL_WRITES, "EXPLAIN DELETE FROM acting"},
        {SQL_IS_READ, "SELECT 'acting' FROM t -- acting"},
        {SQL_LOCKING, "SELECT pure(1) FROM t FOR UPDATE"},
        {SQL_HINT_PRIMARY, "/* tillway: primary */ SELECT pure(1)"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sql_class c = classified(o, schema, rows[i].text);

        if (c.reason != rows[i].reason)
            print_error("%s\n    got: %s\n", rows[i].text, sql_reason_text(c.reason));
        assert_int_equal(c.reason, rows[i].reason);
    }
}

static void statements(void **state)
{
    struct objects *o = judged(shop, ARRAY_LEN(shop));

    (void)state;
    check_statements(o, "shop");
    check_statements(o, "SHOP");
    objects_unref(o);
}

/* The verdict says whether it rests on what the servers know. */
static void looked_up(void **state)
{
    struct objects *o = judged(shop, 1);
    struct object_names room;
    const struct sql_names *names = objects_names(o, span_of("shop"), &room);
    const struct sql_mode mode = {.utf8 = true};
    struct sql_class c;

    (void)state;
    assert_null(names->view_acts); /* there are none: nothing to pay */
    sql_classify_with(span_of("SELECT pure()"), mode, false, names, &c);
    assert_true(c.looked_up && !c.writes && !c.effects);
    sql_classify_with(span_of("SELECT 1"), mode, false, names, &c);
    assert_false(c.looked_up);
    objects_unref(o);
    assert_null(objects_names(NULL, span_of("shop"), &room));
}

#define P(name, text)                               \
    {                                               \
        OBJECT_PROCEDURE, "shop", name, text, false \
    }
#define T(table, text)                             \
    {                                              \
        OBJECT_TRIGGER, "shop", table, text, false \
    }

static const struct made called[] = {
    P("quiet",
      "BEGIN DECLARE own BOOL DEFAULT @@autocommit; START TRANSACTION; SELECT 'a role' INTO"
      " @a FROM t FOR UPDATE; INSERT INTO quiet_t VALUES (1); COMMIT; END"),
    P("calls_quiet", "CALL quiet()"),
    P("recursive", "IF @n > 0 THEN CALL recursive(); END IF"),
    P("makes", "CREATE TEMPORARY TABLE x SELECT 1"),
    P("drops", "DROP TEMPORARY TABLE IF EXISTS x"),
    P("dynamic", "BEGIN EXECUTE IMMEDIATE @a; END"),
    P("prepares", "PREPARE s FROM 'SELECT 1'"),
    P("takes_role", "SET ROLE boss"),
    P("xa", "XA START 'a'"),
    P("hides", "SET SESSION session_track_system_variables = ''"),
    P("hides_too", "SET @@session_track_state_change = 0"),
    P("sometimes", "/*!110400 DO 1 */"),
    P("unknown", NULL),
    P("deep", "CALL deeper()"),
    P("deeper", "CALL `Makes`()"),
    P("asks_function", "SET @a = f_makes()"),
    P("writes", "INSERT INTO loud_t VALUES (1)"),
    P("writes_view", "INSERT INTO v_loud VALUES (1)"),
    {OBJECT_PROCEDURE, "other", "quiet", "DO 1", false},
    {OBJECT_PROCEDURE, "Twice", "p", "DO 1", false},
    {OBJECT_PROCEDURE, "twice", "p", "CALL makes()", false},
    {OBJECT_PROCEDURE, "pkg", "g", "DO 1", false},
    {OBJECT_PACKAGE, "shop", "pkg", NULL, false},
    F("f_makes", true, "BEGIN CREATE TEMPORARY TABLE x (a INT); RETURN 1; END"),
    T("quiet_t", "SET @seen = NEW.a"),
    T("loud_t", "CALL deep()"),
    V("v_loud", false, "select `t`.`a` AS `a` from `shop`.`loud_t` `t`"),
};

/* Which CALLs leave nothing that the server does not report. */
static void calls(void **state)
{
    static const struct {
        bool reported;
        const char *text;
    } rows[] = {
        {true, "CALL quiet()"},
        {true, "call QUIET"},
        {true, "CALL shop.quiet(1, ?, 'makes()', @placed) ;"},
        {true, "/* it */ CALL `shop` . `quiet` (1)"},
        {true, "CALL calls_quiet()"},
        {true, "CALL recursive()"},
        {true, "CALL other.quiet()"},
        {false, "CALL makes()"},
        {false, "CALL drops()"},
        {false, "CALL dynamic()"},
        {false, "CALL prepares()"},
        {false, "CALL takes_role()"},
        {false, "CALL xa()"},
        {false, "CALL hides()"},
        {false, "CALL hides_too()"},
        {false, "CALL sometimes()"},
        {false, "CALL unknown()"},
        {false, "CALL deep()"},
        {false, "CALL asks_function()"},
        {false, "CALL writes()"},
        {false, "CALL writes_view()"},
        {false, "CALL nobody()"},
        {false, "CALL other.nobody()"},
        {false, "CALL twice.p()"},
        {false, "CALL pkg.g()"},
        {false, "CALL quiet(any_function())"},
        {false, "CALL quiet(f_makes)"},
        {false, "CALL quiet(); CALL makes()"},
        {false, "CALL quiet(); SELECT 1"},
        {false, "BEGIN NOT ATOMIC CALL quiet(); END"},
        {false, "CALL h\xc3\xa9()"},
        {false, "EXECUTE quiet"},
        {false, "SELECT 1"},
    };
    struct objects *o = judged(called, ARRAY_LEN(called));

    (void)state;
    for (int triggers = 0; triggers < 2; triggers++) {
        o->triggers = triggers > 0;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            struct sql_class c = classified(o, "shop", rows[i].text);

            if (!(c.effects & SQL_EFFECT_REPORTED) == (rows[i].reported && triggers))
                fail_msg("%s", rows[i].text);
        }
    }
    objects_unref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),    cmocka_unit_test(depth), cmocka_unit_test(statements),
        cmocka_unit_test(looked_up), cmocka_unit_test(calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
