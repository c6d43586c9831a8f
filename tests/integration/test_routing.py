"""Where each class of statements goes, and what follows the session from server to server."""

import subprocess

import pymysql
from proxied import Proxied, main  # isort: skip (puts the harness on the path)

from harness import paths

READS = [
    "SELECT * FROM t", "SELECT COUNT(*), MAX(id) FROM t WHERE v LIKE 'o%'", "(SELECT 1) UNION (SELECT 2)",
    "WITH x AS (SELECT id FROM t) SELECT * FROM x", "SELECT /* FOR UPDATE */ 'FOR UPDATE' FROM t", "VALUES (1),(2)",
    "SELECT CONCAT(UPPER(v), NOW()) FROM t", "EXPLAIN SELECT * FROM t",
]
NO_READS = [
    "SELECT * FROM t FOR UPDATE", "SELECT * FROM t LOCK IN SHARE MODE", "SELECT @v := 1", "SELECT @@server_id",
    "SELECT LAST_INSERT_ID()", "SELECT CONNECTION_ID()", "SELECT GET_LOCK('a', 0)", "SELECT shop.bump()",
    "SELECT * FROM mysql.user", "SHOW TABLES", "SELECT id INTO @x FROM t LIMIT 1", "DO 1",
    "INSERT INTO t VALUES (100,'x')", "UPDATE t SET v='y' WHERE id=100", "REPLACE INTO t VALUES (100,'z')",
    "DELETE FROM t WHERE id=100", "CALL nothing()", "ANALYZE TABLE t",
]


