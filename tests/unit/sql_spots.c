/* Where a statement's text means connections by their ids. */
#include "base/buf.h"
#include "sql/spots.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const marks[] = {
    [SPOT_CONNECTION_ID] = "ID",
    [SPOT_HOLDER] = "OF",
    [SPOT_HOLDER_END] = "END",
    [SPOT_ROW_COUNT] = "ROWS",
    [SPOT_FOUND_ROWS] = "FOUND",
    [SPOT_HEADING] = "AS",
    [SPOT_PROCESSLIST] = "LIST",
    [SPOT_SHOW_PROCESSLIST] = "SHOW",
    [SPOT_SHOW_FULL_PROCESSLIST] = "FULL",
    [SPOT_THREAD] = "THREAD",
    [SPOT_KILL] = "EXPR",
    [SPOT_KILL_END] = "END",
    [SPOT_KILL_HOLDER] = "HOLDS",
};

/* The text with each spot as <MARK>, <AS heading>, <LIST AS> where the table has no alias. */
static void render(struct span text, const struct sql_spots *found, char *out, size_t size)
{
    const uint8_t *at = text.p;
    int used = 0;

    for (int i = 0; i < found->count; i++) {
        const struct sql_spot *s = &found->spots[i];

        assert_true(s->where.p >= at);
        used += snprintf(out + used, size - (size_t)used, "%.*s<%s", (int)(s->where.p - at),
                         (const char *)at, marks[s->kind]);
        if (s->kind == SPOT_HEADING)
            used += snprintf(out + used, size - (size_t)used, " %.*s", (int)s->text.n,
                             (const char *)s->text.p);
        used += snprintf(out + used, size - (size_t)used, "%s>", s->bare ? " AS" : "");
        at = s->where.p + s->where.n;
    }
    (void)snprintf(out + used, size - (size_t)used, "%.*s", (int)(text.p + text.n - at),
                   (const char *)at);
}

struct row {
    const char *text;
    const char *expected; /* NULL: nothing is found */
};

static void check(const struct row *rows, size_t n, bool in_schema)
{
    for (size_t i = 0; i < n; i++) {
        size_t length = strlen(rows[i].text);
        uint8_t *copy = malloc(length ? length : 1);
        struct sql_spots found;
        char got[2048];
        bool any;

        assert_non_null(copy);
        memcpy(copy, rows[i].text, length);
        any = sql_spots_find((struct span){copy, length}, (struct sql_mode){.utf8 = true},
                             in_schema, &found);
        if (any)
            render((struct span){copy, length}, &found, got, sizeof got);
        else
            (void)snprintf(got, sizeof got, "%s", rows[i].text);
        free(copy);
        if (rows[i].expected)
            assert_string_equal(got, rows[i].expected);
        else
            assert_string_equal(got, rows[i].text);
        assert_int_equal(any, rows[i].expected != NULL);
    }
}

