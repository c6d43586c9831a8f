/* What must go to a replica. */
#include "tests/unit/sql_check.h"

static const char *const plain[] = {
    "SELECT 1",
    "select 1",
    "SeLeCt 1",
    "SELECT 1;",
    "SELECT 1 ;  \n\t ",
    "SELECT 1 -- end",
    "SELECT 1 --",
    "SELECT 1 # end",
    "SELECT 1 # end\n",
    "-- begin\nSELECT 1",
    "# begin\nSELECT 1",
    "/* begin */ SELECT 1",
    "/**/SELECT/**/1/**/",
    "/* a /* b */ SELECT 1",
    "SELECT /*!40001 SQL_NO_CACHE */ * FROM t",
    "SELECT 1 /*! + 1 */",
    "SELECT /*!1*/",
    "SELECT /*!1234*/",
    "SELECT 1 /*M! + 1 */ /*M!100508 + 1 */",
    "SELECT 1 /*! /* a */ + 1 */",
    "SELECT 1 /*!50701 INTO @x */",
    "SELECT 1 /*!99999 /* a */ INTO @x */ + 1",
    "/*!40101 SELECT 1 */",
    "SELECT 1--1",
    "SELECT 1 - -1",
    "SELECT 5*/**/3",
    "SELECT * FROM t",
    "SELECT ALL a FROM t",
    "SELECT DISTINCT a FROM t",
    "SELECT DISTINCTROW (a) FROM t",
    "SELECT SQL_NO_CACHE a FROM t",
    "SELECT SQL_CACHE a FROM t",
    "SELECT HIGH_PRIORITY STRAIGHT_JOIN a FROM t",
    "SELECT SQL_BIG_RESULT SQL_BUFFER_RESULT a FROM t",
    "SELECT t.* FROM t",
    "SELECT db.t.* FROM db.t",
    "SELECT a.b FROM `Order` a",
    "SELECT `t`.`a` FROM `db`.`t`",
    "SELECT `a``b` FROM t",
    "SELECT a FROM t WHERE a = 1 AND b = 'x' OR NOT c <=> NULL",
    "SELECT a FROM t WHERE a IN (1, 2, 3)",
    "SELECT a FROM t WHERE (a, b) IN ((1, 2), (3, 4))",
    "SELECT a FROM t WHERE a NOT IN (SELECT b FROM u)",
    "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u)",
    "SELECT a FROM t WHERE NOT EXISTS(SELECT 1 FROM u)",
    "SELECT a FROM t WHERE a = ANY (SELECT b FROM u) AND a > ALL (SELECT 1)",
    "SELECT a FROM t WHERE a < SOME (SELECT 2)",
    "SELECT a FROM t WHERE a BETWEEN (1) AND (2)",
    "SELECT a FROM t WHERE a LIKE ('x%') OR a RLIKE ('x') OR a REGEXP ('y')",
    "SELECT a FROM t WHERE a XOR (b) AND (c) OR (d)",
    "SELECT a DIV (2), a MOD 2, -(a), !(a), ~(a) FROM t",
    "SELECT CASE WHEN (a) THEN (b) ELSE (c) END FROM t",
    "SELECT CASE (a) WHEN 1 THEN 2 END FROM t",
    "SELECT a FROM t ORDER BY (a) LIMIT 10 OFFSET 5",
    "SELECT a, COUNT(*) FROM t GROUP BY (a) WITH ROLLUP HAVING (COUNT(*)) > 1",
    "SELECT a FROM t LIMIT 5, 10",
    "SELECT a FROM t LIMIT ROWS EXAMINED 100",
    "SELECT a FROM t FETCH FIRST 5 ROWS ONLY",
    "SELECT a FROM t ORDER BY a FETCH FIRST 5 ROWS WITH TIES",
    "SELECT a FROM t JOIN u ON (t.a = u.a)",
    "SELECT a FROM t JOIN u USING (a)",
    "SELECT a FROM t LEFT JOIN (u, v) ON t.a = u.a",
    "SELECT a FROM t STRAIGHT_JOIN (u) ON 1",
    "SELECT a FROM (t)",
    "SELECT a FROM (SELECT 1 AS a) AS x",
    "SELECT a FROM t AS OF",
    "SELECT a FROM t USE INDEX (i) WHERE a = 1",
    "SELECT a FROM t FORCE KEY (i, j) IGNORE INDEX FOR ORDER BY (k)",
    "SELECT a FROM t USE INDEX FOR JOIN (i)",
    "SELECT a FROM t USE INDEX ()",
    "SELECT a FROM t PARTITION (p0, p1)",
    "SELECT a FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01'",
    "SELECT a FROM t FOR SYSTEM_TIME BETWEEN '2024-01-01' AND '2025-01-01'",
    "SELECT a FROM t FOR SYSTEM_TIME ALL",
    "SELECT a, b FROM t UNION SELECT a, b FROM u",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "((SELECT 1))",
    "(SELECT 1) UNION DISTINCT (SELECT 2) EXCEPT (SELECT 3) INTERSECT (SELECT 4)",
    "SELECT 1 EXCEPT ALL SELECT 2",
    "VALUES (1, 2), (3, 4)",
    "VALUES (1) UNION VALUES (2)",
    "TABLE t",
    "SELECT begin, start, role, value, next, share, end, commit, format FROM t",
    "SELECT t.select, t.update, t.into, `update` FROM t",
    "SELECT t.1e5, t.5, t.5e3x FROM t",
    "SELECT 1st FROM t",
    "SELECT 0x, 0xZZ, 0b2 FROM t",
    "SELECT 1.5, .5, 5., 1e5, 1e+5, 1E-5, .5e5, 0x1F, 0b01",
    "SELECT x'1F', X'1f', b'01', B'01', N'x', n'y'",
    "SELECT _utf8'x', _latin1 x'41', _utf8mb4 0x41",
    "SELECT 'a' 'b', \"c\"",
    "SELECT 'it''s', 'it\\'s', \"say \"\"x\"\"\", \"a\\\"b\"",
    "SELECT 'UPDATE t; DROP TABLE t', \"INTO @x\", `FOR UPDATE` FROM t",
    "SELECT '\\\\', 'x'",
    "SELECT 'a;b'",
    "SELECT \\N",
    "SELECT ? FROM t WHERE a = ?",
    "SELECT a->b FROM t",
    "SELECT a || b && c | d & e ^ f << 1 >> 2 FROM t",
    "SELECT {d '2024-01-01'}, {fn NOW()}",
    "SELECT a COLLATE utf8mb4_bin FROM t",
    "SELECT gr\xc3\xb6sse, \xe8\xa8\x82\xe5\x96\xae FROM \xe8\xa8\x82",
    "SELECT 'Gr\xc3\xb6sse'",
    "SELECT a /* INTO OUTFILE 'x' FOR UPDATE @x */ FROM t",
    "SELECT a -- FOR UPDATE\n FROM t",
    "SELECT a # ; DELETE FROM t\n FROM t",
    "SELECT mysql FROM sys",
    "SELECT * FROM mydb.mysql",
    "SELECT * FROM `mysqlx`.t",
    "SELECT * FROM a b, c d WHERE b.x = d.x",
};

