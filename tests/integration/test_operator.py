"""What an operator says by `tillway cluster`: maintenance, and what would be done."""

import concurrent.futures
import re
import unittest

from failing import FailoverCluster
from harness import scratch
from harness.chaos import RESTART, rebuild


class Operator(FailoverCluster):
    def cluster_command(self, *words):
        done = self.tillway.command("cluster", *words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def failing_command(self, *words):
        """What it prints before it fails, and why it does."""
        done = self.tillway.command("cluster", *words)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertNotIn("done", done.stdout)
        return done.stdout, done.stderr

    def maintenance(self, server, how):
        self.assertIn("done", self.cluster_command("maintenance", server.name, how))

    def await_status(self, line):
        scratch.wait_until("its word in the status", lambda: re.search(line, self.cluster_command("status"), re.M), 60)

    def follows(self, server):
        return server.slave_status().get("Slave_IO_Running") == "Yes"

    def test_a_server_in_maintenance_is_left_as_it_is(self):
        primary = self.primary()
        resting, other = [s for s in self.cluster.servers if s is not primary]
        self.maintenance(resting, "on")
        self.addCleanup(self.wait_complete)
        self.addCleanup(self.maintenance, resting, "off")
        self.await_status("^%s: replica, broken, .*: in maintenance$" % resting.name)
        self.tillway.reload()
        self.tillway.wait_log("daemon.reload")
        self.await_status("^%s: replica, up" % other.name)
        self.await_status("^%s: replica, broken, .*: in maintenance$" % resting.name)
        resting.stop_slave()
        other.stop_slave()  # it comes behind the first one, would that be started again
        scratch.wait_until("the other one follows again", lambda: self.follows(other), 30)
        self.assertFalse(self.follows(resting))
        self.maintenance(resting, "off")
        scratch.wait_until("it follows again", lambda: self.follows(resting), 30)

    def connections_of_tills(self, server):
        return server.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'till'")

    @staticmethod
    def reads_of_shelf(server):
        return server.query("SELECT 1 FROM information_schema.PROCESSLIST WHERE USER = 'till' AND INFO LIKE '%shelf%'")

    def begin_read(self, server):
        """A read there that waits for a lock: the future of what it reads, and the connection with the lock."""
        self.primary().query("CREATE TABLE shop.shelf (a INT)")
        self.cluster.wait_in_sync()
        lock, till = server.connect(), self.tillway.connect()
        self.addCleanup(till.close)
        self.addCleanup(lock.close)

        def read():
            with till.cursor() as cursor:
                cursor.execute("/* tillway: server=%s */ SELECT COUNT(*) FROM shop.shelf" % server.name)
                return cursor.fetchall()
        lock.query("LOCK TABLES shop.shelf WRITE")
        future = concurrent.futures.ThreadPoolExecutor(1).submit(read)
        scratch.wait_until("the read runs there", lambda: self.reads_of_shelf(server), 30)
        return future, lock

    def test_a_server_is_drained(self):
        drained = next(s for s in self.cluster.servers if s is not self.primary())
        future, lock = self.begin_read(drained)
        self.addCleanup(self.wait_complete)
        self.addCleanup(self.maintenance, drained, "off")
        steps, why = self.failing_command("drain", drained.name, "--wait", "0")
        self.assertIn("no more statements go there", steps)
        self.assertRegex(why, "^tillway: drain of .*: [0-9]+ connections of sessions are left, .*\n$")
        with self.tillway.begin("cluster", "drain", drained.name) as patient:
            self.assertIn("no more statements go there", patient.stdout.readline())  # told before it ends
            self.assertTrue(self.reads_of_shelf(drained))
            lock.query("UNLOCK TABLES")
            self.assertRegex(patient.stdout.read(), "(?s)nothing is left there: it is in maintenance\ndone$")
        self.assertEqual(future.result(60), ((0,),))
        self.assertEqual(self.connections_of_tills(drained), 0)
        self.await_status("^%s: replica, broken, .*: in maintenance$" % drained.name)

    def test_the_primary_is_not_drained(self):
        self.assertIn("it is the primary", self.failing_command("drain", self.primary().name)[1])

    def test_an_errant_server_is_rebuilt_from_a_replica(self):
        primary = self.primary()
        errant, source = [s for s in self.cluster.servers if s is not primary]
        errant.query("CREATE DATABASE mine")  # as an administrator may, whom read_only does not bind
        self.await_status("^%s: replica, broken, .*: it has transactions of its own [(][0-9]+-%d-" % (errant.name, errant.server_id))
        primary.query("CREATE TABLE shop.after (a INT)")
        self.await_status("^%s: replica, broken, .*: it has transactions of its own: rebuild it [(]error" % errant.name)
        self.assertIn("a server runs in", rebuild(errant, source).stderr)
        errant.stop()
        self.assertIn("takes writes", rebuild(errant, primary).stderr)
        done = rebuild(errant, source)
        self.assertEqual(done.returncode, 0, done.stderr)
        errant.start(RESTART)
        self.wait_complete()
        self.assertEqual(errant.query("SHOW DATABASES LIKE 'mine'"), [])
        self.assertEqual(errant.query("SHOW TABLES FROM shop LIKE 'after'"), [("after",)])

    def test_the_primary_cannot_rest(self):
        self.assertIn("it is the primary", self.failing_command("maintenance", self.primary().name, "on")[1])

    def test_what_is_meant_is_asked(self):
        for words in (["maintenance"], ["maintenance", "nobody", "on"], ["maintenance", "primary"],
                      ["maintenance", "primary", "on", "--dry-run"], ["drain"], ["drain", "nobody"],
                      ["drain", "replica1", "--wait"], ["drain", "replica1", "--wait", "soon"], ["drain", "replica1", "now"]):
            with self.subTest(words=words):
                self.assertRegex(self.failing_command(*words)[1], "^tillway: .")

    def test_what_cannot_be_done_is_said(self):
        primary = self.primary().name
        for words in (["switchover", "--to", primary], ["rejoin", primary]):
            for also in ([], ["--dry-run"]):
                with self.subTest(words=words + also):
                    self.assertRegex(self.failing_command(*words, *also)[1], "^tillway: it is the primary")

    def hold_lock(self, server):
        """As another Tillway that acts does, until the connection is closed."""
        connection = server.connect()
        with connection.cursor() as cursor:
            cursor.execute("SELECT GET_LOCK('tillway', 10)")
            self.assertEqual(cursor.fetchone(), (1,))
        return connection

    def test_another_tillway_that_acts_is_waited_for(self):
        held = [self.hold_lock(server) for server in self.cluster.servers]
        before = len(self.tillway.log_text())
        with concurrent.futures.ThreadPoolExecutor() as pool:
            done = pool.submit(self.cluster_command, "switchover")
            scratch.wait_until("a refusal", lambda: "another Tillway holds the lock" in self.tillway.log_text()[before:], 30)
            for connection in held:
                connection.close()
            self.assertRegex(done.result(60), "(?s)tried again.*takes writes.*\ndone\n$")
        self.wait_complete()

    def test_a_dry_run_does_nothing(self):
        replica = next(s for s in self.cluster.servers if s is not self.primary())
        before = re.search("epoch [0-9]+", self.cluster_command("status")).group()
        for words in (["switchover"], ["failover"], ["rejoin", replica.name], ["drain", replica.name]):
            with self.subTest(words=words):
                self.assertRegex(self.cluster_command(*words, "--dry-run"), "(?s)^1\\. .*\n3\\. ")
        self.assertIn(before + ",", self.cluster_command("status"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