class Routing(Proxied):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.primary.query("CREATE TABLE shop.counter (n INT)")
        cls.cluster.primary.query("INSERT INTO shop.counter VALUES (0)")
        cls.cluster.primary.query("CREATE FUNCTION shop.bump() RETURNS INT MODIFIES SQL DATA "
                                  "BEGIN UPDATE shop.counter SET n = n + 1; RETURN 1; END")
        cls.cluster.primary.query("CREATE PROCEDURE shop.nothing() BEGIN END")
        cls.cluster.wait_in_sync()

    def test_reads_go_to_replicas(self):
        for sql in READS:
            with self.subTest(sql=sql):
                self.assertEqual(self.went_to(self.connect(), sql), "replica")

    def test_all_else_goes_to_the_primary(self):
        for sql in NO_READS:
            with self.subTest(sql=sql):
                self.assertEqual(self.went_to(self.connect(), sql), "primary")

    def test_a_transaction_stays_on_the_primary(self):
        c = self.connect()
        self.run_sql(c, "BEGIN")
        self.assertEqual(self.went_to(c, "SELECT * FROM t"), "primary")
        self.run_sql(c, "COMMIT")
        self.settle()
        self.assertEqual(self.went_to(c, "SELECT * FROM t"), "replica")
        self.run_sql(c, "SET autocommit=0")
        self.assertEqual(self.went_to(c, "SELECT * FROM t"), "primary")

    def test_both_replicas_serve(self):
        before = self.routed()
        for _ in range(20):
            self.run_sql(self.connect(), "SELECT * FROM t")
        after, primary = self.routed(), self.primary_name()
        for name in after:
            if name != primary:
                self.assertGreater(after[name], before[name], name)

    def test_temporary_tables_and_user_variables_keep_their_connection(self):
        c = self.connect()
        self.run_sql(c, "CREATE TEMPORARY TABLE tmp (a INT)")
        self.run_sql(c, "INSERT INTO tmp VALUES (7)")
        self.assertEqual(self.run_sql(c, "SELECT a FROM tmp"), [(7,)])
        self.run_sql(c, "SET @a = 5")
        self.assertEqual(self.run_sql(c, "SELECT @a + 1"), [(6,)])

    def test_a_procedure_that_sets_a_user_variable_does_not_pin_for_ever(self):
        self.cluster.primary.query("CREATE OR REPLACE PROCEDURE shop.five(OUT n INT) SET n = 5")
        self.cluster.primary.query("CREATE OR REPLACE PROCEDURE shop.hide() CREATE TEMPORARY TABLE hidden AS SELECT 9 AS a")
        self.cluster.wait_in_sync()
        c = self.connect()
        self.run_sql(c, "CALL five(@n)")
        self.assertEqual(self.run_sql(c, "SELECT @n"), [(5,)])
        self.settle()
        self.assertEqual(self.went_to(c, "SELECT id FROM t WHERE v='not known to be short'"), "replica")
        self.run_sql(c, "CALL hide()")
        for _ in range(3):
            self.assertEqual(self.run_sql(c, "SELECT a FROM hidden"), [(9,)])

    def test_session_state_follows(self):
        c = self.connect()
        self.run_sql(c, "SET sql_mode='ANSI_QUOTES,PIPES_AS_CONCAT', group_concat_max_len=4, time_zone='+05:00'")
        self.settle()
        self.assertEqual(self.run_sql(c, "SELECT \"id\" || 'x' FROM t WHERE id=1"), [("1x",)])
        self.assertEqual(self.run_sql(c, "SELECT GROUP_CONCAT(v ORDER BY id) FROM t"), [("one,",)])
        here = self.run_sql(c, "SELECT TIMESTAMPDIFF(HOUR, UTC_TIMESTAMP(), NOW())")
        self.assertEqual(here, [(5,)])
        self.run_sql(c, "SET NAMES latin1")
        self.assertEqual(self.run_sql(c, "SELECT CHARSET('a'), COLLATION('a')")[0][0], "latin1")
        self.run_sql(c, "SET sql_mode=DEFAULT, group_concat_max_len=DEFAULT")
        self.assertEqual(self.run_sql(c, "SELECT GROUP_CONCAT(v ORDER BY id) FROM t"), [("one,two,three",)])

    def test_the_default_schema_follows(self):
        c = self.connect()
        self.cluster.primary.query("CREATE DATABASE IF NOT EXISTS other")
        self.cluster.primary.query("CREATE TABLE IF NOT EXISTS other.t AS SELECT 42 AS id")
        self.settle()
        self.run_sql(c, "USE other")
        self.assertEqual(self.run_sql(c, "SELECT id FROM t"), [(42,)])
        c.select_db("shop")
        self.assertEqual(self.run_sql(c, "SELECT COUNT(*) FROM t WHERE id=42"), [(0,)])

    def test_questions_about_the_statement_before(self):
        c = self.connect()
        self.run_sql(c, "SELECT 'x' + 0")
        self.assertEqual(self.run_sql(c, "SHOW WARNINGS")[0][1], 1292)
        self.run_sql(c, "SELECT * FROM t LIMIT 2")
        self.assertEqual(self.run_sql(c, "SELECT FOUND_ROWS()"), [(2,)])

    def test_a_question_does_not_move_the_sessions_home(self):
        c = self.connect()
        self.run_sql(c, "SET @a=1")
        self.settle()
        self.assertEqual(self.went_to(c, "SELECT CAST('12x' AS INT)"), "replica")
        self.assertEqual(self.went_to(c, "SHOW WARNINGS"), "replica")
        self.assertEqual(self.run_sql(c, "SELECT @a"), [(1,)])
        self.assertEqual(self.went_to(c, "UPDATE t SET v=v WHERE id=1"), "primary")
        self.assertEqual(self.went_to(c, "SELECT 1 FROM t WHERE id=0"), "replica")
        self.assertEqual(self.went_to(c, "GET DIAGNOSTICS @n = NUMBER"), "primary")
        self.assertEqual(self.run_sql(c, "SELECT @a, @n"), [(1, 0)])

    def test_an_error_on_a_replica_is_asked_again_on_the_primary(self):
        """A table that the replicas do not have yet is there for a client that only knows the primary."""
        for r in self.cluster.replicas:
            r.stop_slave()
        try:
            self.cluster.primary.query("CREATE TABLE shop.fresh AS SELECT 1 AS a")
            self.assertEqual(self.run_sql(self.connect(), "SELECT a FROM fresh"), [(1,)])
        finally:
            for r in self.cluster.replicas:
                r.start_slave()
            self.cluster.primary.query("DROP TABLE shop.fresh")
            self.settle()

    def test_the_session_shows_itself(self):
        def shown(rows):
            return {k: v for k, v in rows}
        c = self.connect()
        self.assertEqual(shown(self.run_sql(c, "SHOW TILLWAY SESSION"))["Pinned_because"], "")
        self.run_sql(c, "BEGIN")
        self.run_sql(c, "CREATE TEMPORARY TABLE tmp2 (a INT)")
        self.run_sql(c, "SELECT 1 + 'x'")
        told = shown(self.run_sql(c, "show tillway session;"))
        self.assertEqual(told["Pinned_because"], "it is in a transaction; it may have temporary tables")
        self.assertEqual(told["Session_id"], str(c.thread_id()))
        self.assertEqual(told["Consistency"], "session")
        self.assertEqual(told["Last_server"], "primary")
        self.assertEqual(self.run_sql(c, "SHOW WARNINGS")[0][1], 1292)  # of the statement before
        # MariaDB's own client has no EOF packets and asks for extended metadata.
        out = subprocess.run([paths.program("mariadb"), "--no-defaults", "-h127.0.0.1", "-P%d" % self.tillway.port, "-utill",
                              "-ptill", "-e", "SHOW TILLWAY SESSION; SELECT 5"], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn("Variable_name\tValue\n", out)
        self.assertIn("\nPinned_because\t\n", out)
        self.assertTrue(out.endswith("\n5\n5\n"), out)
        with self.assertRaises(pymysql.err.ProgrammingError):
            self.run_sql(c, "SHOW TILLWAY SESSION LIKE 'x'")

    def test_explain(self):
        out = self.tillway.command("explain", "SELECT * FROM t FOR UPDATE", check=True).stdout
        self.assertIn("not provably a read", out)
        self.assertIn("goes to", out)
        out = self.tillway.command("explain", "SELECT 1", check=True).stdout
        self.assertIn("verdict   read", out)


if __name__ == "__main__":
    main()
