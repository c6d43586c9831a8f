"""CALL: what the procedure left behind is asked only where its code may leave something that the server does not report."""

import time

from proxied import Proxied, main

HIDES = "CREATE TEMPORARY TABLE t SELECT 7 AS id, 'hidden' AS v"  # over the table of that name; MariaDB does not report it
SETUP = [
    "CREATE TABLE shop.log (n INT)", "CREATE TABLE shop.quiet_log (n INT)",
    "CREATE PROCEDURE shop.quiet() BEGIN DECLARE n INT; START TRANSACTION; SELECT COUNT(*) INTO n FROM shop.t;"
    " INSERT INTO shop.quiet_log VALUES (n); COMMIT; END",
    "CREATE PROCEDURE shop.outer_quiet(OUT n INT) BEGIN CALL quiet(); SET n = 5; END",
    "CREATE TRIGGER shop.quiet_trigger AFTER INSERT ON shop.quiet_log FOR EACH ROW SET @seen = NEW.n",
    "CREATE PROCEDURE shop.hides() %s" % HIDES,
    "CREATE PROCEDURE shop.outer_hides() CALL hides()",
    "CREATE PROCEDURE shop.dynamic() EXECUTE IMMEDIATE CONCAT('CREATE TEMP', 'ORARY TABLE t SELECT 7 AS id, ''hidden'' AS v')",
    "CREATE TRIGGER shop.log_trigger AFTER INSERT ON shop.log FOR EACH ROW BEGIN %s; END" % HIDES,
    "CREATE PROCEDURE shop.by_trigger() INSERT INTO shop.log VALUES (1)",
    "CREATE VIEW shop.v_log AS SELECT n FROM shop.log",
    "CREATE PROCEDURE shop.by_view() INSERT INTO v_log VALUES (1)",
    "CREATE PROCEDURE shop.role() SET ROLE NONE",
    "CREATE PROCEDURE shop.changes() DO 1",
]
QUIET = ("CALL quiet()", "CALL shop.quiet", "call `shop`.`quiet` ( ) ;", "CALL outer_quiet(@n)")
HIDING = ("CALL hides()", "CALL outer_hides()", "CALL dynamic()", "CALL by_trigger()", "CALL by_view()")


class Called(Proxied):
    config = {"monitor": {"accounts_interval": "5s"}, "pool": {"pipelining": False}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for sql in SETUP:
            cls.cluster.primary.query(sql)
        cls.cluster.wait_in_sync()
        cls.cluster.primary.query("SET GLOBAL log_output = 'TABLE'")
        cls.cluster.primary.query("SET GLOBAL general_log = 1")

    def questions(self):
        return int(self.cluster.primary.value("SELECT COUNT(*) FROM mysql.general_log WHERE argument LIKE 'SELECT CONCAT((SELECT SUM%SESSION_STATUS%'"))

    def asks(self, sql, args=None):
        """Whether the server is asked what is left of it, before what is read behind it."""
        c = self.connect()
        before = self.questions()
        self.run_sql(c, sql, args)
        for _ in range(6):  # some reads go first
            self.run_sql(c, "SELECT v FROM t WHERE id = 1")
        c.close()
        return self.questions() > before

    def wait_known(self):
        deadline = time.monotonic() + 60
        while self.asks("CALL quiet()"):
            self.assertLess(time.monotonic(), deadline, "the procedure is not known")
            time.sleep(0.05)

    def test_what_leaves_nothing(self):
        self.wait_known()
        for sql in QUIET:
            with self.subTest(sql=sql):
                self.assertFalse(self.asks(sql))
        c = self.connect()
        self.run_sql(c, "CALL quiet()")
        self.settle()
        self.assertEqual(self.went_to(c, "SELECT v FROM t WHERE id = 1"), "replica")

    def test_what_may_leave_something(self):
        self.wait_known()
        for sql in HIDING:
            with self.subTest(sql=sql):
                c = self.connect()
                self.run_sql(c, sql)
                self.settle()
                for _ in range(3):
                    self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id = 7"), [("hidden",)])
        self.assertTrue(self.asks("CALL role()"))

    def test_what_has_just_been_defined(self):
        """Between a definition and the reading of it the old verdict does not count."""
        for n in range(10):
            c, other = self.connect(), self.connect()
            self.run_sql(c, "CREATE OR REPLACE PROCEDURE changes() DO %d" % n)
            self.wait_known()
            self.run_sql(c, "CREATE OR REPLACE PROCEDURE changes() %s" % HIDES)
            self.run_sql(other, "CALL changes()")
            self.cluster.wait_in_sync()
            self.assertEqual(self.run_sql(other, "SELECT v FROM t WHERE id = 7"), [("hidden",)])
            c.close()
            other.close()

    def test_what_is_defined_while_another_is_read(self):
        c = self.connect()
        for n in range(20):
            for i in range(20):
                self.run_sql(c, "CREATE OR REPLACE PROCEDURE changes() DO %d" % i)
                time.sleep(0.001 * (n % 8))
            self.wait_known()


if __name__ == "__main__":
    main()