static const char *const functions[] = {
    "SELECT COUNT(*), SUM(a), AVG(a), MIN(a), MAX(a) FROM t",
    "SELECT COUNT(DISTINCT (a)) FROM t",
    "SELECT GROUP_CONCAT(DISTINCT a ORDER BY b SEPARATOR ', ') FROM t",
    "SELECT CONCAT(a, ' ', b), UPPER(a), lower(b), Trim(c) FROM t",
    "SELECT CONCAT (a, b), ABS (1), IF (a, b, c), COALESCE (a, b) FROM t",
    "SELECT NOW(), CURDATE(), CURTIME(), SYSDATE(), UTC_TIMESTAMP(), CURRENT_TIMESTAMP(6)",
    "SELECT CURRENT_TIMESTAMP, CURRENT_DATE, LOCALTIME, UTC_DATE",
    "SELECT DATE_ADD(d, INTERVAL 1 DAY), d + INTERVAL (1) MONTH, EXTRACT(YEAR FROM d) FROM t",
    "SELECT DATE(d), TIME(d), YEAR(d), MONTH(d), DAY(d), WEEK(d), QUARTER(d), LAST_DAY(d) FROM t",
    "SELECT TIMESTAMPDIFF(SECOND, a, b), DATE_FORMAT(a, '%Y'), STR_TO_DATE('x', 'y') FROM t",
    "SELECT CAST(a AS DECIMAL(10, 2)), CAST(a AS CHAR(10) CHARACTER SET utf8), CAST(a AS "
    "DATETIME(6))",
    "SELECT CONVERT(a USING utf8mb4), CONVERT(a, SIGNED), BINARY(a), BINARY a FROM t",
    "SELECT SUBSTRING(a FROM 1 FOR 2), SUBSTR(a, 1, 2), MID(a, 1), LEFT(a, 1), RIGHT(a, 1) FROM t",
    "SELECT POSITION('a' IN b), LOCATE('a', b), INSTR(a, b), TRIM(LEADING 'x' FROM a) FROM t",
    "SELECT INSERT('abc', 1, 1, 'x'), REPLACE('a', 'b', 'c'), REPEAT('a', 3), REVERSE(a), "
    "TRUNCATE(a, 2)",
    "SELECT FORMAT(a, 2), CHAR(65), ASCII('a'), HEX(a), UNHEX(a), MD5(a), SHA2(a, 256), "
    "PASSWORD('x')",
    "SELECT RAND(), RAND(5), UUID(), PI(), MOD(5, 2), POW(2, 3), ROUND(a, 2), FLOOR(a), CEIL(a)",
    "SELECT IFNULL(a, 0), NULLIF(a, 0), GREATEST(a, b), LEAST(a, b), NVL(a, b), ISNULL(a) FROM t",
    "SELECT DATABASE(), SCHEMA(), CHARSET(a), COLLATION(a), SLEEP(0)",
    "SELECT JSON_EXTRACT(a, '$.x'), JSON_VALUE(a, '$.x'), JSON_OBJECT('a', 1), JSON_ARRAYAGG(a) "
    "FROM t",
    "SELECT j.a FROM t, JSON_TABLE(t.d, '$[*]' COLUMNS (a INT PATH '$.a', NESTED PATH '$.b' "
    "COLUMNS (b VARCHAR(10) PATH '$'))) j",
    "SELECT ST_X(p), ST_AsText(p), ST_Distance(a, ST_GeomFromText('POINT(1 2)')) FROM t",
    "SELECT MATCH (a, b) AGAINST ('x' IN BOOLEAN MODE) FROM t",
    "SELECT MATCH (a) AGAINST ('x' WITH QUERY EXPANSION) FROM t",
    "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY b), RANK() OVER w FROM t WINDOW w AS (ORDER "
    "BY a)",
    "SELECT SUM(a) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t",
    "SELECT LAG(a, 1) OVER (ORDER BY b), FIRST_VALUE(a) OVER (ORDER BY b), LAST_VALUE(a) OVER () "
    "FROM t",
    "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) OVER (PARTITION BY b) FROM t",
    "SELECT ROW(1, 2) = ROW(3, 4)",
    "SELECT INET_ATON('1.2.3.4'), INET6_NTOA(a), IS_IPV4(b) FROM t",
    "SELECT REGEXP_REPLACE(a, 'x', 'y'), REGEXP_SUBSTR(a, 'x') FROM t",
    "SELECT INTERVAL(5, 1, 10)",
    "SELECT COLUMN_GET(a, 'x' AS CHAR(10)) FROM t",
    "SELECT AES_DECRYPT(a, 'k'), FROM_BASE64(b), COMPRESS(c) FROM t",
};

