"""A Galera cluster behind the real binary: found by itself, read at all nodes, written at one; that one is killed, comes
back, is frozen."""

import json
import threading
import time
import unittest

import pymysql

import proxied  # noqa: F401 (the path)
from harness import scratch
from harness.chaos import OUTCOME
from harness.galera import Galera
from harness.sale_till import SCHEMA, SaleTill
from harness.tillway import Tillway

CONFIG = {"failover": {"enabled": True, "wait": "60s"}, "monitor": {"timeout": "600ms", "failures": 1}}

CONFLICT = 1213  # with exactly_once a conflict between two writers, old and new, is the till's: docs/galera.md


class Shop(unittest.TestCase):
    """Three nodes that tills sell on."""

    config = CONFIG
    rounds = 0  # each sells other numbers

    @classmethod
    def setUpClass(cls):
        cls.galera = cls.enterClassContext(Galera(nodes=3))
        cls.nodes = cls.galera.nodes
        for sql in SCHEMA:
            cls.nodes[0].query(sql)
        for sql in ("CREATE DATABASE tillway", OUTCOME, "GRANT SELECT, INSERT, UPDATE ON tillway.outcome TO PUBLIC"):
            cls.nodes[0].query(sql)
        cls.tillway = Tillway(cls.galera, config=cls.config)
        cls.tillway.config["listeners"][1]["exactly_once"] = True  # the unix socket
        cls.tillway.write_config()
        cls.enterClassContext(cls.tillway)
        cls.wait_all_up()

    @classmethod
    def status(cls):
        return cls.tillway.command("cluster", "status").stdout

    @classmethod
    def wait_all_up(cls):
        scratch.wait_until("three synced nodes", lambda: cls.status().count("up, writable, Galera says Synced") == 3, 60)

    def sell(self):
        type(self).rounds += 1
        tills = [SaleTill(self.tillway, i, self.rounds * 1000000, unix_socket=self.tillway.socket) for i in range(4)]
        for till in tills:
            till.start()
        self.wait_sold(tills, "sales")
        return tills

    @staticmethod
    def wait_sold(tills, what):
        counts = [len(t.acknowledged) for t in tills]
        scratch.wait_until(what, lambda: all(len(t.acknowledged) > n + 20 for t, n in zip(tills, counts)), 90)

    def end(self, tills):
        for till in tills:
            till.ended.set()
        for till in tills:
            till.join(90)
        print("longest pause of a till: %.2f s" % max(t.longest for t in tills))
        errors = [e for t in tills for e in t.errors]
        self.assertEqual([e for e in errors if e[0] != CONFLICT], [])
        self.assertLessEqual(len(errors), len(tills))
        self.assertEqual([n for t in tills for n in t.unseen], [], "sold, and not seen by the till itself")
        return {n for t in tills for n in t.acknowledged}

    def check_kept(self, acknowledged):
        for node in self.nodes:
            connection = node.connect()
            with connection.cursor() as cursor:
                cursor.execute("SET wsrep_sync_wait=1")
                cursor.execute("SELECT id FROM shop.sale")
                self.assertEqual(acknowledged - {row[0] for row in cursor.fetchall()}, set(), node.name)
            connection.close()


