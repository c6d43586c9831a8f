#!/usr/bin/python3
"""The scripts that only show something: they run clean, show what they say, and leave the shop as it was. And the schema and the views."""
import decimal
import os
import re
import unittest

from shop import MAIN, POS, TABLES, ShopTest


def tables(text):
    """Result sets of `mariadb --table`: a list of lists of rows as tuples of texts, the first being the column names."""
    sets, rules = [], 0
    for line in text.splitlines():
        if line.startswith('+'):
            rules = rules % 3 + 1
            if rules == 1:
                sets.append([])
        elif line.startswith('|'):
            sets[-1].append(tuple(x.strip() for x in line[1:-1].split('|')))
    return sets


class Scripts(ShopTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test = cls('test_transactions')
        cls.shop = test.load(os.path.join(POS, 'data'))
        test.doCleanups()

    def setUp(self):
        self.connection = self.server.connect(database=self.shop)
        self.addCleanup(self.connection.close)

    def shown(self, script):
        before, objects = self.dump(), self.column('SHOW TABLES')
        out = self.sql_file(script, self.shop)
        self.assertEqual(self.dump(), before)
        self.assertEqual(self.column('SHOW TABLES'), objects)
        return tables(out)

    def test_transactions(self):
        sets = self.shown('transactions.sql')
        rows = [s[1] for s in sets if s[0][0] == 'moment']
        titles = [s[1][0] for s in sets if s[0] == ('demonstration',)]
        self.assertEqual([t[0] for t in titles], list('12345'))
        phone = self.one('SELECT phone FROM Customer WHERE id = 1')
        self.assertEqual([(r[0], r[4]) for r in rows[:5]], [('before', phone), ('after', '555-0001'), ('before', phone), ('inside', '555-0002'), ('after', phone)])
        email = self.one('SELECT email FROM Customer WHERE id = 1')
        self.assertEqual([r[2:] for r in rows[5:8]], [(phone, email), ('555-0003', 'wrong@example.org'), ('555-0003', email)])
        self.assertEqual([(r[0], r[4]) for r in rows[8:10]], [('before', phone), ('after', '555-0004')])
        self.assertEqual((rows[10][1:], rows[12][1:]), (rows[12][1:], rows[10][1:]))
        self.assertEqual([int(a) - int(b) for a, b in zip(rows[11][1:], rows[10][1:])], [-1, 1])

    def test_prepared(self):
        sets = self.shown('prepared.sql')
        found = {s[0]: s[1:] for s in sets}
        count = str(self.one('SELECT COUNT(*) FROM Orderline'))
        self.assertEqual((found[('linesBefore',)], found[('linesAfter',)]), ([(count,)], [(count,)]))
        self.assertEqual(found[('customersTold',)], [(str(self.one('SELECT COUNT(*) FROM Customer')),)])
        by_email = [s for s in sets if s[0] == ('id', 'firstName', 'lastName', 'email')]
        self.assertEqual(len(by_email), 1, 'the injection attempt found somebody')
        self.assertEqual(len(by_email[0]), 2)

    def reports(self):
        sets = self.shown('reports.sql')
        names = [s[1][0] for s in sets[::2]]
        self.assertEqual(len(names), 10)
        return {n.split(':')[0].split(',')[0]: [dict(zip(s[0], r)) for r in s[1:]] for n, s in zip(names, sets[1::2])}

    def test_reports(self):
        """The figures, from the rows by plain Python."""
        got = self.reports()
        lines = self.rows('SELECT o.id, o.customer_id, o.datePlaced, l.product_id, l.quantity, l.quantity * p.currentPrice FROM `Order` o '
                          'LEFT JOIN Orderline l ON l.order_id = o.id LEFT JOIN Product p ON p.id = l.product_id')
        by_day, by_month, orders, customers, sold = {}, {}, {}, {}, {}
        for order, customer, placed, product, quantity, worth in lines:
            for key, sums in ((str(placed.date()), by_day), (placed.strftime('%Y-%m'), by_month), (order, orders)):
                s = sums.setdefault(key, [set(), 0, decimal.Decimal(0)])
                s[0].add(order)
                s[1] += quantity or 0
                s[2] += worth or 0
            customers.setdefault(customer, set()).add(order)
            if product:
                sold[product] = sold.get(product, 0) + quantity
        days = sorted(by_day, reverse=True)
        self.assertEqual([(r['day'], r['orders'], r['units'], r['revenue']) for r in got['Revenue by day']],
                         [(d, str(len(by_day[d][0])), str(by_day[d][1]), str(by_day[d][2])) for d in days[:14]])
        self.assertEqual([(r['month'], r['orders'], r['units'], r['revenue']) for r in got['Revenue by month']],
                         [(m, str(len(s[0])), str(s[1]), str(s[2])) for m, s in sorted(by_month.items())])
        self.trend(got['Sales trend'], by_day)
        best = sorted(sold.items(), key=lambda x: (-x[1], x[0]))
        self.assertEqual([(int(r['id']), int(r['units'])) for r in got['Best sellers']], best[:10])
        slow = sorted(((p, sold.get(p, 0)) for p in self.column('SELECT id FROM Product')), key=lambda x: (x[1], x[0]))
        self.assertEqual([(int(r['id']), int(r['units'])) for r in got['Slow sellers']], slow[:10])
        full = [s for s in orders.values() if s[1]]
        basket, = got['Basket size']
        self.assertEqual((basket['orders'], basket['mostUnits'], basket['mostMoney']), (str(len(full)), str(max(s[1] for s in full)), str(max(s[2] for s in full))))
        self.assertEqual(decimal.Decimal(basket['unitsAnOrder']), (decimal.Decimal(sum(s[1] for s in full)) / len(full)).quantize(decimal.Decimal('0.01'), 'ROUND_HALF_UP'))
        repeat, = got['Repeat rate']
        self.assertEqual((int(repeat['buyers']), int(repeat['cameBack'])), (len(customers), sum(len(o) > 1 for o in customers.values())))
        self.assertEqual(sum(int(r['customers']) for r in got['Segments by recency and frequency']), len(customers))
        self.assertEqual(len(got['Recency']), 20)
        for r in got['Recency']:
            mine = customers[int(r['customer_id'])]
            self.assertEqual((int(r['frequency']), r['money']), (len(mine), str(sum(orders[o][2] for o in mine))))
        self.assertEqual(got['Customers of Houston and what they spent'][0]['city'], 'Houston')

    def trend(self, rows, by_day):
        import datetime
        self.assertEqual(len(rows), 28)
        last = datetime.date.fromisoformat(max(by_day))

        def revenue(back):
            return by_day.get(str(last - datetime.timedelta(days=back)), (0, 0, decimal.Decimal(0)))[2]

        def average(back):
            return (sum(revenue(back + n) for n in range(7)) / 7).quantize(decimal.Decimal('0.01'), 'ROUND_HALF_UP')
        for i, r in enumerate(rows):
            trend = 'up' if average(i) > average(i + 1) else 'down' if average(i) < average(i + 1) else ''
            self.assertEqual((r['day'], decimal.Decimal(r['revenue']), decimal.Decimal(r['average7']), r['trend']),
                             (str(last - datetime.timedelta(days=i)), revenue(i), average(i), trend))

    def test_views_are_the_target_queries(self):
        for view, query in (
                ('SELECT CustomerName, city, state FROM CustomerCity ORDER BY CustomerID',
                 "SELECT CONCAT(c.firstName,' ',c.lastName) AS CustomerName, ci.city, ci.state FROM Customer c JOIN City ci ON c.zip = ci.zip ORDER BY c.id"),
                ('SELECT OrderID, datePlaced, dateShipped, OrderTotal FROM OrderTotal ORDER BY 1',
                 'SELECT o.id AS OrderID, o.datePlaced, o.dateShipped, SUM(ol.quantity*p.currentPrice) AS OrderTotal FROM `Order` o JOIN Orderline ol ON o.id=ol.order_id '
                 'JOIN Product p ON ol.product_id=p.id GROUP BY o.id ORDER BY 1'),
                ('SELECT ProductName, quantity FROM CustomerPurchase WHERE CustomerID = 1 ORDER BY OrderID, ProductID',
                 'SELECT p.name AS ProductName, ol.quantity FROM Orderline ol JOIN Product p ON ol.product_id=p.id JOIN `Order` o ON ol.order_id=o.id '
                 'WHERE o.customer_id=1 ORDER BY o.id, p.id')):
            got = self.rows(view)
            self.assertEqual(got, self.rows(query))
            self.assertGreater(len(got), 0)
        self.assertEqual(self.rows('SELECT OrderID, total FROM CustomerOrders WHERE products > 0 ORDER BY 1'), self.rows('SELECT OrderID, OrderTotal FROM OrderTotal ORDER BY 1'))
        self.assertEqual(self.one('SELECT COUNT(*) FROM OpenOrders'), self.one('SELECT COUNT(*) FROM `Order` WHERE dateShipped IS NULL'))
        self.assertEqual(self.column('SELECT ProductID FROM LowStock ORDER BY 1'), self.column('SELECT id FROM Product WHERE availableQuantity < 10 ORDER BY 1'))
        self.assertIn('Houston, TX 77002', self.one('SELECT FullAddress FROM CustomerAddress WHERE CustomerID = 1'))

    def test_schema(self):
        """Ids are BIGINT, money DECIMAL, everything InnoDB and utf8mb4, and every constraint has a name of ours."""
        self.assertEqual(self.rows("SELECT DISTINCT ENGINE, TABLE_COLLATION FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'"),
                         [('InnoDB', 'utf8mb4_unicode_ci')])
        types = {(r[0], r[1]): r[2] for r in self.rows('SELECT TABLE_NAME, COLUMN_NAME, DATA_TYPE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()')}
        self.assertEqual({types[c] for c in types if c[0] in MAIN and re.search('^id$|_id$', c[1])}, {'bigint'})
        self.assertEqual({types[c] for c in (('Product', 'currentPrice'), ('PriceHistory', 'oldPrice'), ('PriceHistory', 'newPrice'))}, {'decimal'})
        names = self.column("SELECT CONSTRAINT_NAME FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()")
        self.assertEqual([n for n in names if not re.match('PRIMARY$|[cf]k_', n)], [])
        self.assertEqual(len([n for n in names if n.startswith('fk_')]), 5)
        columns = {t: self.column('SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION', t) for t in TABLES}
        self.assertEqual(columns['Customer'], ['id', 'firstName', 'lastName', 'email', 'address1', 'address2', 'phone', 'birthdate', 'zip'])
        self.assertEqual(columns['Product'], ['id', 'name', 'currentPrice', 'availableQuantity'])
        self.assertEqual(columns['Order'], ['id', 'datePlaced', 'dateShipped', 'customer_id'])
        self.assertEqual(columns['PriceHistory'], ['id', 'product_id', 'oldPrice', 'newPrice', 'changedAt'])

    def test_checks_refuse(self):
        for sql in ("INSERT INTO City VALUES ('2134', 'Boston', 'MA')", "UPDATE Product SET currentPrice = -1 WHERE id = 1", 'UPDATE Product SET availableQuantity = -1 WHERE id = 1',
                    'UPDATE Orderline SET quantity = 0 LIMIT 1', "UPDATE `Order` SET dateShipped = '2000-01-01' LIMIT 1", "UPDATE Customer SET email = 'nobody' LIMIT 1"):
            with self.assertRaises(Exception) as caught:
                self.rows(sql)
            self.assertIn(caught.exception.args[0], (4025,), sql)


if __name__ == '__main__':
    unittest.main()