static void connection_id(void **state)
{
    static const struct row rows[] = {
        {"SELECT 1", NULL},
        {"SELECT CONNECTION_ID()", "SELECT <ID><AS CONNECTION_ID()>"},
        {"SELECT row_count(), FOUND_ROWS ( ) AS n", "SELECT <ROWS><AS row_count()>, <FOUND> AS n"},
        {"DO ROW_COUNT(1), ROW_COUNT, t.found_rows()", NULL},
        {"select  connection_id ( ) , 2", "select  <ID><AS connection_id ( )> , 2"},
        {"SELECT connection_id() AS x, 1", "SELECT <ID> AS x, 1"},
        {"SELECT connection_id() x FROM t", "SELECT <ID> x FROM t"},
        {"SELECT connection_id() 'x' FROM t", "SELECT <ID> 'x' FROM t"},
        {"SELECT 1, connection_id()+1 FROM t", "SELECT 1, <ID>+1<AS connection_id()+1> FROM t"},
        {"SELECT connection_id() = 'x'", "SELECT <ID> = 'x'<AS connection_id() = 'x'>"},
        {"SELECT connection_id() IS NULL", "SELECT <ID> IS NULL<AS connection_id() IS NULL>"},
        {"SELECT connection_id() IS UNKNOWN", "SELECT <ID> IS UNKNOWN"},
        {"SELECT SQL_NO_CACHE DISTINCT connection_id()",
         "SELECT SQL_NO_CACHE DISTINCT <ID><AS connection_id()>"},
        {"SELECT (SELECT connection_id())",
         "SELECT (SELECT <ID><AS connection_id()>)<AS (SELECT connection_id())>"},
        {"SELECT a FROM t WHERE id=connection_id() ORDER BY connection_id()",
         "SELECT a FROM t WHERE id=<ID> ORDER BY <ID>"},
        {"SELECT connection_id() INTO @x", "SELECT <ID><AS connection_id()> INTO @x"},
        {"SELECT connection_id() UNION SELECT connection_id() LIMIT 1",
         "SELECT <ID><AS connection_id()> UNION SELECT <ID><AS connection_id()> LIMIT 1"},
        {"SELECT connection_id() ORDER BY 1", "SELECT <ID><AS connection_id()> ORDER BY 1"},
        {"SELECT CONCAT('a', connection_id()), b",
         "SELECT CONCAT('a', <ID>)<AS CONCAT('a', connection_id())>, b"},
        {"INSERT INTO t VALUES (connection_id())", "INSERT INTO t VALUES (<ID>)"},
        {"INSERT INTO t VALUES (1) RETURNING connection_id()",
         "INSERT INTO t VALUES (1) RETURNING <ID><AS connection_id()>"},
        {"SET @a = connection_id()", "SET @a = <ID>"},
        {"SELECT connection_id(); SELECT 'x', connection_id();",
         "SELECT <ID><AS connection_id()>; SELECT 'x', <ID><AS connection_id()>;"},
        {"SELECT /* connection_id() */ 'connection_id()', `connection_id`, connection_id", NULL},
        {"SELECT connection_id(1), d.connection_id()", NULL},
        {"SELECT connection_id(), 'open", NULL},
        {"BEGIN NOT ATOMIC DECLARE x INT DEFAULT connection_id(); END",
         "BEGIN NOT ATOMIC DECLARE x INT DEFAULT <ID>; END"},
        {"CREATE TABLE t SELECT connection_id()", "CREATE TABLE t SELECT <ID><AS connection_id()>"},
        {"CREATE OR REPLACE TEMPORARY TABLE t (a INT DEFAULT (connection_id())) AS SELECT "
         "connection_id() AS b",
         "CREATE OR REPLACE TEMPORARY TABLE t (a INT DEFAULT (connection_id())) AS SELECT <ID> AS "
         "b"},
        {"CREATE VIEW v AS SELECT connection_id()", NULL},
        {"CREATE FUNCTION f() RETURNS INT RETURN (SELECT connection_id())", NULL},
        {"CREATE DEFINER=a@b PROCEDURE p() BEGIN SELECT 1; SELECT connection_id(); END", NULL},
        {"ALTER VIEW v AS SELECT connection_id()", NULL},
        {"PREPARE s FROM 'SELECT connection_id()'", NULL},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), false);
}

static void lock_holder(void **state)
{
    static const struct row rows[] = {
        {"SELECT IS_USED_LOCK('a')", "SELECT <OF>IS_USED_LOCK('a')<END><AS IS_USED_LOCK('a')>"},
        {"select is_used_lock ( ? ) x", "select <OF>is_used_lock ( ? )<END> x"},
        {"DO IS_USED_LOCK(CONCAT('a', CONNECTION_ID()))",
         "DO <OF>IS_USED_LOCK(CONCAT('a', <ID>))<END>"},
        {"DO IS_USED_LOCK(HEX(IS_USED_LOCK(@a)))",
         "DO <OF>IS_USED_LOCK(HEX(<OF>IS_USED_LOCK(@a)<END>))<END>"},
        {"SELECT 1 WHERE IS_USED_LOCK(_x'a'),IS_USED_LOCK(@a:='b')=(1)",
         "SELECT 1 WHERE IS_USED_LOCK(_x'a'),<OF>IS_USED_LOCK(@a:='b')<END>=(1)"},
        {"CREATE TABLE t AS SELECT is_used_lock('a') AS b",
         "CREATE TABLE t AS SELECT <OF>is_used_lock('a')<END> AS b"},
        {"SELECT IS_USED_LOCK(name), IS_USED_LOCK(t.name), IS_USED_LOCK(`n`) FROM t", NULL},
        {"SELECT IS_USED_LOCK(MAX('a')), IS_USED_LOCK(f('a')), IS_USED_LOCK((SELECT 'a'))", NULL},
        {"SELECT t.IS_USED_LOCK('a'), IS_USED_LOCK, IS_USED_LOCK('a'", NULL},
        {"EXPLAIN SELECT IS_USED_LOCK('a')", NULL},
        {"EXECUTE s USING IS_USED_LOCK('a')", NULL},
        {"KILL IS_USED_LOCK('a')", "KILL <EXPR><HOLDS><END>"},
        {"KILL 1 + IS_USED_LOCK(IS_USED_LOCK(CONNECTION_ID())) + CONNECTION_ID()",
         "KILL <EXPR>1 + <HOLDS> + <ID><END>"},
        {"KILL IS_USED_LOCK(a)", "KILL <EXPR>IS_USED_LOCK(a)<END>"},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), false);
}

