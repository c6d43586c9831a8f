#!/usr/bin/python3
"""generate_aggregates against documents made by plain Python from the tables' rows."""
import datetime
import decimal
import json
import os
import unittest

import bson.json_util
from bson.decimal128 import Decimal128
from bson.int64 import Int64

from shop import GOOD, POS, ShopTest, run

OPTIONS = bson.json_util.JSONOptions(json_mode=bson.json_util.JSONMode.CANONICAL, tz_aware=False, document_class=dict)


def long(n):
    return {'$numberLong': str(n)}


def money(d):
    return {'$numberDecimal': str(d)}


def date(d):
    return d and {'$date': d.strftime('%Y-%m-%dT%H:%M:%SZ')}


class Aggregates(ShopTest):
    maxDiff = 2000

    def generated(self, shop):
        """{collection: the documents' lines}"""
        folder = self.folder()
        run([os.path.join(POS, 'generate_aggregates'), '--port', str(self.server.port), '--database', shop, folder])
        self.assertEqual(sorted(os.listdir(folder)), ['customers.json', 'products.json'])
        files = {}
        for name in ('customers', 'products'):
            with open(os.path.join(folder, name + '.json'), encoding='utf-8', newline='\n') as f:
                files[name] = f.read().split('\n')[:-1]
        return files

    def expected_customers(self):
        cities = {r[0]: r[1:] for r in self.rows('SELECT zip, city, state FROM City')}
        products = {r[0]: r[1:] for r in self.rows('SELECT id, name, currentPrice FROM Product')}
        for c, first, last, email, a1, a2, phone, born, zip_code in self.rows('SELECT * FROM Customer ORDER BY id'):
            city, state = cities.get(zip_code, (None, None))
            address = [x for x in (a1, a2, city, city and '%s %s' % (state, zip_code)) if x]
            orders = []
            for o, placed, shipped in self.rows('SELECT id, datePlaced, dateShipped FROM `Order` WHERE customer_id = %s ORDER BY id', c):
                lines = self.rows('SELECT product_id, quantity FROM Orderline WHERE order_id = %s ORDER BY product_id', o)
                total = sum((q * products[p][1] for p, q in lines), decimal.Decimal('0.00'))
                orders.append({'Order ID': long(o), 'Date Placed': date(placed), 'Date Shipped': date(shipped), 'Order Total': money(total),
                               'Items': [{'Product ID': long(p), 'Product Name': products[p][0], 'Quantity': q, 'Unit Price': money(products[p][1])} for p, q in lines]})
            yield {'_id': long(c), 'Customer ID': long(c), 'Customer Name': first + ' ' + last, 'Email': email, 'Phone': phone, 'Birthdate': date(born),
                   'Full Address': ', '.join(address) or None, 'Orders': orders}

    def expected_products(self):
        names = {r[0]: r[1] + ' ' + r[2] for r in self.rows('SELECT id, firstName, lastName FROM Customer')}
        bought = {}
        for p, c, q in self.rows('SELECT l.product_id, o.customer_id, l.quantity FROM Orderline l JOIN `Order` o ON o.id = l.order_id'):
            bought.setdefault(p, {}).setdefault(c, []).append(q)
        for p, name, price, stock in self.rows('SELECT id, name, currentPrice, availableQuantity FROM Product ORDER BY id'):
            yield {'_id': long(p), 'Product ID': long(p), 'Product Name': name, 'Current Price': money(price), 'Available Quantity': stock,
                   'Buyers': [{'Customer ID': long(c), 'Customer Name': names[c], 'Quantity': sum(q)} for c, q in sorted(bought.get(p, {}).items())]}

    def assert_equal_documents(self, shop):
        got = self.generated(shop)
        for name, expected in (('customers', self.expected_customers()), ('products', self.expected_products())):
            # As lists of pairs, for the fields' order counts too.
            plain = [json.loads(x, object_pairs_hook=list) for x in got[name]]
            wanted = [json.loads(json.dumps(d), object_pairs_hook=list) for d in expected]
            self.assertEqual(len(plain), len(wanted))
            for a, b in zip(plain, wanted):
                self.assertEqual(a, b)
        return got

    def test_sample(self):
        shop = self.load(os.path.join(POS, 'data'))
        got = self.assert_equal_documents(shop)
        self.assertTrue(any('Houston' in x for x in got['customers']))
        self.assertIn('"Order ID"', got['customers'][0])

    def test_after_sales_and_strange_texts(self):
        shop = self.load(self.csv(customers=GOOD['customers'] + [b'2,Bob,Roe,,,,,,,,']))
        strange = 'a"b\\c/\t\n\r\x01 é 日本 😀 \u2028 \'`'
        self.rows('UPDATE Customer SET firstName = %s, address1 = %s, address2 = %s, phone = %s WHERE id = 1', (strange,) * 3 + ('',))
        self.rows('UPDATE Product SET name = %s WHERE id = 2', strange)
        self.rows("INSERT INTO Customer VALUES (10000000000000001, '', 'Kim', NULL, '', '', NULL, '1880-02-29', NULL), (9007199254740993, 'Al', '', NULL, NULL, 'Apt 1', NULL, NULL, '77002')")
        self.rows('INSERT INTO Product VALUES (9007199254740993, %s, 99999999.99, 2147483647), (3, %s, 0, 0)', ('Gold', 'Unsold'))
        self.rows("INSERT INTO `Order` VALUES (90, '2024-12-31 23:59:59', NULL, 2), (91, '1969-12-31 00:00:00', '9999-12-31 23:59:59', 2)")
        self.rows('INSERT INTO Orderline VALUES (90, 9007199254740993, 2147483647), (90, 1, 3)')
        self.rows('CALL change_price(1, 12.30)')
        got = self.assert_equal_documents(shop)
        documents = [bson.json_util.loads(x, json_options=OPTIONS) for x in got['customers']]
        by_id = {d['_id']: d for d in documents}
        bob = by_id[2]
        self.assertIs(type(bob['_id']), Int64)
        self.assertEqual([o['Order ID'] for o in bob['Orders']], [90, 91])
        self.assertEqual(bob['Orders'][0]['Order Total'], Decimal128('214748364678525200.43'))
        self.assertEqual([i['Product ID'] for i in bob['Orders'][0]['Items']], [1, 9007199254740993])
        self.assertEqual(bob['Orders'][0]['Items'][0]['Unit Price'], Decimal128('12.30'))
        self.assertEqual(bob['Orders'][0]['Date Placed'], datetime.datetime(2024, 12, 31, 23, 59, 59))
        self.assertEqual((bob['Orders'][1]['Order Total'], bob['Orders'][1]['Items']), (Decimal128('0.00'), []))
        self.assertEqual((bob['Full Address'], bob['Birthdate'], bob['Email']), (None, None, None))
        self.assertEqual(by_id[10000000000000001]['Birthdate'], datetime.datetime(1880, 2, 29))
        self.assertEqual((by_id[10000000000000001]['Orders'], by_id[10000000000000001]['Customer Name']), ([], ' Kim'))
        self.assertEqual(by_id[9007199254740993]['Full Address'], 'Apt 1, Houston, TX 77002')
        self.assertEqual(by_id[1]['Customer Name'], strange + ' Lee')
        unsold, = [d for d in map(bson.json_util.loads, got['products']) if d['Product Name'] == 'Unsold']
        self.assertEqual((unsold['Buyers'], unsold['Current Price']), ([], Decimal128('0.00')))

    def test_empty_shop(self):
        shop = self.load(self.csv(customers=[], products=[], orders=[], orderlines=[]))
        self.assertEqual(self.generated(shop), {'customers': [], 'products': []})

    def test_large_documents(self):
        """Arrays beyond the server's default group_concat_max_len (1 MiB) are whole."""
        shop = self.load(self.csv())
        self.rows('SET @tillway_etl = 1')
        self.rows("INSERT INTO Customer (id, firstName, lastName) SELECT seq, 'Firstname', 'Lastname' FROM seq_2_to_15000")
        self.rows("INSERT INTO `Order` (id, datePlaced, customer_id) SELECT seq, '2024-01-01', seq FROM seq_2_to_15000")
        self.rows("INSERT INTO `Order` (id, datePlaced, customer_id) SELECT seq, '2024-01-01', 1 FROM seq_15001_to_21000")
        self.rows('INSERT INTO Orderline SELECT seq, 1, 2 FROM seq_2_to_21000')
        got = self.generated(shop)
        self.assertGreater(len(got['customers'][0]), 1 << 20)
        self.assertGreater(len(got['products'][0]), 1 << 20)
        self.assertEqual([o['Order ID'] for o in json.loads(got['customers'][0])['Orders']], [long(1)] + [long(i) for i in range(15001, 21001)])
        self.assertEqual([b['Customer ID'] for b in json.loads(got['products'][0])['Buyers']], [long(i) for i in range(1, 15001)])

    def test_failure_leaves_no_half_file(self):
        folder = self.folder()
        with self.assertRaises(AssertionError):
            run([os.path.join(POS, 'generate_aggregates'), '--port', str(self.server.port), '--database', 'nowhere', folder])
        self.assertFalse(any(x.endswith('.json') for x in os.listdir(folder)))


if __name__ == '__main__':
    unittest.main()
