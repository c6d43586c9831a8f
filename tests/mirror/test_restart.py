"""A mirror that begins again: what it writes first is what has changed, unless the one before may have left pages half written."""

import unittest

import test_materialised
from shop_mirror import ShopTest

from harness import scratch, tillway

CUSTOMER, ORDER = 2000000, 2000000
ORDERS = 150  # of the customer, three in a page
FEW, MANY = 12, 50  # documents


class RestartTest(ShopTest):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(test_materialised.MaterialisedShop())
        cls.orders = ORDERS
        cls.shop.run("INSERT INTO Customer (id, firstName, lastName) VALUES (%d, 'Many', 'Orders')" % CUSTOMER,
                     "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT %d + seq, '2026-04-01', %d FROM seq_1_to_%d" % (ORDER, CUSTOMER, ORDERS),
                     "INSERT INTO Orderline (order_id, product_id, quantity) SELECT %d + seq, 5, 1 FROM seq_1_to_%d" % (ORDER, ORDERS))
        cls.shop.wait_applied()

    def sell(self):
        cls = type(self)
        cls.orders += 1
        self.shop.run("INSERT INTO `Order` (id, datePlaced, customer_id) VALUES (%d, '2026-04-02', %d)" % (ORDER + self.orders, CUSTOMER),
                      "INSERT INTO Orderline (order_id, product_id, quantity) VALUES (%d, 6, 1)" % (ORDER + self.orders))

    def written(self):
        """Documents since the mirror's start, all that is committed among them."""
        at = self.shop.wait_applied()["gtid"]
        scratch.wait_until("the status", lambda: tillway.covers(self.shop.state("status").get("gtid") or "", at), 30)
        return self.shop.state("status")["documents"]

    def start(self):
        before = self.shop.state("status")["owner"]
        self.shop.mirror.start()
        scratch.wait_until("the new mirror's status", lambda: self.shop.state("status")["owner"] != before, 30)

    def split_in_half(self):
        """As if the page's cutting had been cut short: what the next page has is still in it, too."""
        customers = self.shop.mongo.db().customers
        one, next_one = customers.find({"_id.k": CUSTOMER}).sort("_id.from").skip(10).limit(2)
        customers.update_one({"_id": one["_id"]}, {"$push": {"Orders": next_one["Orders"][0]}})

    def test_10_stopped(self):
        self.shop.mirror.stop()
        self.sell()
        self.start()
        self.assertLess(self.written(), FEW)
        self.assert_same()

    def test_20_a_quiet_start(self):
        """What a changed line showed in before is looked up where the checkpoint stood."""
        self.shop.mirror.stop()
        before = self.shop.state()["updated"]
        self.start()
        scratch.wait_until("a snapshot is kept", lambda: self.shop.state()["updated"] > before, 30)
        self.shop.run("UPDATE Orderline SET quantity = 2 WHERE order_id = %d" % (ORDER + 20))
        self.assertLess(self.written(), FEW)
        self.assert_same()

    def test_30_killed(self):
        """All pages of what has changed are made anew, until it is sure that no batch before got so far."""
        self.shop.mirror.kill()
        self.split_in_half()
        self.sell()
        self.start()
        self.assertGreater(self.written(), MANY)
        self.assert_same()

        def few():
            before = self.written()
            self.sell()
            return self.written() - before < FEW
        scratch.wait_until("changes are told by their elements again", few, 60)
        self.assert_same()

    def test_40_killed_ahead_of_the_next_source(self):
        """The batch that was cut short had what the replica does not have yet."""
        replica = self.shop.cluster.replicas[0]
        replica.query("STOP SLAVE")
        self.shop.mirror.kill()
        self.shop.run("UPDATE Customer SET phone = '1' WHERE id = 1")
        place = self.shop.primary.value("SELECT @@gtid_binlog_pos")
        self.split_in_half()
        self.sell()
        replica.query("START SLAVE UNTIL master_gtid_pos = '%s'" % place)
        self.start()
        scratch.wait_until("the first change", lambda: tillway.covers(self.shop.state()["gtid"], place), 30)
        replica.query("START SLAVE")
        self.assert_same()


if __name__ == "__main__":
    unittest.main()
