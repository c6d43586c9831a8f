"""Large aggregates and large changes: exact afterwards, and they hold up nothing else."""

import time
import unittest

import bson
from bson.decimal128 import Decimal128

from shop_mirror import ShopTest, sequence

from harness import scratch

CUSTOMERS = 5000


class ScaleTest(ShopTest):
    def wait_document(self, collection, query, timeout=120):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.shop.mongo.db()[collection].find_one(query):
                return
            time.sleep(0.002)
        raise TimeoutError("%s: no %r\n%s" % (collection, query, self.shop.mirror.log_text()[-3000:]))

    def test_10_a_price_in_many_orders(self):
        """What comes behind it does not wait for it, and the checkpoint waits for both."""
        self.shop.run(
            "SET @tillway_etl = 1",
            "INSERT INTO Customer (id, firstName, lastName) SELECT 1000000 + seq, 'Many', seq FROM seq_1_to_%d" % CUSTOMERS,
            "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT 1000000 + seq, '2026-04-01', 1000000 + seq FROM seq_1_to_%d" % CUSTOMERS,
            "INSERT INTO Orderline (order_id, product_id, quantity) SELECT 1000000 + seq, 9, 1 FROM seq_1_to_%d" % CUSTOMERS)
        self.shop.wait_applied(timeout=300)
        n = 0
        for price in ("70.77", "71.77", "72.77", "73.77", "74.77", "75.77", "76.77", "77.77"):
            self.shop.run("UPDATE Product SET currentPrice = %s WHERE id = 9" % price)
            need = sequence(self.shop.primary.value("SELECT @@gtid_binlog_pos"))
            while sequence(self.shop.state()["gtid"]) < need:
                n += 1
                self.shop.run("UPDATE Customer SET phone = 'behind it %d' WHERE id = 1" % n)
                self.wait_document("customers", {"_id": 1, "Phone": "behind it %d" % n})
            at = self.shop.mongo.db().customers.distinct("_tillway.gtid", {"Orders.Items.Unit Price": Decimal128(price)})
            if len(at) > 1:  # else one batch was quicker than the change behind it
                break
        self.assertGreater(len(at), 1)  # written in several batches
        self.assertGreater(n, 1)
        self.shop.run("UPDATE Product SET currentPrice = 88.88 WHERE id = 9")
        self.shop.wait_applied(timeout=300)
        self.assert_same()

    def test_11_killed_while_it_owes(self):
        self.shop.run("UPDATE Product SET currentPrice = 11.11 WHERE id = 9")
        self.wait_document("customers", {"Orders.Items.Unit Price": Decimal128("11.11")})
        self.shop.mirror.kill()
        self.shop.mirror.start()
        self.shop.wait_applied(timeout=300)
        self.assert_same()

    def test_12_snapshot_cut_short(self):
        """It goes on where it was, and what changed before and behind that place meanwhile is right all the same."""
        db = self.shop.mongo.db()
        for _ in range(10):  # it may be quicker than we are
            began = self.shop.mirror.log_text().count("mirror.snapshot collection=customers")
            db.tillway_mirror.update_one({"_id": "control"}, {"$set": {"rebuild": bson.ObjectId()}}, upsert=True)
            scratch.wait_until("a part of it", lambda: self.shop.state("snapshot").get("done") is False
                               or self.shop.mirror.log_text().count("mirror.snapshot.done collection=customers") > began, 60, interval=0.005)
            self.shop.mirror.kill()
            cut = self.shop.state("snapshot")
            self.shop.run("UPDATE Customer SET phone = 'meanwhile' WHERE id IN (1, 1000001, 1000002, %d)" % (1000000 + CUSTOMERS),
                          "DELETE FROM Orderline WHERE order_id IN (1000003, %d)" % (999999 + CUSTOMERS))
            self.shop.mirror.start()
            self.shop.wait_applied(timeout=300)
            if cut["done"] is False and cut["aggregate"] == 0:
                break
        self.shop.mirror.wait_log("mirror.snapshot collection=customers gtid=\\S+ behind=%d\\b" % cut["documents"])
        self.assertGreater(cut["documents"], 0)
        self.assertIs(self.shop.state("snapshot")["done"], True)
        self.assert_same()

    def test_13_many_lines_at_once(self):
        """More changed rows than are followed to their documents at once: the rest is owed, while what they lead to moves on."""
        self.shop.sell_in_bulk()
        self.assert_same()


if __name__ == "__main__":
    unittest.main()
