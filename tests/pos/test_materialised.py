#!/usr/bin/python3
"""Materialised rows against plain recomputation, after random changes of every kind (seeded)."""
import datetime
import os
import random
import unittest

import pymysql

from shop import POS, ShopTest, run

STEPS = 300


class Materialised(ShopTest):
    def setUp(self):
        folder = self.folder()
        run(['/usr/bin/python3', os.path.join(POS, 'generate.py'), '--out', folder, '--customers', '12', '--products', '10', '--orders', '40'])
        self.load(folder)

    def some(self, table):
        return self.rng.choice(self.column('SELECT id FROM `%s`' % table) or [0])

    def change(self):
        """One random change, as (SQL, arguments)."""
        r, day = self.rng, datetime.datetime(2024, 1, 1) + datetime.timedelta(days=self.rng.randrange(5), seconds=self.rng.randrange(86400))
        order, product, customer = self.some('Order'), self.some('Product'), self.some('Customer')
        items = '[%s]' % ','.join('{"product_id":%d,"quantity":%d}' % (self.some('Product'), r.randint(1, 4)) for _ in range(r.randint(1, 4)))
        return r.choice([
            ('CALL place_order(%s, %s, @o)', (customer, items)), ('CALL place_order(%s, %s, @o)', (customer, items)), ('CALL ship_order(%s)', (order,)),
            ('CALL cancel_order(%s)', (order,)), ('CALL change_price(%s, %s)', (product, r.randint(0, 5000) / 100)),
            ('UPDATE Product SET currentPrice = currentPrice * 1.1 WHERE id %% 3 = %s', (r.randrange(3),)),
            ('UPDATE Product SET availableQuantity = %s WHERE id = %s', (r.randrange(50), product)),
            ('UPDATE `Order` SET customer_id = %s WHERE id = %s', (customer, order)), ('UPDATE `Order` SET datePlaced = %s, dateShipped = NULL WHERE id = %s', (day, order)),
            ('UPDATE `Order` SET customer_id = %s, datePlaced = %s, dateShipped = NULL WHERE id IN (%s, %s)', (customer, day, order, self.some('Order'))),
            ('INSERT INTO `Order` (datePlaced, customer_id) VALUES (%s, %s)', (day, customer)),
            ('INSERT INTO Orderline VALUES (%s, %s, %s)', (order, product, r.randint(1, 3))),
            ('INSERT INTO Orderline VALUES (%s, %s, 1) ON DUPLICATE KEY UPDATE quantity = quantity + 1', (order, product)),
            ('REPLACE INTO Orderline VALUES (%s, %s, %s)', (order, product, r.randint(1, 3))), ('DELETE FROM Orderline WHERE order_id = %s', (order,)),
            ('DELETE FROM Orderline WHERE product_id = %s AND order_id > %s', (product, order)),
            ('UPDATE Orderline SET quantity = quantity + %s WHERE order_id = %s AND quantity > 2', (r.randint(-2, 2), order)),
            ('UPDATE IGNORE Orderline SET product_id = %s WHERE order_id = %s', (product, order)),
            ('UPDATE IGNORE Orderline SET order_id = %s WHERE order_id = %s', (self.some('Order'), order)),
            ('UPDATE IGNORE Orderline SET order_id = %s, quantity = quantity + 1 WHERE order_id = %s', (r.choice([order, 9999]), order)),
            ('UPDATE IGNORE Orderline SET quantity = quantity - 2 WHERE product_id = %s', (product,)),
            ('UPDATE IGNORE `Order` SET customer_id = %s, id = id + 1 WHERE customer_id = %s', (r.choice([customer, 9999]), self.some('Customer'))),
            ('INSERT IGNORE INTO Orderline VALUES (%s, %s, 1), (%s, %s, 0), (%s, %s, 2)', (9999, product, order, product, order, self.some('Product'))),
            ('INSERT IGNORE INTO `Order` (id, datePlaced, customer_id) VALUES (%s, %s, %s)', (order, day, customer)), ('DELETE IGNORE FROM `Order` WHERE id < %s', (order,)),
            ('UPDATE `Order` SET id = %s WHERE id = %s', (order + 1000, order)), ('DELETE FROM `Order` WHERE id = %s', (order,)),
            ('UPDATE Customer SET lastName = CONCAT(lastName, %s) WHERE id = %s', ('x', customer))])

    def test_random_changes(self):
        done, refused = 0, 0
        for seed in (1, 2):
            self.rng = random.Random(seed)
            for step in range(STEPS // 2):
                if self.rng.random() < 0.15:
                    self.rows(self.rng.choice(['START TRANSACTION', 'COMMIT', 'ROLLBACK']))
                sql, args = self.change()
                try:
                    self.rows(sql, args)
                    done += 1
                except pymysql.MySQLError as e:
                    self.assertIn(e.args[0], (1451, 1062, 1644, 4025), '%s %s: %s' % (sql, args, e))
                    refused += 1
                self.assert_materialised()
            self.rows('COMMIT')
            self.assert_materialised()
        self.assertGreater(done, STEPS / 2, 'most changes were refused: %d of %d' % (refused, STEPS))
        before = self.checksums()
        self.rows('CALL refresh_materialized_views()')
        self.assertEqual(self.checksums(), before)

    def test_refresh_mends(self):
        before = self.checksums()
        for sql in ('UPDATE MvOrderHistory SET total = total + 1 WHERE order_id < 5', 'DELETE FROM MvOrderHistory WHERE order_id = 7',
                    "INSERT INTO MvOrderHistory (order_id, customer_id, datePlaced) VALUES (9999, 1, '2020-01-01')", 'UPDATE MvProductBuyer SET quantity = quantity + 1',
                    'INSERT INTO MvProductBuyer VALUES (9999, 1, 1)', 'DELETE FROM MvDailySales LIMIT 3', "INSERT INTO MvDailySales VALUES ('2020-01-01', 1, 1, 1, 1)"):
            self.rows(sql)
        self.rows('CALL refresh_materialized_views()')
        self.assertEqual(self.checksums(), before)
        self.assert_materialised()
        self.rows('DELETE FROM MvProductBuyer')
        self.rows('CALL refresh_materialized_views()')
        self.assertEqual(self.checksums(), before)

    def test_refresh_belongs_to_the_callers_transaction(self):
        self.rows('DELETE FROM MvDailySales')
        before = self.checksums()
        self.rows('START TRANSACTION')
        self.rows('CALL refresh_materialized_views()')
        self.rows('ROLLBACK')
        self.assertEqual(self.checksums(), before)

    def test_event(self):
        """The nightly recount runs: its body is taken from the server and run now."""
        body = self.one("SELECT EVENT_DEFINITION FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE() AND EVENT_NAME = 'ev_refresh_materialized_views'")
        self.rows('UPDATE MvProductBuyer SET quantity = quantity + 1')
        self.rows(body)
        self.assert_materialised()

    def test_daily_sales(self):
        self.assertEqual(self.rows('SELECT * FROM DailySales ORDER BY day'),
                         self.rows('SELECT DATE(datePlaced), COUNT(*), SUM(units), SUM(total) FROM MvOrderHistory GROUP BY 1 ORDER BY 1'))


if __name__ == '__main__':
    unittest.main()
