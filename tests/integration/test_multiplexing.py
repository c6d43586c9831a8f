"""A hundred sessions on one connection a server: each sees its own state, and only its own."""

import json
import threading
import unittest

from proxied import Proxied, main


SESSIONS = 100


class Multiplexing(Proxied):
    replicas = 1

    @classmethod
    def configured(cls):
        servers = [{"name": s.name, "address": "%s:%d" % (s.host, s.port), "max_connections": 1}
                   for s in cls.cluster.servers]
        return {"servers": servers, "pool": {"wait": "60s"}}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.primary.query("CREATE TABLE shop.own (id INT AUTO_INCREMENT PRIMARY KEY, who INT, n INT)")
        cls.cluster.wait_in_sync()

    def one(self, c, who):
        """What a till does in between others; its state is unlike any other's."""
        limit = 1000 + who
        self.run_sql(c, "SET sql_select_limit=%d, @@session.group_concat_max_len=%d" % (limit, 2000 + who))
        self.run_sql(c, "INSERT INTO own (who, n) VALUES (%d, 1), (%d, 2), (%d, 3)" % (who, who, who))
        self.assertEqual(self.run_sql(c, "SELECT ROW_COUNT()"), [(3,)])
        first = self.run_sql(c, "SELECT LAST_INSERT_ID()")[0][0]
        self.assertEqual(self.run_sql(c, "SELECT who FROM own WHERE id=%d" % first), [(who,)])
        self.assertEqual(self.run_sql(c, "SELECT FOUND_ROWS()"), [(1,)])
        self.assertEqual(self.run_sql(c, "SELECT n FROM own WHERE who=%d ORDER BY n" % who), [(1,), (2,), (3,)])
        self.assertEqual(self.run_sql(c, "SELECT FOUND_ROWS()"), [(3,)])
        self.assertEqual(self.run_sql(c, "SELECT @@sql_select_limit, @@group_concat_max_len"), [(limit, 2000 + who)])
        self.run_sql(c, "UPDATE own SET n=n+1 WHERE who=%d" % who)
        self.assertEqual(self.run_sql(c, "SELECT ROW_COUNT()"), [(3,)])
        self.run_sql(c, "BEGIN")
        self.run_sql(c, "DELETE FROM own WHERE who=%d AND n=4" % who)
        self.assertEqual(self.run_sql(c, "SELECT COUNT(*) FROM own WHERE who=%d" % who), [(2,)])
        self.run_sql(c, "ROLLBACK" if who % 2 else "COMMIT")
        self.assertEqual(self.run_sql(c, "SELECT COUNT(*) FROM own WHERE who=%d" % who), [(3 if who % 2 else 2,)])
        self.assertEqual(self.run_sql(c, "SELECT LAST_INSERT_ID()"), [(first,)])
        self.assertEqual(self.run_sql(c, "SELECT DATABASE()"), [("shop",)])

    def test_a_hundred_sessions(self):
        failed = []
        sessions = [self.connect() for _ in range(SESSIONS)]

        def run(c, who):
            try:
                self.one(c, who)
            except BaseException as e:  # noqa: BLE001: told by the main thread
                failed.append("session %d: %s" % (who, e))

        threads = [threading.Thread(target=run, args=(c, who)) for who, c in enumerate(sessions)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(90)
        self.assertEqual(failed, [])
        self.assertFalse(any(t.is_alive() for t in threads))
        for server in self.cluster.servers:
            self.assertLessEqual(self.most_at_once(server), 1, server.name)

    def most_at_once(self, server):
        """The till's connections that a server has now."""
        rows = server.query("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER='till'")
        return int(rows[0][0])

    def test_nothing_waits_without_need(self):
        c = self.connect()
        self.run_sql(c, "SELECT v FROM t WHERE id=1")
        before = json.loads(self.tillway.command("stats", "json", check=True).stdout)["waited_for_connection"]
        for _ in range(20):
            self.run_sql(c, "SELECT v FROM t WHERE id=1")
        after = json.loads(self.tillway.command("stats", "json", check=True).stdout)["waited_for_connection"]
        self.assertEqual(before, after)


if __name__ == "__main__":
    main()
