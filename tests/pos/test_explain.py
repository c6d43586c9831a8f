#!/usr/bin/python3
"""Each index of indexes.sql is used by the query that it is there for. A plan may change with the data; this is a shop of a month."""
import os
import re
import unittest

from shop import POS, ShopTest, run

QUERIES = {
    'ix_Orderline_product': ['SELECT product_id, SUM(quantity) AS units FROM Orderline GROUP BY product_id',
                             'SELECT o.customer_id, l.quantity FROM Orderline l JOIN `Order` o ON o.id = l.order_id WHERE l.product_id = 7'],
    'ix_Order_customer': ['SELECT p.name AS ProductName, ol.quantity FROM Orderline ol JOIN Product p ON ol.product_id=p.id JOIN `Order` o ON ol.order_id=o.id '
                          'WHERE o.customer_id=1', 'SELECT customer_id, COUNT(*), MIN(datePlaced), MAX(datePlaced) FROM `Order` GROUP BY customer_id'],
    'ix_Order_placed': ["SELECT COUNT(*), MIN(datePlaced) FROM `Order` WHERE datePlaced >= '2024-03-01' AND datePlaced < '2024-04-01'"],
    'ix_Order_open': ['SELECT * FROM OpenOrders ORDER BY datePlaced LIMIT 20'],
    'ix_City_city': ["SELECT c.id FROM City ci JOIN Customer c ON c.zip = ci.zip WHERE ci.city = 'Houston'"],
    'ix_Customer_zip': ["SELECT c.id FROM City ci JOIN Customer c ON c.zip = ci.zip WHERE ci.city = 'Houston'"],
    'ix_Customer_email': ["SELECT id, firstName, lastName, email FROM Customer WHERE email = 'c7@example.com'"],
    'ix_Customer_name': ["SELECT id, firstName, lastName FROM Customer WHERE lastName LIKE CONCAT('Sm', '%') ORDER BY lastName, firstName, id LIMIT 5"],
    'ix_Product_name': ["SELECT id, name, currentPrice FROM Product WHERE name LIKE CONCAT('Coffee P', '%') ORDER BY name, id LIMIT 5"],
    'ix_PriceHistory_product': ['SELECT * FROM PriceChanges WHERE ProductID = 7 ORDER BY changedAt'],
}


class Explain(ShopTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test = cls('test_every_index_has_its_query')
        folder = test.folder()
        run(['/usr/bin/python3', os.path.join(POS, 'generate.py'), '--out', folder, '--customers', '2000', '--products', '500', '--orders', '5000'])
        cls.shop = test.load(folder)
        test.rows('UPDATE Product SET currentPrice = currentPrice + 1')
        test.rows('ANALYZE TABLE City, Customer, Product, `Order`, Orderline, PriceHistory')
        test.doCleanups()

    def setUp(self):
        self.connection = self.server.connect(database=self.shop)
        self.addCleanup(self.connection.close)

    def test_every_index_has_its_query(self):
        with open(os.path.join(POS, 'indexes.sql'), encoding='utf-8') as f:
            text = f.read()
        named = re.findall(r'^CREATE INDEX IF NOT EXISTS (\w+)', text, re.M)
        self.assertEqual(sorted(named), sorted(QUERIES))
        there = self.column("SELECT DISTINCT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME LIKE 'ix%'")
        self.assertLessEqual(set(named), set(there))

    def test_plans(self):
        for index, queries in QUERIES.items():
            for sql in queries:
                with self.subTest(index=index):
                    plan = self.rows('EXPLAIN ' + sql)
                    self.assertIn(index, [r[5] for r in plan], sql)

    def test_no_sort_where_the_index_has_the_order(self):
        for sql in (QUERIES['ix_Order_open'] + QUERIES['ix_Customer_name'] + QUERIES['ix_PriceHistory_product']):
            self.assertNotIn('filesort', str(self.rows('EXPLAIN ' + sql)), sql)

    def test_every_foreign_key_has_an_index_of_ours(self):
        """None of the indexes that InnoDB makes for a key by itself is left beside ours."""
        self.assertEqual(self.column("SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME LIKE 'fk%'"), [])


if __name__ == '__main__':
    unittest.main()
