"""The same changes with small pages: a head and its pages together are the document, and each page is one that is due."""

import re
import unittest

import bson

import test_changes
from shop_mirror import COLLECTIONS, Shop, is_page, sequence, whole

from harness import paths, scratch, yamlout

PAGES = {"Orders": 3, "Buyers": 4}
ARRAY = {"customers": "Orders", "products": "Buyers"}
KEY = {"customers": "Order ID", "products": "Customer ID"}


class PagedShop(Shop):
    """The example with other `page`s in its arrays."""

    pages = PAGES
    validate = True

    def section(self):
        section = super().section()
        lines = []
        for line in section["mirror"]["aggregates"].lines:
            if self.pages and re.match(" *page:", line):
                continue
            lines.append(line)
            name = re.match(r"( *)(\w+):$", line)
            if name and name[2] in self.pages:
                lines.append("%s  page: %d" % (name[1], self.pages[name[2]]))
        section["mirror"]["aggregates"] = yamlout.Raw(lines)
        return section

    def documents(self):
        """Heads with their pages' elements; of each page its place is checked."""
        return {name: self.whole(name) for name in COLLECTIONS}

    def whole(self, name):
        documents = self.read(name)
        for page in filter(is_page, documents):
            keys = [e[KEY[name]] for e in page[ARRAY[name]]]
            assert page["_id"]["from"] <= keys[0] and keys == sorted(keys) and len(keys) <= PAGES[ARRAY[name]], page
            assert set(page) == {"_id", ARRAY[name], "Customer ID" if name == "customers" else "Product ID"}, page
        return whole(documents, ARRAY[name])


class PagedTest(test_changes.ChangesTest):
    # How the binlog is read does not depend on pages.
    test_32_insert_ignore_that_does_nothing = test_36_rollback_and_savepoints = test_44_clock_jumps = None
    test_45_compressed_binlog = test_46_others_ask_where_their_snapshots_stand = test_50_other_databases_and_tables_do_not_matter = None
    test_60_binlog_rotates = test_61_large_values = None

    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(PagedShop())

    def tearDown(self):
        pages = self.shop.mongo.db().products.count_documents({"_tillway.page": True})
        self.assertTrue(pages > 0 or self._testMethodName.startswith("test_40"), "no pages")

    def test_70_verified(self):
        done = self.shop.mirror.command("mirror", "verify")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_71_verify_finds_what_is_wrong_in_pages(self):
        products = self.shop.mongo.db().products
        some = list(products.find({"_tillway.page": True}).sort("_id").limit(3))
        products.delete_one({"_id": some[0]["_id"]})
        products.update_one({"_id": some[1]["_id"]}, {"$set": {"Buyers.0.Quantity": bson.Int64(12345)}})
        done = self.shop.mirror.command("mirror", "verify")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("12345", done.stdout)
        done = self.shop.mirror.command("mirror", "rebuild")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_same()

    def test_80_a_price_in_many_pages(self):
        """They are owed: what comes behind it does not wait for all of them."""
        shop, customers = self.shop, self.shop.mongo.db().customers
        shop.run("SET @tillway_etl = 1", "INSERT INTO Customer (id, firstName, lastName) VALUES (1000000, 'Many', 'Orders')",
                 "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT 1000000 + seq, '2026-04-01', 1000000 FROM seq_1_to_6000",
                 "INSERT INTO Orderline (order_id, product_id, quantity) SELECT 1000000 + seq, 9, 1 FROM seq_1_to_6000")
        shop.wait_applied(timeout=300)
        shop.run("UPDATE Product SET currentPrice = 77.77 WHERE id = 9")
        need = sequence(shop.primary.value("SELECT @@gtid_binlog_pos"))
        n = 0
        while sequence(shop.state()["gtid"]) < need:
            n += 1
            shop.run("UPDATE Customer SET phone = 'behind it %d' WHERE id = 1" % n)
            scratch.wait_until("the change behind it", lambda: customers.find_one({"_id": 1, "Phone": "behind it %d" % n}), 120, interval=0.002)
        self.assertGreater(n, 1)
        self.assertGreater(len(customers.distinct("_tillway.gtid", {"Customer ID": 1000000})), 1)
        self.assert_same()

    def test_82_own_fields_leave_the_elements_alone(self):
        """Of a head its own fields are written where no element of it has changed; all of it while a document is refused."""
        shop, products = self.shop, self.shop.mongo.db().products
        key, other = 1100001, 1100002
        shop.run("INSERT INTO Product (id, name, currentPrice, availableQuantity) VALUES (%d, 'Own', 1, 1000), (%d, 'Other', 1, 1000)" % (key, other),
                 "INSERT INTO Customer (id, firstName, lastName) SELECT 1100000 + seq, 'Buyer', seq FROM seq_1_to_9",
                 "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT 1100000 + seq, '2026-04-02', 1100000 + seq FROM seq_1_to_9",
                 "INSERT INTO Orderline (order_id, product_id, quantity) SELECT 1100000 + seq, %d, 1 FROM seq_1_to_9" % key)
        shop.wait_applied()
        self.assertIn(key, products.distinct("_id.k"))
        before = products.find_one({"_id": key})

        def change():
            shop.run("UPDATE Product SET availableQuantity = availableQuantity + 7 WHERE id = %d" % key)
            shop.wait_applied()
            return products.find_one({"_id": key})
        products.update_one({"_id": key}, {"$set": {"Buyers.0.Quantity": bson.Int64(54321)}})
        after = change()
        self.assertEqual(after["Buyers"][0]["Quantity"], 54321)
        self.assertEqual(after["Available Quantity"], before["Available Quantity"] + 7)
        self.assertEqual((list(after), after["Buyers"][1:]), (list(before), before["Buyers"][1:]))
        ours = products.options()["validator"]
        shop.mongo.db().command("collMod", "products", validator={"$and": [ours, {"Available Quantity": {"$ne": 777777}}]})
        shop.run("UPDATE Product SET availableQuantity = 777777 WHERE id = %d" % other)
        shop.wait_applied()
        self.assertEqual(shop.mongo.db().tillway_mirror_letters.distinct("_id.id"), [other])
        self.assertEqual(change()["Buyers"], before["Buyers"])
        shop.mongo.db().command("collMod", "products", validator=ours)
        self.assertEqual(shop.mirror.command("mirror", "retry").returncode, 0)
        self.assert_same()

    def test_81_many_lines_at_once(self):
        """As in test_scale.py, inside paged arrays."""
        self.shop.sell_in_bulk()
        self.assert_same()


del test_changes.ChangesTest  # it has its own file


if __name__ == "__main__":
    unittest.main()
