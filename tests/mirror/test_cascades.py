"""Foreign keys that act: what InnoDB changes without a word in the binlog is found all the same, at any depth, and
without going through whole collections."""

import os
import random
import unittest

import pymysql

from shop_mirror import Shop, sequence, whole

from harness import scratch, yamlout

SCHEMA = """
CREATE DATABASE fk CHARACTER SET utf8mb4;
CREATE TABLE fk.Region (code VARCHAR(10) PRIMARY KEY, name VARCHAR(20));
CREATE TABLE fk.Product (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE fk.Customer (id INT PRIMARY KEY, region VARCHAR(10), name VARCHAR(20),
  FOREIGN KEY (region) REFERENCES Region (code) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE fk.Sale (customer INT, no INT, PRIMARY KEY (customer, no),
  FOREIGN KEY (customer) REFERENCES Customer (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE fk.Line (customer INT, no INT, line INT, product INT, PRIMARY KEY (customer, no, line), KEY (product),
  FOREIGN KEY (customer, no) REFERENCES Sale (customer, no) ON DELETE CASCADE ON UPDATE CASCADE,
  FOREIGN KEY (product) REFERENCES Product (id) ON DELETE SET NULL ON UPDATE SET NULL);
CREATE TABLE fk.Remark (id INT PRIMARY KEY, customer INT, no INT, line INT, text VARCHAR(20),
  FOREIGN KEY (customer, no, line) REFERENCES Line (customer, no, line) ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE fk.Node (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES Node (id) ON DELETE CASCADE);
CREATE TABLE fk.Hidden (id INT PRIMARY KEY);
CREATE TABLE fk.Middle (id INT PRIMARY KEY, hidden INT, FOREIGN KEY (hidden) REFERENCES Hidden (id) ON DELETE CASCADE);
CREATE TABLE fk.Leaf (id INT PRIMARY KEY, middle INT, FOREIGN KEY (middle) REFERENCES Middle (id) ON DELETE CASCADE);
"""

MAP = """
- collection: regions
  table: fk.Region
  key: [code]
  fields: {Name: name}
  arrays:
    Customers: {table: fk.Customer, on: {region: code}, key: [id], fields: {ID: id, Name: name}}
- collection: customers
  table: fk.Customer
  key: [id]
  fields: {Region: region}
  arrays:
    Sales:
      table: fk.Sale
      on: {customer: id}
      key: [no]
      page: 2
      fields: {No: no}
      arrays:
        Lines:
          table: fk.Line
          on: {customer: customer, no: no}
          key: [line]
          joins: [{table: fk.Product, on: {id: product}}]
          fields: {Line: line, Product: Product.name}
          arrays:
            Remarks: {table: fk.Remark, on: {customer: customer, no: no, line: line}, key: [id], fields: {Text: text}}
- collection: products
  table: fk.Product
  key: [id]
  fields: {Name: name}
  arrays:
    Buyers:
      table: fk.Line
      on: {product: id}
      joins: [{table: fk.Customer, on: {id: customer}, required: true}]
      group_by: [Customer.id]
      page: 2
      fields: {ID: Customer.id, Name: Customer.name, Lines: {count: line}}
- collection: remarks
  table: fk.Remark
  key: [id]
  joins: [{table: fk.Line, on: {customer: customer, no: no, line: line}}]
  fields: {Customer: customer, Product: Line.product}
- collection: nodes
  table: fk.Node
  key: [id]
  fields: {Up: up}
  arrays:
    Down: {table: fk.Node, as: D, on: {up: id}, key: [id], page: 2, fields: {ID: id}}
- collection: leaves
  table: fk.Leaf
  key: [id]
  fields: {Middle: middle}
"""
PAGED = {"customers": "Sales", "products": "Buyers", "nodes": "Down"}
COLLECTIONS = ("regions", "customers", "products", "remarks", "nodes", "leaves")


