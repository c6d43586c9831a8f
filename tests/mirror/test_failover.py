"""Primaries that are replaced while sales go on: MongoDB's by its replica set, MariaDB's by Tillway itself. The documents are right
afterwards, and nothing that only the old primary had is taken for kept.

Environment: SLOW=1 for all of it."""

import os
import unittest

import pymysql

from shop_mirror import Shop, ShopTest

from harness import scratch, tillway
from harness.chaos import RESTART, all_acknowledge, grant
from harness.cluster import REPL_PASSWORD, REPL_USER, SERVICE_USER
from harness.mongo import Mongo
from harness.pos_till import Tills

slow = unittest.skipUnless(os.environ.get("SLOW"), "SLOW=1 is not set")
SALES = 10  # before and behind each fault
FAILOVER = {"enabled": True, "user": REPL_USER, "password": REPL_PASSWORD, "wait": "60s"}


def wait_sales(tills):
    """Until some more were made, or a till has failed (which the end of the tills tells)."""
    before = tills.running_total().orders
    scratch.wait_until("sales", lambda: tills.stopping.is_set() or tills.running_total().orders >= before + SALES, 120)


class MongoFailover(ShopTest):
    @classmethod
    def setUpClass(cls):
        if Mongo().external:
            raise unittest.SkipTest("MONGODB_URI: a user's own server")
        cls.shop = cls.enterClassContext(Shop(replicas=0, mongo=Mongo(["--setParameter", "enableTestCommands=1"], members=3)))

    def setUp(self):
        self.wait_complete()
        self.shop.wait_state("streaming")
        self.shop.wait_applied()

    @property
    def mongo(self):
        return self.shop.mongo

    def tills(self):
        primary = self.shop.primary
        return Tills(primary.host, primary.port, count=2, pace=0.01)

    def assert_others_primary(self, old):
        self.assertIsNot(self.mongo.primary(), old)

    @slow
    def test_10_steps_down(self):
        with self.tills() as tills:
            wait_sales(tills)
            old = self.mongo.primary()
            old.command("replSetStepDown", 60, secondaryCatchUpPeriodSecs=30)
            self.assert_others_primary(old)
            wait_sales(tills)
        self.assert_same()

    @slow
    def test_20_is_killed(self):
        with self.tills() as tills:
            wait_sales(tills)
            old = self.mongo.primary()
            old.kill()
            self.assert_others_primary(old)
            wait_sales(tills)
        self.assert_same()
        old.start()

    def phone(self, member):
        """What one member has of customer 1, whatever the others have."""
        with member.direct() as client:
            return client[self.mongo.database].customers.find_one({"_id": 1})["Phone"]

    def wait_complete(self):
        """Until each member takes part, the old primary's rollback done."""
        def states():
            members = self.mongo.primary().command("replSetGetStatus")["members"]
            return sorted(m["stateStr"] for m in members) == ["PRIMARY", "SECONDARY", "SECONDARY"]
        scratch.wait_until("all members", states, 60)

    @staticmethod
    def hold(member):
        """It keeps its vote and receives no more writes."""
        member.command("configureFailPoint", "stopReplProducer", mode="alwaysOn")
        member.command("waitForFailPoint", "stopReplProducer", timesEntered=1, maxTimeMS=60000)

    def test_30_what_it_wrote_alone_is_rolled_back(self):
        """No majority had it: the next primary lacks it, and the mirror writes it anew."""
        old, others = self.mongo.primary(), self.mongo.secondaries()
        for member in others:
            self.hold(member)
        self.shop.run("UPDATE Customer SET phone = 'alone' WHERE id = 1")
        scratch.wait_until("the write", lambda: self.phone(old) == "alone", 60)
        self.shop.mirror.freeze()
        self.addCleanup(self.shop.mirror.thaw)
        old.kill()
        for member in others:
            member.command("configureFailPoint", "stopReplProducer", mode="off")
        self.assertNotEqual(self.phone(self.mongo.primary()), "alone")
        self.shop.mirror.thaw()
        self.assert_same()
        old.start()
        scratch.wait_until("the write", lambda: self.phone(old) == "alone", 60)


class FailoverShop(Shop):
    """Two replicas, behind one Tillway that promotes, sells and mirrors."""

    def __init__(self):
        super().__init__(replicas=2)

    def load(self):
        super().load()
        grant(self.cluster.primary)
        self.cluster.primary.query("GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO %s@'%%'" % SERVICE_USER)

    def new_mirror(self):
        return tillway.Tillway(self.cluster, config=dict(self.section(), failover=FAILOVER))

    @property
    def primary(self):
        """The one server that takes writes, once there is one."""
        return scratch.wait_until("a primary", self._primary, 60)

    def _primary(self):
        try:
            found = [s for s in self.cluster.servers if s.alive() and not s.value("SELECT @@read_only")]
        except pymysql.err.MySQLError:
            return None  # it is going down, or clients' connections are being ended
        return found[0] if len(found) == 1 else None

    def tills(self):
        # A switchover gives 1290 to what still writes when the old primary stops to (docs/failover.md).
        return Tills(self.mirror.host, self.mirror.port, count=2, pace=0.01, reconnect=True, passing=(1290,))

    def wait_acknowledged(self):
        """Until each replica's acknowledgements count, so that no commit can be lost."""
        scratch.wait_until("acknowledging replicas", lambda: all_acknowledge(
            self.mirror.command("cluster", "status").stdout, self.cluster), 60)


class MariaDBFailover(ShopTest):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(FailoverShop())

    def setUp(self):
        self.shop.wait_acknowledged()
        self.shop.wait_state("streaming")
        self.shop.wait_applied()

    def lose_primary(self, tills):
        """SIGKILL while they sell; the server."""
        wait_sales(tills)
        old = self.shop.primary
        old.kill()
        self.assertIsNot(self.shop.primary, old)
        wait_sales(tills)
        return old

    def test_10_a_replica_is_promoted(self):
        """The mirror reads one replica or the other, and stays with it or goes to what is left."""
        self.assertIn(self.shop.state("status")["source"], ("replica1", "replica2"))
        with self.shop.tills() as tills:
            old = self.lose_primary(tills)
        self.assert_same()
        old.start(RESTART)

    @slow
    def test_20_switched_over(self):
        with self.shop.tills() as tills:
            wait_sales(tills)
            done = self.shop.mirror.command("cluster", "switchover")
            self.assertIn("done", done.stdout, done.stdout + done.stderr)
            wait_sales(tills)
        self.assert_same()

    @slow
    def test_30_the_source_itself_is_lost(self):
        """It reads from the primary alone: it waits until that is back, as a replica of what was sold meanwhile."""
        source = self.shop.primary.name
        self.shop.mirror.write_config({"mirror": {"source": {"server": source}}})
        self.shop.mirror.restart()
        self.shop.mirror.wait_log("mirror.streaming server=%s" % source)
        self.shop.wait_acknowledged()
        with self.shop.tills() as tills:
            old = self.lose_primary(tills)
            old.start(RESTART)
            wait_sales(tills)
        self.assert_same()
        self.assertEqual(self.shop.state()["source"], source)


if __name__ == "__main__":
    unittest.main()
