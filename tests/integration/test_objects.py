"""Stored functions and views: what they do is looked up on the servers, and nothing is ever written on a replica."""

import time

from proxied import Proxied, main

SETUP = [
    "CREATE TABLE shop.log (n INT) ENGINE=InnoDB", "CREATE TABLE shop.aria_log (n INT) ENGINE=Aria",
    "CREATE FUNCTION shop.pure(x INT) RETURNS INT RETURN x + 1",
    "CREATE FUNCTION shop.deep(x INT) RETURNS INT BEGIN DECLARE n INT; SELECT COUNT(*) INTO n FROM shop.t;"
    " IF (n > 1) THEN SET n = shop.pure(n); END IF; RETURN n; END",
    # Declared falsely, as the server lets one.
    "CREATE FUNCTION shop.liar() RETURNS INT NO SQL DETERMINISTIC BEGIN INSERT INTO shop.log VALUES (1); RETURN 1; END",
    "CREATE FUNCTION shop.aria_liar() RETURNS INT NO SQL BEGIN INSERT INTO shop.aria_log VALUES (1); RETURN 1; END",
    "CREATE FUNCTION shop.caller() RETURNS INT RETURN shop.liar()",
    "CREATE VIEW shop.v_plain AS SELECT id, UPPER(v) AS u FROM shop.t",
    "CREATE VIEW shop.v_pure AS SELECT shop.deep(id) AS d FROM shop.v_plain",
    "CREATE VIEW shop.v_acts AS SELECT shop.caller() AS c",
    "CREATE VIEW shop.v_over AS SELECT c AS d FROM shop.v_acts",
    "CREATE FUNCTION shop.reads_view() RETURNS INT RETURN (SELECT MAX(d) FROM shop.v_over)",
    "CREATE FUNCTION shop.changes() RETURNS INT RETURN 1",
]


class Objects(Proxied):
    config = {"monitor": {"accounts_interval": "300ms"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for sql in SETUP:
            cls.cluster.primary.query(sql)
        cls.cluster.primary.query("CREATE USER boss@'%' IDENTIFIED BY 'secret'")
        cls.cluster.primary.query("GRANT ALL PRIVILEGES ON *.* TO boss@'%'")
        cls.cluster.wait_in_sync()

    def boss(self):
        """One whom read_only does not hold."""
        return self.connect(user="boss", password="secret")

    def wait_until(self, what, holds):
        deadline = time.monotonic() + 60
        while not holds():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def all_went_to(self, sql):
        """Where it was tried: before the news is there, replicas may have been asked, and refused."""
        before, primary = self.routed(), self.primary_name()
        self.run_sql(self.connect(), sql)
        after = self.routed()
        return {"primary" if name == primary else "replica" for name in after if after[name] > before[name]}

    def goes_to(self, sql, where):
        self.wait_until("%s does not go to the %s" % (sql, where), lambda: self.all_went_to(sql) == {where})

    def test_what_only_reads_is_balanced(self):
        for sql in ("SELECT pure(1)", "SELECT shop.deep(1)", "SELECT `pure`(id) FROM t", "SELECT * FROM v_plain",
                    "SELECT d FROM v_pure"):
            with self.subTest(sql=sql):
                self.goes_to(sql, "replica")

    def test_what_writes_is_not(self):
        self.goes_to("SELECT pure(1)", "replica")  # the catalog is there
        for sql in ("SELECT liar()", "SELECT pure(liar())", "SELECT caller()", "SELECT aria_liar()",
                    "SELECT * FROM v_acts", "SELECT * FROM v_over", "SELECT d FROM shop.v_over x", "SELECT reads_view()",
                    "SELECT 1 FROM t WHERE id IN (SELECT d FROM v_over)"):
            with self.subTest(sql=sql):
                self.assertEqual(self.went_to(self.connect(), sql), "primary")

    def test_it_follows_its_function(self):
        primary = self.cluster.primary
        c = self.connect()
        self.goes_to("SELECT changes()", "replica")
        before = self.rows_of(self.cluster.replicas)
        primary.query("CREATE OR REPLACE FUNCTION shop.changes() RETURNS INT BEGIN INSERT INTO shop.log VALUES (2);"
                      " RETURN 2; END")
        self.cluster.wait_in_sync()
        self.goes_to("SELECT changes()", "primary")
        self.assertEqual(self.run_sql(c, "SELECT changes()"), [(2,)])
        self.cluster.wait_in_sync()
        self.assertGreater(self.rows_of(self.cluster.replicas), before)
        primary.query("CREATE OR REPLACE FUNCTION shop.changes() RETURNS INT RETURN 1")
        self.cluster.wait_in_sync()
        self.goes_to("SELECT changes()", "replica")

    @staticmethod
    def rows_of(servers):
        return [s.query("SELECT (SELECT COUNT(*) FROM shop.log) + (SELECT COUNT(*) FROM shop.aria_log)")
                for s in servers]

    def test_changed_through_the_proxy_it_is_read_at_once(self):
        c = self.connect()
        self.run_sql(c, "CREATE FUNCTION shop.young(x INT) RETURNS INT RETURN x")
        self.goes_to("SELECT young(1)", "replica")
        self.run_sql(c, "DROP FUNCTION shop.young")

    def test_nothing_is_written_on_a_replica(self):
        """Changed behind the proxy's back, and called before it can know, by somebody above read_only."""
        primary = self.cluster.primary
        for body in ("INSERT INTO shop.log VALUES (3)", "INSERT INTO shop.aria_log VALUES (3)"):
            primary.query("CREATE OR REPLACE FUNCTION shop.changes() RETURNS INT RETURN 1")
            self.cluster.wait_in_sync()
            self.goes_to("SELECT changes()", "replica")
            boss = self.boss()
            self.run_sql(boss, "SELECT changes()")
            primary.query("CREATE OR REPLACE FUNCTION shop.changes() RETURNS INT BEGIN %s; RETURN 7; END" % body)
            self.cluster.wait_in_sync()
            for _ in range(10):
                self.assertEqual(self.run_sql(boss, "SELECT changes()"), [(7,)])
            self.cluster.wait_in_sync()
            logged = self.rows_of([primary] + self.cluster.replicas)
            self.assertEqual(len(set(map(str, logged))), 1, logged)
        primary.query("CREATE OR REPLACE FUNCTION shop.changes() RETURNS INT RETURN 1")

    def test_a_view_changed_behind_our_back(self):
        primary = self.cluster.primary
        primary.query("CREATE OR REPLACE VIEW shop.v_turns AS SELECT 1 AS a")
        self.cluster.wait_in_sync()
        boss = self.boss()
        self.run_sql(boss, "SELECT * FROM v_turns")
        primary.query("CREATE OR REPLACE VIEW shop.v_turns AS SELECT shop.liar() AS a")
        self.cluster.wait_in_sync()
        before = self.rows_of([primary])
        for _ in range(5):
            self.assertEqual(self.run_sql(boss, "SELECT * FROM v_turns"), [(1,)])
        self.cluster.wait_in_sync()
        logged = self.rows_of([primary] + self.cluster.replicas)
        self.assertEqual(len(set(map(str, logged))), 1, logged)
        self.assertNotEqual(before, self.rows_of([primary]))


if __name__ == "__main__":
    main()
