"""What the tests of pos/ share: one throwaway MariaDB a test file, and shops (databases) made by pos/load."""
import contextlib
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness.cluster import Cluster  # noqa: E402

POS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), 'pos')
HEADERS = {'customers': b'id,first_name,last_name,email,address1,address2,phone,birthdate,city,state,zip', 'products': b'id,name,price,quantity',
           'orders': b'id,customer_id,date_placed,date_shipped', 'orderlines': b'order_id,product_id,quantity'}
TABLES = ('City', 'Customer', 'Product', 'Order', 'Orderline', 'PriceHistory', 'EtlReject', 'EtlCount', 'MvOrderHistory', 'MvProductBuyer', 'MvDailySales')
MAIN = TABLES[:5]
# Rows that the rows under test can refer to.
GOOD = {'customers': [b'1,Ann,Lee,ann@example.com,1 Main St,,555-0100,1980-05-06,Houston,TX,77002'], 'products': [b'1,Milk,1.20,100', b'2,Bread,3.00,50'],
        'orders': [b'1,1,2024-03-01 14:05:00,2024-03-02 09:00:00'], 'orderlines': [b'1,1,2']}


def run(args, **kw):
    """A program's output; its error output is in the exception if it fails."""
    done = subprocess.run(args, stdin=kw.pop('stdin', subprocess.DEVNULL), capture_output=True, **kw)
    if done.returncode:
        raise AssertionError('%s: exit %d\n%s\n%s' % (args[0], done.returncode, done.stdout.decode(errors='replace'), done.stderr.decode(errors='replace')))
    return done.stdout.decode(errors='replace')


def sums_printed(text):
    """{file: (read, loaded, merged, rejected)} from lines as pos/load and generate.py print them."""
    sums = {}
    for row in text.splitlines():
        name, _, rest = row.partition(': ')
        words = rest.split()
        if len(words) == 12 and words[1:3] == ['rows', 'read']:
            sums[name] = (int(words[0]), int(words[4]), int(words[7]), int(words[10]))
    return sums


class ShopTest(unittest.TestCase):
    """Starts the server once a class. self.load() makes a shop in a database of its own."""

    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.addClassCleanup(cls.stack.close)
        cls.cluster = cls.stack.enter_context(Cluster(replicas=0))
        cls.server = cls.cluster.primary
        cls.made, cls.etl_shop = 0, None

    def folder(self):
        return self.enter(tempfile.TemporaryDirectory(prefix='tillway-pos-'))

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def csv(self, eol=b'\n', raw=None, **files):
        """A folder with the four files: given rows, else the good ones; raw: whole files as bytes."""
        folder = self.folder()
        for name, header in HEADERS.items():
            rows = files.get(name, GOOD[name])
            with open(os.path.join(folder, name + '.csv'), 'wb') as out:
                out.write((raw or {}).get(name, eol.join([header] + rows) + eol))
        return folder

    def load(self, folder, database=None):
        """pos/load on a folder; the name of the database. What it printed stands in self.sums."""
        if database is None:
            type(self).made += 1
            database = 'shop%d' % self.made
        self.printed = run([os.path.join(POS, 'load'), '--host', self.server.host, '--port', str(self.server.port), '--database', database, '--csv', folder])
        self.sums = sums_printed(self.printed)
        self.connection = self.enter(contextlib.closing(self.server.connect(database=database)))
        return database

    def etl(self, folder):
        """etl_script.sql alone on an emptied shop: what load() gives, sooner."""
        if not self.etl_shop:
            type(self).etl_shop = self.load(self.csv())
        self.connection = self.enter(contextlib.closing(self.server.connect(database=self.etl_shop)))
        self.rows('SET @tillway_etl = 1')
        for table in reversed(TABLES):
            self.rows('DELETE FROM `%s`' % table)
        self.rows('SET @tillway_etl = NULL')
        self.printed = self.sql_file('etl_script.sql', self.etl_shop, '--skip-table', '--batch', '--skip-column-names', '--local-infile=1', cwd=folder)
        self.sums = sums_printed(self.printed)

    def rows(self, sql, args=None):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, args)
            return [tuple(r) for r in cursor.fetchall()]

    def one(self, sql, args=None):
        row, = self.rows(sql, args)
        return row[0] if len(row) == 1 else row

    def column(self, sql, args=None):
        return [r[0] for r in self.rows(sql, args)]

    def dump(self, tables=TABLES):
        """Every row of the tables, to compare."""
        return {t: self.rows('SELECT * FROM `%s` ORDER BY 1, 2' % t) for t in tables}

    def checksums(self, tables=TABLES):
        return self.rows('CHECKSUM TABLE ' + ', '.join('`%s`' % t for t in tables))

    def call_order(self, customer, items, connection=None):
        """place_order's OUT parameter."""
        with (connection or self.connection).cursor() as cursor:
            cursor.execute('CALL place_order(%s, %s, @placed)', (customer, items))
            cursor.execute('SELECT @placed')
            return cursor.fetchone()[0]

    def sql_file(self, name, database, *options, **kw):
        """Runs a file of pos/ with the mariadb client."""
        with open(os.path.join(POS, name), 'rb') as text:
            return run(['mariadb', '--no-defaults', '--protocol=tcp', '-h', self.server.host, '-P', str(self.server.port), '-u', self.server.user,
                        '--default-character-set=utf8mb4', '--table', *options, database], stdin=text, **kw)

    # What the materialised tables must hold, computed plainly.
    TRUTH = {
        'MvOrderHistory': "SELECT o.id, o.customer_id, o.datePlaced, o.dateShipped, COUNT(l.product_id), COALESCE(SUM(l.quantity), 0), "
                          "COALESCE(SUM(l.quantity * p.currentPrice), 0) FROM `Order` o LEFT JOIN Orderline l ON l.order_id = o.id "
                          "LEFT JOIN Product p ON p.id = l.product_id GROUP BY o.id ORDER BY o.id",
        'MvProductBuyer': "SELECT l.product_id, o.customer_id, SUM(l.quantity) FROM Orderline l JOIN `Order` o ON o.id = l.order_id "
                          "GROUP BY l.product_id, o.customer_id ORDER BY 1, 2",
        'MvDailySales': "SELECT DATE(t.datePlaced), t.id % 64, COUNT(*), SUM(t.units), SUM(t.total) FROM (SELECT o.id, o.datePlaced, "
                        "COALESCE(SUM(l.quantity), 0) AS units, COALESCE(SUM(l.quantity * p.currentPrice), 0) AS total FROM `Order` o "
                        "LEFT JOIN Orderline l ON l.order_id = o.id LEFT JOIN Product p ON p.id = l.product_id GROUP BY o.id) t GROUP BY 1, 2 ORDER BY 1, 2"}

    def assert_materialised(self):
        for table, truth in self.TRUTH.items():
            self.assertEqual(self.rows('SELECT * FROM %s ORDER BY 1, 2' % table), self.rows(truth), table)
