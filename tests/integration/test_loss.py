"""Servers die, freeze and come back under the proxy."""

import threading
import time

import pymysql

from proxied import Proxied, main


class ReplicaLoss(Proxied):
    def test_a_read_whose_reply_had_not_begun_goes_elsewhere(self):
        """Each replica dies (or freezes) in the middle of a read; the client sees only the answer."""
        for fault in ("kill", "freeze"):
            with self.subTest(fault=fault):
                c = self.connect()
                answers = []
                reader = threading.Thread(target=lambda: answers.append(self.run_sql(c, "SELECT SLEEP(4), 'here'")))
                reader.start()
                time.sleep(1)
                victim = self.busy_replica()
                getattr(victim, fault)()
                reader.join(30)
                self.assertEqual(answers, [[(0, "here")]])
                self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id=1"), [("one",)])
                if fault == "kill":
                    victim.restart()
                    victim.start_slave()
                else:
                    victim.thaw()
                self.tillway.wait_log(r"server\.up server=%s.*" % victim.name)
                self.settle(1)

    def busy_replica(self):
        for r in self.cluster.replicas:
            if r.query("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")[0][0]:
                return r
        self.fail("no replica has the read")

    def test_all_replicas_gone(self):
        for r in self.cluster.replicas:
            r.kill()
        try:
            c = self.connect()
            self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id=1"), [("one",)])
        finally:
            for r in self.cluster.replicas:
                r.restart()
                r.start_slave()
            self.settle(1)


class PrimaryLoss(Proxied):
    def lost(self, connection, sql):
        with self.assertRaises(pymysql.err.MySQLError) as caught:
            self.run_sql(connection, sql)
        self.assertEqual(caught.exception.args[0], 1158, caught.exception.args)
        self.assertIn("Lost connection", caught.exception.args[1])

    def test_the_primary_dies(self):
        idle, busy, open_transaction = self.connect(), self.connect(), self.connect()
        self.run_sql(idle, "SELECT 1")
        self.run_sql(open_transaction, "BEGIN")
        self.run_sql(open_transaction, "INSERT INTO t VALUES (50,'never')")
        raised = []

        def write():
            try:
                self.run_sql(busy, "SELECT SLEEP(20) FROM t FOR UPDATE")
            except pymysql.err.MySQLError as e:
                raised.append(e.args[0])

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.5)
        self.cluster.primary.kill()
        writer.join(10)
        self.assertEqual(raised, [1158])
        self.assertEqual(self.run_sql(idle, "SELECT v FROM t WHERE id=1"), [("one",)])
        self.assertEqual(self.run_sql(busy, "SELECT v FROM t WHERE id=2"), [("two",)])
        self.lost(open_transaction, "SELECT 1")  # told once that its transaction is gone
        self.lost(idle, "INSERT INTO t VALUES (51,'x')")
        fresh = self.connect()
        self.assertEqual(self.run_sql(fresh, "SELECT v FROM t WHERE id=3"), [("three",)])
        self.lost(fresh, "INSERT INTO t VALUES (52,'x')")
        self.cluster.primary.restart()
        self.tillway.wait_log(r"primary\.changed from=none to=%s(.|\n)*primary\.changed from=none to=%s"
                              % (self.cluster.primary.name, self.cluster.primary.name))
        for c in (idle, busy, open_transaction, fresh):
            self.run_sql(c, "REPLACE INTO t VALUES (53,'back')")
            self.assertEqual(self.run_sql(c, "SELECT v FROM t WHERE id=53"), [("back",)])
        self.assertEqual(self.run_sql(fresh, "SELECT COUNT(*) FROM t WHERE id IN (50,51,52)"), [(0,)])


if __name__ == "__main__":
    main()