class World(Shop):
    def load(self):
        for sql in SCHEMA.split(";\n"):
            if sql.strip():
                self.primary.query(sql)

    def section(self):
        return {"mirror": {"uri": self.mongo.uri, "database": self.mongo.database, "batch_delay": "1ms",
                           "aggregates": yamlout.Raw(MAP.strip().splitlines())}}

    def found(self):
        return {name: whole(self.read(name), PAGED.get(name)) for name in COLLECTIONS}

    def expected(self):
        """The documents, made of plain SELECTs."""
        rows = {t: self.primary.query("SELECT * FROM fk.%s ORDER BY 1, 2" % t)
                for t in ("Region", "Product", "Customer", "Sale", "Line", "Remark", "Node", "Leaf")}
        product = dict(rows["Product"])
        customer = {r[0]: r for r in rows["Customer"]}
        lines = {r[:3]: r[3] for r in sorted(rows["Line"])}
        made = {
            "regions": {code: {"_id": code, "Name": name, "Customers": [
                {"ID": c[0], "Name": c[2]} for c in rows["Customer"] if c[1] == code]} for code, name in rows["Region"]},
            "nodes": {n: {"_id": n, "Up": up, "Down": [{"ID": m} for m, above in rows["Node"] if above == n]}
                      for n, up in rows["Node"]},
            "leaves": {n: {"_id": n, "Middle": middle} for n, middle in rows["Leaf"]},
            "remarks": {r[0]: {"_id": r[0], "Customer": r[1], "Product": lines.get(r[1:4])} for r in rows["Remark"]},
            "customers": {}, "products": {}}
        for key, row in customer.items():
            made["customers"][key] = {"_id": key, "Region": row[1], "Sales": [{"No": no, "Lines": [
                {"Line": at[2], "Product": product.get(p), "Remarks": [
                    {"Text": r[4]} for r in rows["Remark"] if r[1:4] == at]}
                for at, p in lines.items() if at[:2] == (key, no)]} for c, no in rows["Sale"] if c == key]}
        for key, name in product.items():
            buyers = {}
            for at, p in lines.items():
                if p == key and at[0] in customer:
                    buyers[at[0]] = buyers.get(at[0], 0) + 1
            made["products"][key] = {"_id": key, "Name": name, "Buyers": [
                {"ID": c, "Name": customer[c][2], "Lines": n} for c, n in sorted(buyers.items())]}
        return made

    def difference(self):
        self.wait_applied()
        wanted, got = self.expected(), self.found()
        for name in COLLECTIONS:
            for key in sorted(set(wanted[name]) | set(got[name]), key=str):
                if wanted[name].get(key) != got[name].get(key):
                    return "%s %r:\n  SQL     %r\n  MongoDB %r" % (
                        name, key, wanted[name].get(key), got[name].get(key))
        return None


FILL = """
REPLACE INTO fk.Region VALUES ('n', 'North'), ('s', 'South');
REPLACE INTO fk.Product VALUES (1, 'tea'), (2, 'pot'), (3, 'cup');
INSERT INTO fk.Customer VALUES (1, 'n', 'Ann'), (2, 'n', 'Ben'), (3, 's', 'Cid');
INSERT INTO fk.Sale VALUES (1, 1), (1, 2), (2, 1), (3, 1);
INSERT INTO fk.Line VALUES (1, 1, 1, 1), (1, 1, 2, 2), (1, 2, 1, 1), (2, 1, 1, 1), (3, 1, 1, 3);
INSERT INTO fk.Remark VALUES (1, 1, 1, 1, 'a'), (2, 1, 1, 1, 'b'), (3, 2, 1, 1, 'c'), (4, 3, 1, 1, 'd');
INSERT INTO fk.Node VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 1), (6, NULL);
INSERT INTO fk.Hidden VALUES (1), (2);
INSERT INTO fk.Middle VALUES (1, 1), (2, 1), (3, 2);
INSERT INTO fk.Leaf VALUES (1, 1), (2, 2), (3, 3), (4, 1)
"""


class CascadesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shop = cls.enterClassContext(World())

    def setUp(self):
        tables = ("Remark", "Line", "Sale", "Customer", "Product", "Region", "Node", "Leaf", "Middle", "Hidden")
        self.shop.run("UPDATE Node SET up = NULL", *["DELETE FROM %s" % t for t in tables],
                      *FILL.strip().split(";\n"), database="fk")
        self.assert_same()
        self.passes = self.count_passes()

    def count_passes(self):
        return self.shop.mirror.log_text().count("mirror.snapshot collection=")

    def assert_same(self):
        self.assertIsNone(self.shop.difference())

    def change(self, *statements):
        """Statements whose cascades are found one by one."""
        self.shop.run(*statements, database="fk")
        self.assert_followed()

    def assert_followed(self):
        self.assert_same()
        self.assertEqual(self.count_passes(), self.passes)

    def test_10_delete_three_deep(self):
        self.change("DELETE FROM Customer WHERE id = 1")
        self.assertNotIn(1, [b["ID"] for b in self.shop.found()["products"][1]["Buyers"]])
        self.assertIsNone(self.shop.found()["remarks"][1]["Customer"])

    def test_11_set_null(self):
        self.change("DELETE FROM Region WHERE code = 'n'")
        self.assertIsNone(self.shop.found()["customers"][2]["Region"])
        self.change("DELETE FROM Product WHERE id = 1")
        self.change("UPDATE Product SET id = 9 WHERE id = 3")

    def test_12_key_renamed(self):
        self.change("UPDATE Region SET code = 'north' WHERE code = 'n'")
        self.change("UPDATE Customer SET id = 7 WHERE id = 1")
        self.assertEqual([b["ID"] for b in self.shop.found()["products"][1]["Buyers"]], [2, 7])
        self.change("BEGIN", "UPDATE Customer SET id = 8 WHERE id = 7", "UPDATE Customer SET id = 7 WHERE id = 2",
                    "UPDATE Customer SET id = 2 WHERE id = 8", "COMMIT")

    def test_13_self_reference(self):
        self.change("DELETE FROM Node WHERE id = 2")
        self.assertEqual(sorted(self.shop.found()["nodes"]), [1, 5, 6])

    def test_14_through_tables_that_are_not_mapped(self):
        self.change("DELETE FROM Hidden WHERE id = 1")
        self.assertEqual(list(self.shop.found()["leaves"]), [3])

    def test_15_moved_to_a_parent_that_goes(self):
        """The moved row's children stood under another key in the old snapshot."""
        self.change("BEGIN", "UPDATE Sale SET customer = 2, no = 5 WHERE customer = 3", "DELETE FROM Customer WHERE id = 2",
                    "COMMIT")
        self.assertEqual(self.shop.found()["products"][3]["Buyers"], [])
        self.change("BEGIN", "UPDATE Middle SET hidden = 2 WHERE id = 1", "DELETE FROM Hidden WHERE id = 2", "COMMIT")

    def test_16_born_and_gone_in_one_transaction(self):
        self.change("BEGIN", "INSERT INTO Customer VALUES (20, 'n', 'New')", "INSERT INTO Sale VALUES (20, 1)",
                    "INSERT INTO Line VALUES (20, 1, 1, 2)", "UPDATE Customer SET id = 21 WHERE id = 20", "COMMIT")
        self.assertIn(21, [b["ID"] for b in self.shop.found()["products"][2]["Buyers"]])
        self.change("BEGIN", "INSERT INTO Sale VALUES (3, 9)", "INSERT INTO Line VALUES (3, 9, 1, 2)",
                    "DELETE FROM Customer WHERE id = 3", "COMMIT")

    def test_17_replace(self):
        """REPLACE deletes: the cascade runs."""
        self.change("REPLACE INTO Customer VALUES (1, 's', 'again')")
        self.assertEqual(self.shop.found()["customers"][1]["Sales"], [])

    def test_20_random(self):
        seed = int(os.environ.get("SEED", random.randrange(1 << 30)))
        print("SEED=%d" % seed)
        r = random.Random(seed)
        for _ in range(25):
            statements = []
            for _ in range(r.randint(1, 4)):
                statements += ["BEGIN"] + [self.statement(r) for _ in range(r.randint(1, 6))] + ["COMMIT"]
            try:
                self.attempt(statements)
                self.assert_followed()
            except AssertionError:
                print(";\n".join(statements))
                raise

    def attempt(self, statements):
        """Those of the statements that the server does not refuse."""
        connection = self.shop.primary.connect(database="fk")
        with connection.cursor() as cursor:
            for sql in statements:
                try:
                    cursor.execute(sql)
                except pymysql.MySQLError:
                    pass  # a cascade onto a row that is there already
        connection.close()

    @staticmethod
    def statement(r):
        customer, no, line, product = r.randint(1, 5), r.randint(1, 3), r.randint(1, 2), r.randint(1, 4)
        return r.choice([
            "INSERT IGNORE INTO Region VALUES ('%s', 'x')" % r.choice("nsew"),
            "DELETE FROM Region WHERE code = '%s'" % r.choice("nsew"),
            "UPDATE IGNORE Region SET code = '%s' WHERE code = '%s'" % (r.choice("nsew"), r.choice("nsew")),
            "INSERT IGNORE INTO Product VALUES (%d, 'p')" % product,
            "DELETE FROM Product WHERE id = %d" % product,
            "UPDATE IGNORE Product SET id = %d WHERE id = %d" % (r.randint(1, 4), product),
            "INSERT IGNORE INTO Customer VALUES (%d, '%s', 'c%d')" % (customer, r.choice("nsew"), r.randint(1, 9)),
            "DELETE FROM Customer WHERE id = %d" % customer,
            "UPDATE IGNORE Customer SET id = %d WHERE id = %d" % (r.randint(1, 5), customer),
            "INSERT IGNORE INTO Sale VALUES (%d, %d)" % (customer, no),
            "UPDATE IGNORE Sale SET customer = %d, no = %d WHERE customer = %d" % (r.randint(1, 5), no, customer),
            "DELETE FROM Sale WHERE customer = %d AND no = %d" % (customer, no),
            "INSERT IGNORE INTO Line VALUES (%d, %d, %d, %d)" % (customer, no, line, product),
            "INSERT IGNORE INTO Line SELECT customer, no, %d, %d FROM Sale" % (line, product),
            "UPDATE IGNORE Line SET line = %d WHERE customer = %d AND line = %d" % (r.randint(1, 2), customer, line),
            "INSERT IGNORE INTO Remark SELECT %d, customer, no, line, 'r' FROM Line LIMIT 1" % r.randint(1, 9),
            "INSERT IGNORE INTO Node VALUES (%d, %s)" % (r.randint(1, 9), r.choice(["NULL", "1", "2", "3", "6"])),
            "UPDATE IGNORE Node SET up = %d WHERE id = %d" % (r.randint(1, 4), r.randint(5, 9)),
            "DELETE FROM Node WHERE id = %d" % r.randint(1, 9),
        ])

    def test_30_restarted(self):
        """While it is away nothing tells what a cascade removed: collections that it may have hit are made anew."""
        self.shop.mirror.stop()
        self.shop.run("DELETE FROM Customer WHERE id = 1", "DELETE FROM Hidden WHERE id = 2", database="fk")
        self.shop.mirror.start()
        self.assert_same()
        self.assertGreater(self.count_passes(), self.passes)

    def test_31_alter_between(self):
        """The old snapshot can't be read any more."""
        self.shop.run("ALTER TABLE Line ADD COLUMN extra INT", "DELETE FROM Customer WHERE id = 1",
                      "ALTER TABLE Line DROP COLUMN extra", database="fk")
        self.assert_same()

    def test_32_key_added_later(self):
        self.shop.run("CREATE TABLE Owner (id INT PRIMARY KEY)", "INSERT INTO Owner VALUES (1), (2), (3), (4), (5), (9)",
                      "ALTER TABLE Product ADD FOREIGN KEY own (id) REFERENCES Owner (id) ON DELETE CASCADE", database="fk")
        self.assert_same()
        self.passes = self.count_passes()
        self.change("DELETE FROM Owner WHERE id = 2")
        self.assertNotIn(2, self.shop.found()["products"])
        self.shop.run("SET SESSION lock_wait_timeout = 10", "ALTER TABLE Product DROP FOREIGN KEY own", "DROP TABLE Owner",
                      database="fk")
        self.assert_same()

    def test_40_a_kept_snapshot_holds_up_nothing(self):
        """ALTER of a table that the last batch has read, with nothing else going on."""
        self.change("UPDATE Customer SET name = 'read' WHERE id = 1")
        self.shop.run("SET SESSION lock_wait_timeout = 5", "ALTER TABLE Customer COMMENT = 'x'", database="fk")
        replica = self.shop.cluster.replicas[0]
        need = sequence(self.shop.primary.value("SELECT @@gtid_binlog_pos"))
        scratch.wait_until("the replica", lambda: sequence(replica.value("SELECT @@gtid_slave_pos")) >= need, 10)
        self.assert_same()


if __name__ == "__main__":
    unittest.main()
