"""`mirror.validate`: MongoDB refuses what others write in another form than the mapping's, and nothing that the mirror writes."""

import unittest

import bson
import pymongo

from shop_mirror import Shop, ShopTest

VALIDATION_FAILED = 121


class ValidShop(Shop):
    validate = True


class ValidateTest(ShopTest):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(ValidShop())

    def setUp(self):
        self.shop.wait_applied()

    def collection(self, name):
        return self.shop.mongo.db()[name]

    def schema(self, name):
        return self.collection(name).options().get("validator", {}).get("$jsonSchema", {})

    def refused(self, change):
        with self.assertRaises(pymongo.errors.OperationFailure) as raised:
            self.collection("customers").update_one({"_id": 1}, change)
        self.assertEqual(raised.exception.code, VALIDATION_FAILED)

    def assert_valid(self):
        """All documents are in the form, and none was refused."""
        for name in ("customers", "products"):
            self.assertEqual(self.collection(name).count_documents({"$nor": [{"$jsonSchema": self.schema(name)}]}), 0, name)
        self.assertEqual(self.shop.mongo.db().tillway_mirror_letters.count_documents({}), 0)
        self.assert_same()

    def test_10_what_others_write(self):
        self.refused({"$set": {"Email": 7}})
        self.refused({"$set": {"Customer ID": 1.0}})
        self.refused({"$set": {"More": "x"}})
        self.refused({"$unset": {"Phone": 1}})
        self.refused({"$set": {"Orders.0.Items.0.Quantity": "one"}})
        self.refused({"$set": {"Orders.0.Date Placed": "yesterday"}})
        with self.assertRaises(pymongo.errors.WriteError):
            self.collection("customers").insert_one({"_id": bson.Int64(99999)})
        self.assert_valid()

    def test_20_written_on(self):
        self.shop.run("INSERT INTO Customer (id, firstName, lastName, email, zip, phone, birthdate) VALUES"
                      " (70001, 'No', 'Orders', NULL, NULL, NULL, NULL)",
                      "UPDATE Product SET name = 'a'", "DELETE FROM Orderline WHERE order_id IN (SELECT id FROM `Order` WHERE customer_id = 1)")
        self.assert_valid()

    def test_30_rebuilt(self):
        done = self.shop.mirror.command("mirror", "rebuild")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.refused({"$set": {"Email": 7}})
        self.assert_valid()

    def test_40_the_tables_change(self):
        """The validator with them."""
        self.assertEqual(self.schema("products")["properties"]["Available Quantity"]["bsonType"], ["long", "decimal"])
        self.shop.run("ALTER TABLE Product MODIFY availableQuantity BIGINT UNSIGNED NULL", "UPDATE Product SET availableQuantity = NULL WHERE id = 1")
        self.shop.wait_applied()
        self.assertEqual(self.schema("products")["properties"]["Available Quantity"]["bsonType"], ["long", "decimal", "null"])
        self.assert_valid()

    def test_50_switched_off(self):
        """Ours goes, another's stays."""
        other = {"Email": {"$ne": "no"}}
        self.shop.mirror.stop()
        self.shop.mongo.db().command("collMod", "products", validator=other)
        self.shop.validate = False
        self.shop.mirror.write_config(self.shop.section())
        self.shop.mirror.start()
        self.shop.run("UPDATE Product SET name = 'b' WHERE id = 1")
        self.shop.wait_applied()
        self.assertEqual(self.schema("customers"), {})
        self.assertEqual(self.collection("products").options()["validator"], other)
        self.assert_same()

    def test_60_asked_once(self):
        """A mirror that begins asks for all collections at once, not for each."""
        def asked():
            return self.shop.mongo.client().admin.command("serverStatus")["metrics"]["commands"]["listCollections"]["total"]
        self.shop.mirror.stop()
        before = asked()
        self.shop.mirror.start()
        self.shop.run("UPDATE Product SET name = 'c' WHERE id = 1")
        self.shop.wait_applied()
        self.assertEqual(asked() - before, 1)


if __name__ == "__main__":
    unittest.main()
