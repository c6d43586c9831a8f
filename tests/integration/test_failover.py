"""Failover on real servers behind the real binary: the primary is killed, frozen, switched over, and comes back."""

import unittest

import pymysql

import proxied  # noqa: F401 (the path)
from failing import FAILOVER
from harness import scratch
from harness.chaos import RESTART, grant
from harness.cluster import Cluster
from harness.door import Door
from harness.sale_till import SaleTill
from harness.tillway import Tillway


class Till(SaleTill):
    """Sells each number by itself, and does not look."""

    pause = 0.005

    def sell(self, cursor, n):
        cursor.execute("INSERT INTO sale VALUES (%s)", (n,))

    def look(self, cursor, n):
        pass


class Failover(unittest.TestCase):
    tillways = 1

    def setUp(self):
        self.cluster = self.enterContext(Cluster(replicas=2))
        primary = self.cluster.primary
        grant(primary)
        primary.query("CREATE DATABASE shop")
        primary.query("CREATE TABLE shop.sale (id INT PRIMARY KEY)")
        self.cluster.wait_in_sync()
        self.behind = [self.enterContext(Tillway(self.cluster, config=self.config())) for _ in range(self.tillways)]
        scratch.wait_until("adoption", lambda: "failover.done task=adopt" in self.logs(), 30)
        scratch.wait_until("acknowledging replicas", lambda: all(
            r.value("SELECT @@rpl_semi_sync_slave_enabled") for r in self.cluster.replicas), 30)

    def config(self):
        return FAILOVER

    def logs(self):
        return "".join(t.log_text() for t in self.behind)

    def sell(self):
        tills = [Till(self.behind[i % len(self.behind)], i) for i in range(4)]
        for till in tills:
            till.start()
        scratch.wait_until("sales", lambda: all(len(t.acknowledged) > 20 for t in tills), 30)
        return tills

    def stop(self, tills):
        """After each sold again; what they had acknowledged, and their errors."""
        counts = [len(t.acknowledged) for t in tills]
        scratch.wait_until("sales after the fault",
                           lambda: all(len(t.acknowledged) > n + 20 for t, n in zip(tills, counts)), 60)
        for till in tills:
            till.ended.set()
        for till in tills:
            till.join(60)
        print("longest pause of a till: %.2f s" % max(t.longest for t in tills))
        return {n for t in tills for n in t.acknowledged}, [e for t in tills for e in t.errors]

    def writable(self):
        return [s for s in self.cluster.servers if s.alive() and not s.value("SELECT @@read_only")]

    def check_kept(self, acknowledged, servers):
        """Each acknowledged sale is on each of the servers, once they are in sync."""
        position = self.writable()[0].value("SELECT @@gtid_binlog_pos")
        for server in servers:
            if server is not self.writable()[0]:
                self.assertEqual(server.value("SELECT MASTER_GTID_WAIT(%s, 30)", (position,)), 0)
            kept = {row[0] for row in server.query("SELECT id FROM shop.sale")}
            self.assertEqual(acknowledged - kept, set(), server.name)

    def wait_rejoined(self, server):
        scratch.wait_until(server.name + " rejoined",
                           lambda: server.slave_status().get("Slave_IO_Running") == "Yes"
                           and server.value("SELECT @@read_only"), 60)


    def wait_rejoined_or_kept_out(self, server):
        """One that went on may have committed what nobody acknowledged: then it is kept out, read-only."""
        def fenced():
            try:
                return server.value("SELECT @@read_only")
            except pymysql.err.MySQLError:
                return False  # fencing ends clients' connections, this one, too
        scratch.wait_until(server.name + " is fenced", fenced, 60)