class Nodes(Shop):
    def wait_writer(self, node):
        scratch.wait_until("writes at " + node.name, lambda: "writes go to: %s\n" % node.name in self.status(), 30)

    def test_1_writes_at_one_node_and_reads_at_the_others(self):
        tills = self.sell()  # by now each worker knows who takes writes
        before = [int(n.status("replicated")) for n in self.nodes]
        reads = [int(n.query("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1]) for n in self.nodes]
        sold = sum(len(t.acknowledged) for t in tills)
        self.wait_sold(tills, "more sales")
        acknowledged = self.end(tills)
        wrote = [int(n.status("replicated")) - b for n, b in zip(self.nodes, before)]
        read = [int(n.query("SHOW GLOBAL STATUS LIKE 'Com_select'")[0][1]) - b for n, b in zip(self.nodes, reads)]
        self.assertGreaterEqual(wrote[0], len(acknowledged) - sold, wrote)
        self.assertEqual(wrote[1:], [0, 0])
        self.assertGreater(min(read[1:]), 20)
        self.check_kept(acknowledged)
        self.assertIn("writes go to: node1", self.status())

    def test_2_the_writer_is_killed_and_comes_back(self):
        tills = self.sell()
        self.nodes[0].kill()
        self.wait_sold(tills, "sales after the kill")
        self.nodes[0].start()
        self.wait_all_up()
        self.wait_sold(tills, "sales after the return")
        self.wait_writer(self.nodes[0])
        self.wait_sold(tills, "sales at the node that came back, reads at the one between")
        self.check_kept(self.end(tills))

    def test_3_the_writer_freezes(self):
        tills = self.sell()
        writer = next(n for n in self.nodes if "writes go to: %s\n" % n.name in self.status())
        writer.freeze()
        self.wait_sold(tills, "sales after the freeze")
        writer.thaw()
        self.wait_all_up()
        self.wait_sold(tills, "sales after the thaw")
        self.check_kept(self.end(tills))

    def test_5_the_writer_is_drained(self):
        writer = self.nodes[0]
        self.wait_writer(writer)
        tills = self.sell()
        done = self.tillway.command("cluster", "drain", writer.name)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        wrote = writer.status("replicated")
        self.wait_sold(tills, "sales at another node")
        self.assertEqual(writer.status("replicated"), wrote)
        self.assertIn("done", self.tillway.command("cluster", "maintenance", writer.name, "off").stdout)
        self.wait_writer(writer)
        self.wait_sold(tills, "sales after its return")
        self.check_kept(self.end(tills))

    def test_4_a_conflict_with_another_node_is_not_the_tills_matter(self):
        """Whoever writes past Tillway, at another node, loses or wins against a single statement: that is repeated."""
        ended = threading.Event()

        def write_past():
            connection = self.nodes[2].connect(database="shop")
            while not ended.is_set():
                try:
                    with connection.cursor() as cursor:
                        cursor.execute("UPDATE stock SET sold=sold+1")
                except pymysql.err.MySQLError:
                    pass  # lost against the till
                time.sleep(0.002)
            connection.close()
        past = threading.Thread(target=write_past)
        before = self.repeated()
        past.start()
        try:
            connection = self.tillway.connect(database="shop")
            with connection.cursor() as cursor:
                deadline = time.monotonic() + 60
                while self.repeated() == before and time.monotonic() < deadline:
                    for _ in range(50):
                        cursor.execute("UPDATE stock SET sold=sold+1")
            connection.close()
        finally:
            ended.set()
            past.join(30)
        self.assertGreater(self.repeated(), before)

    def repeated(self):
        return json.loads(self.tillway.command("stats", "json").stdout)["reads_retried"]


class Writers(Shop):
    """routing.multi_writer: each of two workers writes at a node of its own."""

    config = dict(CONFIG, routing={"multi_writer": True})

    def writers(self, tills):
        """The nodes at which tills sell."""
        before = [int(n.status("replicated")) if n.alive() else 0 for n in self.nodes]
        self.wait_sold(tills, "sales")
        return {n.name for n, b in zip(self.nodes, before) if n.alive() and int(n.status("replicated")) > b + 10}

    def wait_two_write(self, tills):
        """One of them may be slow for a moment, so that the other takes all: until both do."""
        return scratch.wait_until("two nodes at which tills sell", lambda: len(found := self.writers(tills)) == 2 and found, 60)

    def test_1_several_nodes_take_writes(self):
        self.assertIn("writes go to: node1, node2, node3\n", self.status())
        tills = self.sell()
        self.wait_two_write(tills)
        self.check_kept(self.end(tills))

    def test_2_one_of_them_is_killed_and_comes_back(self):
        tills = self.sell()
        writing = self.wait_two_write(tills)
        victim = next(n for n in self.nodes if n.name in writing)
        victim.kill()
        self.wait_sold(tills, "sales after the kill")
        self.wait_two_write(tills)
        victim.start()
        self.wait_all_up()
        scratch.wait_until("it takes writes again", lambda: self.status().count("node1, node2, node3\n") == 1, 30)
        self.wait_sold(tills, "sales after its return")
        self.check_kept(self.end(tills))

    def test_3_what_one_sold_another_sees_at_once_where_it_asks_for_all(self):
        with self.tillway.connect(database="shop") as a, self.tillway.connect(database="shop") as b:
            for i in range(200):
                with a.cursor() as cursor:
                    cursor.execute("UPDATE stock SET sold=%s WHERE till=99", (i,))
                with b.cursor() as cursor:
                    cursor.execute("/* tillway: primary, consistency=global */ SELECT sold FROM stock WHERE till=99")
                    self.assertEqual(cursor.fetchone()[0], i)


if __name__ == "__main__":
    unittest.main(verbosity=2)
