"""The configuration's rules: where they send statements, what they limit, rewrite and deny."""

import json

import pymysql
from proxied import Proxied, main  # isort: skip (puts the harness on the path)

from harness.binary import Binary, Failed

RULES = [
    {"name": "reports", "statement": "read", "pattern": "group_concat", "target": "reporting",
     "consistency": "eventual"},
    {"name": "to-primary", "table": "shop.p", "target": "primary"},
    {"name": "slow", "pattern": "^select sleep", "timeout": "300ms"},
    {"name": "old-names", "schema": "shop", "table": "old_t",
     "rewrite": {"find": "\\bold_(t)\\b", "with": "$1"}},
    {"name": "to-write", "pattern": "^select from_rule", "rewrite": {"find": "select from_rule", "with": "delete from w"}},
    {"name": "denied", "table": "secrets", "network": ["127.0.0.0/8"], "deny": "secrets are nobody's business"},
    {"name": "writes-to-t2", "statement": "write", "table": "t2", "deny": "t2 is read only"},
]


class Rules(Proxied):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for table in ("p", "w", "secrets", "t2"):
            cls.cluster.primary.query("CREATE TABLE shop.%s (id INT PRIMARY KEY)" % table)
        cls.cluster.primary.query("INSERT INTO shop.w VALUES (1)")
        cls.cluster.wait_in_sync()
        servers = [dict(s, group="reporting") if s["name"] == "replica2" else s
                   for s in cls.tillway.config["servers"]]
        cls.tillway.stop()
        cls.tillway.write_config({"servers": servers, "rules": RULES})
        cls.tillway.start()

    def hits(self):
        found = json.loads(self.tillway.command("stats", "json", check=True).stdout)
        return {r["name"]: r["hits"] for r in found["rules"]}

    def server_of(self, connection, sql):
        """The name of the server that answered it."""
        before = self.routed()
        self.run_sql(connection, sql)
        after = self.routed()
        return next(name for name in after if after[name] > before[name])

    def test_a_group_takes_only_what_is_sent_to_it(self):
        self.settle()
        c = self.connect()
        for _ in range(6):
            self.assertEqual(self.server_of(c, "SELECT * FROM t"), "replica1")
            self.assertEqual(self.server_of(c, "SELECT GROUP_CONCAT(v) FROM t"), "replica2")
            self.assertEqual(self.server_of(c, "/* tillway: server=reporting */ SELECT v FROM t"), "replica2")
        self.assertEqual(self.server_of(c, "SELECT GROUP_CONCAT(v) FROM t FOR UPDATE"), "primary")
        self.assertGreaterEqual(self.hits()["reports"], 6)

    def test_to_the_primary(self):
        self.settle()
        c = self.connect()
        self.assertEqual(self.server_of(c, "SELECT * FROM p"), "primary")
        self.assertEqual(self.server_of(c, "SELECT * FROM shop.p JOIN t"), "primary")

    def test_time_limit(self):
        c = self.connect()
        for _ in range(2):
            with self.assertRaises(pymysql.err.MySQLError) as caught:
                self.run_sql(c, "SELECT SLEEP(20)")
            self.assertEqual(caught.exception.args[0], 1969)
            self.assertEqual(self.run_sql(c, "SELECT @@max_statement_time")[0][0], 0)

    def test_rewriting(self):
        self.settle()
        c = self.connect()
        self.assertEqual(self.run_sql(c, "SELECT v FROM old_t WHERE id=1"), [("one",)])
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        get = b.prepare("SELECT v FROM old_t WHERE id=?")
        for i in range(3):
            self.assertEqual(get.execute(1 + i), [(("one", "two", "three")[i],)])
            b.query("DO 1")
        with self.assertRaises(pymysql.err.MySQLError):
            self.run_sql(c, "SELECT v FROM shop.older_t")

    def test_a_read_rewritten_to_a_write_goes_to_the_primary(self):
        c = self.connect()
        self.assertEqual(self.server_of(c, "SELECT FROM_RULE"), "primary")
        self.assertEqual(self.cluster.primary.query("SELECT * FROM shop.w"), [])

    def test_denied(self):
        c = self.connect()
        for sql in ("SELECT * FROM secrets", "INSERT INTO secrets VALUES (1)", "SELECT 1 FROM t, shop.`secrets`"):
            with self.assertRaises(pymysql.err.MySQLError) as caught:
                self.run_sql(c, sql)
            self.assertEqual(caught.exception.args, (1227, "Access denied; secrets are nobody's business"))
        with self.assertRaises(pymysql.err.MySQLError) as caught:
            self.run_sql(c, "INSERT INTO t2 VALUES (1)")
        self.assertEqual(caught.exception.args[0], 1227)
        self.assertEqual(self.run_sql(c, "SELECT * FROM t2"), [])
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        with self.assertRaises(Failed) as failed:
            b.prepare("SELECT * FROM secrets WHERE id=?")
        self.assertEqual(failed.exception.args[0], 1227)
        self.assertEqual(b.prepare("SELECT v FROM t WHERE id=?").execute(1), [("one",)])

    def test_explain(self):
        def told(sql, *more):
            return self.tillway.command("explain", sql, *more, check=True).stdout
        self.assertIn("rule      reports", told("SELECT GROUP_CONCAT(v) FROM t"))
        self.assertIn("replica replica2", told("SELECT GROUP_CONCAT(v) FROM t"))
        self.assertIn("rule      none fits", told("SELECT * FROM secrets", "--client", "10.0.0.1"))
        self.assertIn("error 1227 (42000): Access denied; secrets", told("SELECT * FROM secrets", "--client", "127.0.0.1"))
        self.assertIn("rewritten SELECT * FROM t", told("SELECT * FROM old_t", "--schema", "shop"))

    def test_reload(self):
        """New rules hold for what comes next, also on sessions that are there; wrong ones are not taken."""
        c = self.connect()
        self.run_sql(c, "SELECT * FROM t")
        self.tillway.reload({"rules": RULES + [{"name": "none", "table": "t", "deny": "closed", "pattern": "limit"}]})
        self.tillway.wait_log("daemon.reload file=")
        with self.assertRaises(pymysql.err.MySQLError) as caught:
            self.run_sql(c, "SELECT * FROM t LIMIT 1")
        self.assertEqual(caught.exception.args, (1227, "Access denied; closed"))
        self.tillway.reload({"rules": [{"name": "wrong", "pattern": "("}]})
        self.tillway.wait_log("rules\\[0\\].pattern: missing closing parenthesis")
        with self.assertRaises(pymysql.err.MySQLError):
            self.run_sql(c, "SELECT * FROM t LIMIT 1")
        self.tillway.reload({"rules": RULES})
        self.assertEqual(self.tillway.command("check").returncode, 0)


if __name__ == "__main__":
    main()
