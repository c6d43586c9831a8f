"""The mirror is killed fourteen times at random moments while tills sell: afterwards it is right."""

import os
import random
import time
import unittest

import bson

from shop_mirror import ShopTest

from harness import scratch
from harness.pos_till import Tills

KILLS = 14


class KillTest(ShopTest):
    def begin_snapshot(self):
        """Ask for a rebuild, and wait until it has begun."""
        before = self.snapshots()
        self.shop.mongo.db().tillway_mirror.replace_one(
            {"_id": "control"}, {"rebuild": bson.ObjectId()}, upsert=True)
        scratch.wait_until("a snapshot", lambda: self.snapshots() > before, 30)

    def snapshots(self):
        return self.shop.mirror.log_text().count("mirror.snapshot collection=")

    def test_killed_it_leaves_no_shared_memory(self):
        def streams():
            return self.shop.mirror.log_text().count("mirror.streaming ")

        self.shop.mirror.kill()
        before = streams()
        self.shop.mirror.start()
        scratch.wait_until("the stream", lambda: streams() > before, 30)
        self.assertFalse(os.path.exists("/dev/shm/mongoc-%d" % self.shop.mirror.pid))

    def test_killed_while_tills_sell(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        print("SEED=%d" % seed)
        chance = random.Random(seed)
        with Tills(self.shop.primary.host, self.shop.primary.port, count=2, pace=0.02) as tills:
            for n in range(KILLS):
                if n % 4 == 3:
                    self.begin_snapshot()
                    time.sleep(chance.uniform(0, 0.2))
                else:
                    time.sleep(chance.uniform(0.05, 2.6))
                self.shop.mirror.kill()
                self.shop.mirror.start()
        log = self.shop.mirror.log_text()
        cut = log.count("mirror.snapshot collection=") - log.count("mirror.snapshot.done ")
        print("orders", tills.total.orders, "snapshots cut short", cut)
        self.assertGreater(tills.total.orders, 100)
        self.assert_same()
        done = self.shop.mirror.command("mirror", "verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
