"""Servers that go and come back, and what the mirror refuses: it says so, waits, and is right afterwards."""

import time
import unittest

from shop_mirror import Shop, new_mirror

from harness import pos, scratch
from harness.pos_till import Tills


class FaultsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(Shop())

    def setUp(self):
        self.shop.wait_state("streaming")

    def assert_same(self):
        self.assertIsNone(self.shop.difference())

    def assert_logged(self, text):
        self.shop.mirror.wait_log(text)

    def test_10_source_killed(self):
        """The replica dies: the primary takes over, by the same GTID."""
        self.assertEqual(self.shop.state("status")["source"], "replica1")
        with Tills(self.shop.primary.host, self.shop.primary.port, count=2, pace=0.02):
            time.sleep(0.5)
            self.shop.cluster.replicas[0].kill()
            time.sleep(1)
        self.assert_same()
        self.assertEqual(self.shop.state()["source"], "primary")
        self.shop.cluster.replicas[0].restart()
        self.shop.cluster.wait_in_sync()

    def test_14_replica_stops_following(self):
        """The lag shows it, and the mirror reads from the primary instead."""
        self.shop.mirror.restart()
        self.shop.mirror.wait_log("mirror.streaming server=replica1")
        self.shop.wait_applied()
        self.shop.cluster.replicas[0].stop_slave()
        try:
            self.shop.run("UPDATE Customer SET phone = 'not followed' WHERE id = 5")
            scratch.wait_until("a lag of a second", lambda: self.shop.state("status")["lag_ms"] > 900, 30)
            self.assert_same()
            self.assert_logged('mirror.retry reason="server replica1 does not follow the primary"')
        finally:
            self.shop.cluster.replicas[0].start_slave()

    def test_11_primary_restarts(self):
        self.shop.primary.restart()
        self.shop.run("UPDATE Customer SET phone = 'restarted' WHERE id = 1")
        self.assert_same()

    def test_12_mongodb_restarts(self):
        with Tills(self.shop.primary.host, self.shop.primary.port, count=2, pace=0.02):
            time.sleep(0.3)
            self.shop.mongo.kill()
            time.sleep(0.5)
            self.shop.mongo.restart()
            time.sleep(0.3)
        self.assert_same()

    def test_13_mongodb_freezes(self):
        self.shop.mongo.freeze()
        self.shop.run("UPDATE Customer SET phone = 'frozen' WHERE id = 1")
        time.sleep(1)
        self.shop.mongo.thaw()
        self.assert_same()

    def test_20_second_mirror_stands_by(self):
        self.shop.wait_applied()
        with new_mirror(self.shop.cluster, self.shop.mongo, self.shop.section()) as second:
            second.wait_log("mirror.standby reason=\"another mirror is running\"")
            self.shop.run("UPDATE Customer SET phone = 'two' WHERE id = 1")
            self.assert_same()
            self.shop.mirror.kill()
            self.shop.run("UPDATE Customer SET phone = 'one' WHERE id = 2")
            second.wait_log("mirror.streaming")
            self.assert_same()
        self.shop.mirror.start()
        self.shop.wait_state("streaming")

    def test_25_another_has_taken_over(self):
        """A later claim on the lease: what the earlier one still writes is refused, also where it knows nothing of it."""
        db = self.shop.mongo.db()
        for taken in ("checkpoint", "document"):
            self.shop.wait_applied()
            before = self.shop.state("lease")["epoch"]
            if taken == "checkpoint":
                db.tillway_mirror.update_one({"_id": "lease"}, {"$inc": {"epoch": 1}})
                db.tillway_mirror.update_one({"_id": "checkpoint"}, {"$set": {"epoch": before + 1}})
            else:
                db.customers.update_one({"_id": 6}, {"$set": {"Phone": "theirs", "_tillway.epoch": before + 1}})
            self.shop.run("UPDATE Customer SET phone = 'late %s' WHERE id = 6" % taken)
            scratch.wait_until("a new claim", lambda n=before: self.shop.state("lease")["epoch"] > n + 1, 20)
            self.assert_same()  # the other one does not live
        self.assert_logged("another mirror has taken over")
        self.assertEqual(self.shop.state("lease")["epoch"], self.shop.state()["epoch"])

    def test_26_frozen_and_back(self):
        """A mirror sleeps while another takes over: awake, it stands by and spoils nothing."""
        self.shop.wait_applied()
        self.shop.mirror.freeze()
        with new_mirror(self.shop.cluster, self.shop.mongo, self.shop.section()) as second:
            second.wait_log("mirror.streaming")
            self.shop.run("UPDATE Customer SET phone = 'asleep' WHERE id = 7", "DELETE FROM Customer WHERE id = 91001")
            self.assert_same()
            standing = self.shop.mirror.log_text().count("mirror.standby")
            self.shop.mirror.thaw()
            scratch.wait_until("it stands by", lambda: self.shop.mirror.log_text().count("mirror.standby") > standing, 30)
            self.shop.run("UPDATE Customer SET phone = 'awake' WHERE id = 7")
            self.assert_same()
        self.shop.wait_state("streaming")
        self.shop.run("UPDATE Customer SET phone = 'alone' WHERE id = 7")
        self.assert_same()

    def read_from(self, server):
        self.shop.mirror.write_config({"mirror": {"source": {"server": server} if server else None}})
        self.shop.mirror.restart()
        self.shop.mirror.wait_log("mirror.streaming server=%s" % (server or "replica1"))

    def test_21_statement_format(self):
        """A replica logs the rows all the same; the primary doesn't, and nobody can know them."""
        self.shop.run("SET binlog_format = 'STATEMENT'", "UPDATE Customer SET phone = 'by rows' WHERE id = 3")
        self.assert_same()
        self.read_from("primary")
        self.shop.run("SET binlog_format = 'STATEMENT'", "UPDATE Customer SET phone = 'stmt' WHERE id = 3")
        status = self.shop.wait_state("stopped")
        self.assertIn("a change in statement format, whose rows can't be known: `UPDATE Customer SET phone"
                      " = 'stmt' WHERE id = 3`", status["reason"])
        self.assert_logged("error mirror.stopped reason=\"a change in statement format")
        done = self.shop.mirror.command("mirror", "status")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^state: stopped: a change in statement format")
        done = self.shop.mirror.command("mirror", "rebuild")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_same()
        self.read_from(None)

    def test_24_minimal_row_image(self):
        """A session of the primary may leave columns out; a replica logs them all the same."""
        minimal = ("SET binlog_row_image = 'MINIMAL'", "UPDATE Customer SET phone = 'minimal' WHERE id = 3")
        self.shop.run(*minimal)
        self.assert_same()
        self.read_from("primary")
        self.shop.run(*minimal, "DELETE FROM Orderline WHERE product_id = 3")
        status = self.shop.wait_state("stopped")
        self.assertIn("SET GLOBAL binlog_row_image=FULL", status["reason"])
        done = self.shop.mirror.command("mirror", "rebuild")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_same()
        self.read_from(None)

    def test_22_mapped_column_dropped_and_back(self):
        self.shop.wait_applied()
        self.shop.run("ALTER TABLE Customer CHANGE phone telephone VARCHAR(40)",
                      "UPDATE Customer SET telephone = 'renamed' WHERE id = 3")
        status = self.shop.wait_state("stopped")
        self.assertRegex(status["reason"], r"tillway.yaml:\d+:\d+: mirror.aggregates\[0\].fields.Phone: no column"
                                           r" `phone` in pos.Customer")
        self.shop.run("ALTER TABLE Customer CHANGE telephone phone VARCHAR(40)")
        self.assert_same()

    def test_23_metadata_not_full(self):
        for server in self.shop.cluster.servers:
            server.query("SET GLOBAL binlog_row_metadata = NO_LOG")
        try:
            self.shop.mirror.restart()
            status = self.shop.wait_state("stopped")
            self.assertIn("SET GLOBAL binlog_row_metadata=FULL", status["reason"])
        finally:
            for server in self.shop.cluster.servers:
                server.query("SET GLOBAL binlog_row_metadata = FULL")
        self.shop.wait_state("streaming")

    @staticmethod
    def purge(server):
        server.query("PURGE BINARY LOGS TO '%s'" % server.query("SHOW MASTER STATUS")[0][0])
        return len(server.query("SHOW BINARY LOGS")) == 1

    def test_30_binlog_purged(self):
        """Beyond the checkpoint on every server: a new snapshot, and the log says why."""
        self.shop.wait_applied()
        self.shop.mirror.stop()
        self.shop.run("UPDATE Customer SET phone = 'purged' WHERE id = 4")
        self.shop.cluster.wait_in_sync()
        for server in self.shop.cluster.servers:
            server.query("FLUSH BINARY LOGS")
            scratch.wait_until("a purge", lambda s=server: self.purge(s), 10)  # readers hold files a while
        self.shop.mirror.start()
        self.assert_logged("mirror.snapshot.why reason=\"the binlog was purged beyond the checkpoint\"")
        self.assert_same()

    def test_31_database_loaded_anew(self):
        """Dropped and made again, as a dump does it."""
        self.shop.run("DROP DATABASE pos", database="test")
        pos.load(self.shop.primary.host, self.shop.primary.port)
        self.assert_same()

    def test_40_stops_at_once(self):
        for freeze in (False, True):
            self.shop.wait_state("streaming")
            if freeze:
                self.shop.cluster.replicas[0].freeze()
                self.shop.primary.freeze()
                time.sleep(0.3)
            begin = time.monotonic()
            self.shop.mirror.stop()
            self.assertLess(time.monotonic() - begin, 4)
            if freeze:
                self.shop.cluster.replicas[0].thaw()
                self.shop.primary.thaw()
            started = self.streams()
            self.shop.mirror.start()
            scratch.wait_until("streaming", lambda n=started: self.streams() > n, 30)

    def streams(self):
        return self.shop.mirror.log_text().count("mirror.streaming")


if __name__ == "__main__":
    unittest.main()