static const char *const with[] = {
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "WITH a (x, y) AS (SELECT 1, 2) SELECT * FROM a",
    "WITH a(x) AS (SELECT 1), b (y) AS (SELECT 2), `c` (z) AS (SELECT 3) SELECT * FROM a, b, c",
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT i FROM n",
    "WITH a AS (WITH b (x) AS (SELECT 1), c (y) AS (SELECT 2) SELECT * FROM b, c) SELECT * FROM a",
    "SELECT * FROM (WITH a (x) AS (SELECT 1) SELECT * FROM a) d",
    "WITH a AS (SELECT 1) (SELECT 2) ORDER BY (1)",
    "WITH a AS (SELECT 1) VALUES (1)",
    "(WITH a (x) AS (SELECT 1) SELECT * FROM a)",
};

static const char *const explained[] = {
    "EXPLAIN SELECT 1",
    "DESCRIBE SELECT 1",
    "DESC SELECT 1",
    "EXPLAIN EXTENDED SELECT 1",
    "EXPLAIN PARTITIONS SELECT 1",
    "EXPLAIN FORMAT=JSON SELECT 1",
    "EXPLAIN FORMAT = 'JSON' SELECT 1",
    "EXPLAIN (SELECT 1)",
    "EXPLAIN WITH a (x) AS (SELECT 1) SELECT * FROM a",
    "ANALYZE SELECT a FROM t",
    "ANALYZE FORMAT=JSON SELECT a FROM t",
};