static void processlist(void **state)
{
    static const struct row rows[] = {
        {"SELECT * FROM information_schema.processlist", "SELECT * FROM <LIST AS>"},
        {"SELECT * FROM `information_schema`.`PROCESSLIST` WHERE id=1",
         "SELECT * FROM <LIST AS> WHERE id=1"},
        {"SELECT * FROM information_schema . processlist p", "SELECT * FROM <LIST> p"},
        {"SELECT * FROM information_schema.processlist AS p JOIN t",
         "SELECT * FROM <LIST> AS p JOIN t"},
        {"SELECT * FROM t, INFORMATION_SCHEMA.PROCESSLIST LEFT JOIN x ON 1",
         "SELECT * FROM t, <LIST AS> LEFT JOIN x ON 1"},
        {"SELECT * FROM information_schema.processlist ORDER BY id; SELECT 2",
         "SELECT * FROM <LIST AS> ORDER BY id; SELECT 2"},
        {"DELETE FROM t WHERE id NOT IN (SELECT id FROM information_schema.processlist)",
         "DELETE FROM t WHERE id NOT IN (SELECT id<AS id> FROM <LIST AS>)"},
        {"SELECT DISTINCT id, p.`Info`, processlist . db d, p.*, id+1, MAX(id), connection_id(), "
         "`odd``name`, user .host FROM information_schema.processlist p, "
         "information_schema.processlist",
         "SELECT DISTINCT id<AS id>, p.`Info`<AS Info>, processlist . db d, p.*, id+1, MAX(id), "
         "<ID><AS connection_id()>, `odd``name`, user .host<AS host> FROM <LIST> p, <LIST AS>"},
        {"SELECT id, (SELECT a, b FROM t) FROM information_schema.processlist UNION SELECT db FROM "
         "t",
         "SELECT id<AS id>, (SELECT a, b FROM t) FROM <LIST AS> UNION SELECT db FROM t"},
        {"SELECT information_schema.processlist.id FROM t", NULL},
        {"SELECT * FROM processlist", NULL},
        {"SELECT * FROM information_schema.tables", NULL},
        {"SHOW COLUMNS FROM information_schema.processlist", NULL},
        {"DESC information_schema.processlist", NULL},
        {"CREATE VIEW v AS SELECT * FROM information_schema.processlist", NULL},
        {"SHOW PROCESSLIST", "<SHOW>"},
        {"/* x */ show full processlist ; SELECT 1", "/* x */ <FULL> ; SELECT 1"},
        {"SHOW PROCESSLIST LIKE 'x'", NULL},
        {"SHOW FULL TABLES FROM processlist", NULL},
    };
    static const struct row inside[] = {
        {"SELECT * FROM processlist", "SELECT * FROM <LIST AS>"},
        {"SELECT processlist.id FROM processlist, t",
         "SELECT processlist.id<AS id> FROM <LIST AS>, t"},
        {"SELECT processlist FROM other.processlist", NULL},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), false);
    check(inside, ARRAY_LEN(inside), true);
}

static void ids(void **state)
{
    static const struct row rows[] = {
        {"EXPLAIN FOR CONNECTION 17", "EXPLAIN FOR CONNECTION <THREAD>"},
        {"EXPLAIN FORMAT=JSON FOR CONNECTION 17", "EXPLAIN FORMAT=JSON FOR CONNECTION <THREAD>"},
        {"SHOW EXPLAIN FOR 17", "SHOW EXPLAIN FOR <THREAD>"},
        {"SHOW ANALYZE FORMAT=JSON FOR 17", "SHOW ANALYZE FORMAT=JSON FOR <THREAD>"},
        {"SELECT SUBSTRING(a FROM 1 FOR 2)", NULL},
        {"KILL 17", "KILL <EXPR>17<END>"},
        {"KILL HARD QUERY @a + 1", "KILL HARD QUERY <EXPR>@a + 1<END>"},
        {"KILL CONNECTION connection_id();", "KILL CONNECTION <EXPR><ID><END>;"},
        {"KILL ?", "KILL <EXPR>?<END>"},
        {"KILL QUERY ID 17", NULL},
        {"KILL USER till", NULL},
    };

    (void)state;
    check(rows, ARRAY_LEN(rows), false);
}

static void several_are_told(void **state)
{
    struct sql_spots found;

    (void)state;
    assert_true(sql_spots_find(span_of("SHOW PROCESSLIST;"), (struct sql_mode){0}, false, &found));
    assert_false(found.several);
    assert_true(
        sql_spots_find(span_of("DO 1; SHOW PROCESSLIST"), (struct sql_mode){0}, false, &found));
    assert_true(found.several);
}

/* Too many or too deep: none at all rather than some of them. */
static void too_many(void **state)
{
    struct buf text = buf_with_max(1 << 20);
    struct sql_spots found;

    (void)state;
    buf_put_str(&text, "DO 0");
    for (int i = 0; i <= SPOTS_MAX; i++)
        buf_put_str(&text, "+connection_id()");
    assert_false(sql_spots_find(buf_span(&text), (struct sql_mode){0}, false, &found));
    buf_clear(&text);
    buf_put_str(&text, "DO connection_id()+");
    for (int i = 0; i < 100; i++)
        buf_put_str(&text, "(");
    assert_false(sql_spots_find(buf_span(&text), (struct sql_mode){0}, false, &found));
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connection_id),    cmocka_unit_test(lock_holder),
        cmocka_unit_test(processlist),      cmocka_unit_test(ids),
        cmocka_unit_test(several_are_told), cmocka_unit_test(too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
