#!/usr/bin/python3
"""Procedures and triggers: what a till calls, stock, prices, and what happens when two do it at once."""
import contextlib
import datetime
import json
import random
import threading
import unittest

import pymysql

from shop import ShopTest


class Procedures(ShopTest):
    def setUp(self):
        self.shop = self.load(self.csv(products=[b'%d,Thing %d,%d.50,100' % (i, i, i) for i in range(1, 9)]))

    def stock(self):
        return dict(self.rows('SELECT id, availableQuantity FROM Product'))

    def refused(self, message, sql, *args, code=1644):
        """The statement fails with the message and changes nothing."""
        before = self.checksums()
        with self.assertRaises(pymysql.MySQLError) as caught:
            self.rows(sql, args)
        self.assertEqual(caught.exception.args[0], code)
        self.assertIn(message, caught.exception.args[1])
        self.assertEqual(self.checksums(), before)

    def place(self, *items, customer=1):
        return self.call_order(customer, json.dumps([dict(zip(('product_id', 'quantity'), i)) for i in items]))

    def test_place_order(self):
        order = self.place((3, 2), (1, 5), (3, 1), (2,))
        self.assertEqual(self.rows('SELECT product_id, quantity FROM Orderline WHERE order_id = %s ORDER BY 1', order), [(1, 5), (2, 1), (3, 3)])
        self.assertEqual([self.stock()[i] for i in (1, 2, 3, 4)], [95, 99, 97, 100])
        placed, shipped, customer = self.one('SELECT datePlaced, dateShipped, customer_id FROM `Order` WHERE id = %s', order)
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        self.assertLess(abs((now - placed).total_seconds()), 60)
        self.assertEqual((shipped, customer), (None, 1))
        self.assert_materialised()

    def test_place_order_refused(self):
        call = 'CALL place_order(%s, %s, @o)'
        self.refused('insufficient stock of product 2: 100 left, 101 ordered', call, 1, '[{"product_id":1},{"product_id":2,"quantity":60},{"product_id":2,"quantity":41}]')
        self.refused('there is no product 99', call, 1, '[{"product_id":1},{"product_id":99}]')
        self.refused('there is no customer 99', call, 99, '[{"product_id":1}]')
        self.refused('there is no customer NULL', call, None, '[{"product_id":1}]')
        for bad in (None, '', '{}', '7', '[{"product_id":1}'):
            self.refused('not a JSON array', call, 1, bad)
        self.refused('at least one item', call, 1, '[]')
        for bad in ('[{}]', '[7]', '[{"product_id":"x"}]', '[{"product_id":null}]', '[{"product_id":1.5}]'):
            self.refused('item 1 has no product_id', call, 1, bad)
        for bad in ('0', '-1', '1.5', '"x"', 'null', '1000000', '[]'):
            self.refused('item 2 has no quantity between 1 and 999999', call, 1, '[{"product_id":1},{"product_id":2,"quantity":%s}]' % bad)

    def test_in_the_callers_transaction(self):
        before = self.checksums()
        self.rows('START TRANSACTION')
        first = self.place((1, 1))
        with self.assertRaisesRegex(pymysql.MySQLError, 'insufficient'):
            self.place((2, 1), (3, 1000))
        self.assertEqual(self.column('SELECT order_id FROM Orderline WHERE order_id >= %s', first), [first], 'the failed order left something, or took the first along')
        self.rows('CALL cancel_order(%s)', first)
        self.rows('ROLLBACK')
        self.assertEqual(self.checksums(), before)
        self.rows('START TRANSACTION')
        order = self.place((1, 1))
        with self.assertRaises(pymysql.MySQLError):
            self.rows('CALL cancel_order(999)')
        self.rows('COMMIT')
        self.assertEqual(self.one('SELECT COUNT(*) FROM `Order` WHERE id = %s', order), 1)

    def test_without_autocommit_the_caller_commits(self):
        before = self.checksums()
        with contextlib.closing(self.server.connect(database=self.shop, autocommit=False)) as other:
            self.call_order(1, '[{"product_id": 1}]', other)
            other.rollback()
        self.assertEqual(self.checksums(), before)

    def test_deadlock_is_reported_as_such(self):
        """A deadlock takes transaction and savepoint along; the till must still see 1213, which it knows to retry."""
        with contextlib.closing(self.server.connect(database=self.shop)) as other, other.cursor() as heavy:
            heavy.execute('START TRANSACTION')
            heavy.execute('UPDATE Product SET name = CONCAT(name, %s) WHERE id > 1', ('!',))
            self.rows('START TRANSACTION')
            self.rows('SELECT id FROM Product WHERE id = 1 FOR UPDATE')
            thread = threading.Thread(target=lambda: (heavy.execute('SELECT id FROM Product WHERE id = 1 FOR UPDATE'), other.rollback()))
            thread.start()
            with self.assertRaises(pymysql.MySQLError) as caught:
                self.place((2, 1))
            thread.join()
        self.assertEqual(caught.exception.args[0], 1213)

    def test_ship_and_cancel(self):
        first, second = self.place((1, 10)), self.place((1, 20))
        self.rows('CALL ship_order(%s)', first)
        self.assertIsNotNone(self.one('SELECT dateShipped FROM `Order` WHERE id = %s', first))
        self.refused('is shipped already', 'CALL ship_order(%s)', first)
        self.refused('order %d is shipped' % first, 'CALL cancel_order(%s)', first)
        self.refused('there is no order 999', 'CALL ship_order(999)')
        self.refused('there is no order 999', 'CALL cancel_order(999)')
        self.assertEqual(self.stock()[1], 70)
        self.rows('CALL cancel_order(%s)', second)
        self.assertEqual(self.stock()[1], 90)
        self.assertEqual(self.rows('SELECT * FROM Orderline WHERE order_id = %s', second), [])
        self.assert_materialised()

    def test_nothing_cascades(self):
        """Lines must be deleted by statements: InnoDB writes no row events for what ON DELETE CASCADE deletes."""
        order = self.place((1, 1), (2, 1))
        rules = self.column("SELECT DELETE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = %s", self.shop)
        self.assertEqual(set(rules), {'RESTRICT'})
        with self.assertRaises(pymysql.IntegrityError):
            self.rows('DELETE FROM `Order` WHERE id = %s', order)

    def test_change_price(self):
        self.rows('CALL change_price(1, 9.99)')
        self.rows('CALL change_price(1, 9.99)')
        self.assertEqual([tuple(map(str, r)) for r in self.rows('SELECT product_id, oldPrice, newPrice FROM PriceHistory')], [('1', '1.50', '9.99')])
        self.rows('UPDATE Product SET currentPrice = currentPrice + 1 WHERE id < 3')
        self.assertEqual(self.one('SELECT COUNT(*) FROM PriceHistory'), 3)
        for bad in ('-1', '1.999', '100000000', None):
            self.refused('is not a price', 'CALL change_price(1, %s)', bad)
        self.refused('there is no product 99', 'CALL change_price(99, 1)')
        self.assert_materialised()

    def test_stock_follows_order_lines(self):
        order = self.place((1, 10))
        stock = lambda: [self.stock()[i] for i in (1, 2)]
        for sql, wanted in (('UPDATE Orderline SET quantity = 15 WHERE order_id = %s', [85, 100]), ('UPDATE Orderline SET quantity = 5 WHERE order_id = %s', [95, 100]),
                            ('UPDATE Orderline SET product_id = 2 WHERE order_id = %s', [100, 95]),
                            ('INSERT INTO Orderline VALUES (%s, 2, 3) ON DUPLICATE KEY UPDATE quantity = quantity + 3', [100, 92]),
                            ('INSERT IGNORE INTO Orderline VALUES (%s, 2, 50)', [100, 92]), ('REPLACE INTO Orderline VALUES (%s, 2, 1)', [100, 99]),
                            ('INSERT INTO Orderline (order_id, product_id) VALUES (%s, 1)', [99, 99]), ('DELETE FROM Orderline WHERE order_id = %s', [100, 100])):
            self.rows(sql, order)
            self.assertEqual(stock(), wanted, sql)
            self.assert_materialised()
        self.refused('insufficient stock of product 1: 100 left, 101 more ordered', 'INSERT INTO Orderline VALUES (%s, 1, 101)', order)
        self.refused('', 'INSERT INTO Orderline VALUES (%s, 1, -5)', order, code=4025)
        self.refused('foreign key', 'INSERT INTO Orderline VALUES (%s, 99, 5)', order, code=1452)

    def test_tills_at_once(self):
        """Baskets in any order, by procedure: no deadlock, no unit sold twice, none lost."""
        errors, placed = [], []

        def till(seed):
            rng = random.Random(seed)
            with contextlib.closing(self.server.connect(database=self.shop)) as own:
                for _ in range(30):
                    items = [{'product_id': p, 'quantity': rng.randint(1, 3)} for p in rng.sample(range(1, 9), 4)]
                    try:
                        order = self.call_order(1, json.dumps(items), own)
                        placed.append(order)
                        if rng.random() < 0.3:
                            with own.cursor() as cursor:
                                cursor.execute(rng.choice(['CALL cancel_order(%s)', 'CALL ship_order(%s)']), (order,))
                    except pymysql.MySQLError as e:
                        if 'insufficient stock' not in str(e):
                            errors.append(e)
        threads = [threading.Thread(target=till, args=(i,)) for i in range(6)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(errors, [])
        self.assertEqual(len(set(placed)), len(placed))
        sold = dict(self.rows('SELECT product_id, SUM(quantity) FROM Orderline WHERE order_id > 1 GROUP BY product_id'))
        self.assertEqual({p: q + sold.get(p, 0) for p, q in self.stock().items()}, {p: 100 for p in range(1, 9)})
        self.assert_materialised()

    def test_the_two_ways_of_selling_one_product(self):
        """Tills that insert lines themselves queue for a product, too, instead of deadlocking over it."""
        errors = []

        def till():
            with contextlib.closing(self.server.connect(database=self.shop)) as own, own.cursor() as cursor:
                for _ in range(20):
                    try:
                        cursor.execute('START TRANSACTION')
                        cursor.execute('INSERT INTO `Order` (datePlaced, customer_id) VALUES (UTC_TIMESTAMP(), 1)')
                        cursor.execute('INSERT INTO Orderline VALUES (LAST_INSERT_ID(), 5, 1)')
                        cursor.execute('COMMIT')
                    except pymysql.MySQLError as e:
                        errors.append(e)
        threads = [threading.Thread(target=till) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual((errors, self.stock()[5]), ([], 20))


if __name__ == '__main__':
    unittest.main()