static const char *const target_queries[] = {
    "SELECT CONCAT(c.firstName,' ',c.lastName) AS CustomerName, ci.city, ci.state FROM Customer c "
    "JOIN City ci ON c.zip = ci.zip",
    "SELECT o.id AS OrderID, o.datePlaced, o.dateShipped, SUM(ol.quantity*p.currentPrice) AS "
    "OrderTotal FROM `Order` o JOIN Orderline ol ON o.id=ol.order_id JOIN Product p ON "
    "ol.product_id=p.id GROUP BY o.id",
    "SELECT p.name AS ProductName, ol.quantity FROM Orderline ol JOIN Product p ON "
    "ol.product_id=p.id JOIN `Order` o ON ol.order_id=o.id WHERE o.customer_id=1",
};

static void check_all(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sql_class c = classified_text(texts[i]);

        check_reason(texts[i], &c, SQL_IS_READ);
        assert_int_equal(c.kind, SQL_SELECT);
        assert_int_equal(c.effects, 0);
        assert_int_equal(c.statements, 1);
        assert_int_equal(c.function.n, 0);
        assert_false(c.writes);
        assert_true(sql_is_read(&c));
    }
}

static void plain_selects(void **state)
{
    (void)state;
    check_all(plain, ARRAY_LEN(plain));
}

static void with_functions(void **state)
{
    (void)state;
    check_all(functions, ARRAY_LEN(functions));
}

static void with_clauses(void **state)
{
    (void)state;
    check_all(with, ARRAY_LEN(with));
}

static void explains(void **state)
{
    (void)state;
    check_all(explained, ARRAY_LEN(explained));
}

static void the_target_queries(void **state)
{
    (void)state;
    check_all(target_queries, ARRAY_LEN(target_queries));
}

/* A read cut anywhere is not one; a read with a known tail cut off may be another read, never a
 * crash. */
static void no_read_when_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        struct span text = span_of(plain[i]);

        for (size_t n = 0; n <= text.n; n++) {
            struct sql_class c =
                classified((struct span){text.p, n}, (struct sql_mode){.utf8 = true}, true);

            assert_int_not_equal(c.reason, SQL_IS_READ);
            (void)classified((struct span){text.p, n}, (struct sql_mode){0}, false);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_selects),      cmocka_unit_test(with_functions),
        cmocka_unit_test(with_clauses),       cmocka_unit_test(explains),
        cmocka_unit_test(the_target_queries), cmocka_unit_test(no_read_when_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