class Kill(Failover):
    def test_the_primary_is_killed_and_comes_back(self):
        tills, old = self.sell(), self.cluster.primary
        old.kill()
        acknowledged, errors = self.stop(tills)
        # What was under way at the kill may have been committed or not: each till is told so, once.
        self.assertTrue(all(e[0] == 1158 for e in errors), errors)
        self.assertLessEqual(len(errors), len(tills))
        self.assertEqual(len(self.writable()), 1)
        self.check_kept(acknowledged, self.cluster.replicas)
        old.start(RESTART)
        self.wait_rejoined(old)
        self.check_kept(acknowledged, self.cluster.servers)

    def test_the_primary_freezes(self):
        tills, old = self.sell(), self.cluster.primary
        old.freeze()
        acknowledged, errors = self.stop(tills)
        self.assertTrue(all(e[0] == 1158 for e in errors), errors)
        self.assertLessEqual(len(errors), len(tills))
        old.thaw()
        self.wait_rejoined_or_kept_out(old)
        self.assertEqual(len(self.writable()), 1)
        self.check_kept(acknowledged, self.cluster.replicas)


class HalfDead(Failover):
    """Answers whoever is connected, the monitor among them, and nobody else."""

    def config(self):
        self.door = self.enterContext(Door(self.cluster.primary))
        at = [self.door] + self.cluster.replicas
        servers = [{"name": s.name, "address": "%s:%d" % (a.host, a.port)} for s, a in zip(self.cluster.servers, at)]
        return dict(FAILOVER, servers=servers, limits={"connect_timeout": "500ms"})

    def take_connections(self):
        """Transactions that stay open, until one needs a connection and none is idle: it goes on at the next primary."""
        for i in range(100):
            connection = self.behind[0].connect(database="shop")
            self.addCleanup(connection.close)
            connection.query("BEGIN")
            connection.query("INSERT INTO sale VALUES (%d)" % (10 ** 9 + i))
            if "primary: replica" in self.behind[0].command("cluster", "status").stdout:
                return
        self.fail("connections without end")

    def test_it_lets_nobody_in(self):
        tills, old = self.sell(), self.cluster.primary
        self.door.shut()
        self.take_connections()
        self.assertIn("it lets nobody in any more", self.logs())
        acknowledged, errors = self.stop(tills)
        self.assertTrue(all(e[0] == 1158 for e in errors), errors)
        self.assertLessEqual(len(errors), len(tills))
        self.door.open()
        self.wait_rejoined_or_kept_out(old)
        self.assertEqual(len(self.writable()), 1)
        self.check_kept(acknowledged, self.cluster.replicas)


class Switchover(Failover):
    def test_no_till_notices(self):
        tills, old = self.sell(), self.cluster.primary
        done = self.behind[0].command("cluster", "switchover", "--to", "replica2")
        print(done.stdout)
        self.assertIn("done", done.stdout)
        acknowledged, errors = self.stop(tills)
        self.assertEqual(errors, [])
        self.assertEqual([s.name for s in self.writable()], ["replica2"])
        self.wait_rejoined(old)
        self.check_kept(acknowledged, self.cluster.servers)
        status = self.behind[0].command("cluster", "status").stdout
        self.assertIn("primary: replica2", status)


class Two(Failover):
    tillways = 2

    def enrolled(self, server):
        """How many Tillways have said there that they have left all epochs before its own."""
        try:
            return server.value("SELECT COUNT(*) FROM tillway.proxy p JOIN tillway.member m USING (epoch)")
        except pymysql.err.ProgrammingError:
            return 0  # no table yet

    def test_one_of_two_acts(self):
        tills, old = self.sell(), self.cluster.primary
        scratch.wait_until("both Tillways' rows", lambda: all(self.enrolled(s) == 2 for s in self.cluster.servers), 30)
        old.kill()
        acknowledged, errors = self.stop(tills)
        self.assertTrue(all(e[0] == 1158 for e in errors), errors)
        self.assertEqual(len(self.writable()), 1)
        self.assertEqual(self.logs().count("failover.done task=failover"), 1)
        self.check_kept(acknowledged, self.cluster.replicas)


if __name__ == "__main__":
    unittest.main(verbosity=2)
