"""A hundred sessions on one connection a server: each sees its own state, and only its own."""

import contextlib
import json
import threading
import time
import unittest

import pymysql

from proxied import Proxied, main


SESSIONS = 100


def together(work, sessions):
    """work(session, number) for each in a thread of its own; what failed."""
    failed = []

    def run(c, who):
        try:
            work(c, who)
        except BaseException as e:  # noqa: BLE001: told by the main thread
            failed.append("session %d: %s" % (who, e))

    threads = [threading.Thread(target=run, args=(c, who)) for who, c in enumerate(sessions)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(90)
    return failed + ["one does not end" for t in threads if t.is_alive()]


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
        self.assertEqual(together(self.one, [self.connect() for _ in range(SESSIONS)]), [])
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


class OneServer(Multiplexing):
    """… where there is but one server: what reads and what writes take turns on the same connection."""

    replicas = 0

    def till(self, c, who):
        for n in range(30):
            for i, word in ((1, "one"), (2, "two"), (3, "three")):
                self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id=%d" % i), [(word,)])
            if n % 10 == 9:
                self.run_sql(c, "INSERT INTO own (who, n) VALUES (%d, %d)" % (10000 + who, n))
                self.assertEqual(self.run_sql(c, "SELECT MAX(n) FROM own WHERE who=%d" % (10000 + who)), [(n,)])

    def test_short_reads_ride(self):
        before = self.stats()["statements_shared"]
        self.assertEqual(together(self.till, [self.connect() for _ in range(20)]), [])
        self.assertGreater(self.stats()["statements_shared"], before)


class Riders(Proxied):
    """Short reads that share the only server's connections, and turn out not to be short."""

    replicas = 0

    def listed(self, c, text):
        """The id of the session that the list shows with that text, once it does."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for row in self.run_sql(c, "SHOW PROCESSLIST"):
                if row[7] == text:
                    return row[0]
        self.fail("never listed")

    def test_a_slow_one_is_listed_and_killed(self):
        rider, other = self.connect(), self.connect()
        slow = "SELECT v FROM t WHERE id=1 AND SLEEP(100)=0"
        for _ in range(20):
            self.run_sql(rider, "SELECT v FROM t WHERE id=1 AND SLEEP(0)=0")
        before = self.stats()["statements_shared"]
        self.assertGreater(before, 0)
        killed = []

        def run():
            with contextlib.suppress(pymysql.err.InterfaceError):
                try:
                    self.run_sql(rider, slow)
                except pymysql.err.OperationalError as e:
                    killed.append(e.args[0])

        thread = threading.Thread(target=run)
        thread.start()
        victim = self.listed(other, slow)
        self.assertEqual(victim, rider.thread_id())
        self.run_sql(other, "KILL QUERY %d" % victim)
        thread.join(60)
        self.assertEqual(killed, [1317])
        self.assertGreater(self.stats()["statements_shared"], before)


if __name__ == "__main__":
    main()
