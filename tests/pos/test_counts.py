#!/usr/bin/python3
"""The ETL on whole shops: every row read is accounted for, dirt changes nothing that is true, and a second run changes nothing at all."""
import contextlib
import os
import subprocess
import unittest

from shop import HEADERS, MAIN, POS, TABLES, Cluster, ShopTest, run, sums_printed

SAMPLE = ['--seed', '7', '--customers', '300', '--products', '240', '--orders', '900', '--lines-per-order', '3', '--dirt', '0.15']


def generate(folder, *args):
    return sums_printed(run(['/usr/bin/python3', os.path.join(POS, 'generate.py'), '--out', folder, *args]))


def lines(path):
    """The lines of a file as the ETL numbers them, without their ends; the first is the header."""
    with open(path, 'rb') as f:
        data = f.read()
    return [x[:-1] if x.endswith(b'\r') else x for x in data.split(b'\n')[:-1]]


class Generator(unittest.TestCase):
    def test_constant_memory(self):
        """Ten times the rows, the same memory."""
        peak = []
        for orders in ('2000', '20000'):
            code = 'import resource, runpy, sys; sys.argv = ["generate.py", "--out", "/dev/shm/tillway-pos-%d", "--orders", "%s", "--dirt", "0.1"]\n' % (os.getpid(), orders)
            code += 'runpy.run_path("%s/generate.py", run_name="__main__"); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)' % POS
            peak.append(int(run(['/usr/bin/python3', '-c', code]).split()[-1]))
        subprocess.run(['rm', '-r', '/dev/shm/tillway-pos-%d' % os.getpid()], check=True)
        self.assertLess(peak[1], peak[0] + 2000, 'kilobytes')


class Counts(ShopTest):
    def assert_accounted(self, folder, predicted=None):
        """read = loaded + merged + rejected for each file, held against the file itself, the tables, and the generator's word."""
        stored = {r[0]: r[1:] for r in self.rows('SELECT * FROM EtlCount')}
        self.assertEqual(self.sums, stored)
        if predicted:
            self.assertEqual(self.sums, predicted)
        for name in HEADERS:
            file = name + '.csv'
            read, loaded, merged, rejected = self.sums[file]
            text = lines(os.path.join(folder, file))
            self.assertEqual(read, len(text) - 1)
            self.assertEqual(read, loaded + merged + rejected)
            self.assertEqual(rejected, self.one('SELECT COUNT(*) FROM EtlReject WHERE file = %s', file))
            table = {'customers': 'Customer', 'products': 'Product', 'orders': '`Order`', 'orderlines': 'Orderline'}[name]
            self.assertEqual(loaded, self.one('SELECT COUNT(*) FROM ' + table))
            for number, raw in self.rows('SELECT lineNumber, rawRow FROM EtlReject WHERE file = %s', file):
                self.assertEqual(raw, text[number - 1], '%s line %d' % (file, number))

    def test_sample(self):
        """pos/data is what the generator makes, holds what the demo needs, and loads as predicted."""
        folder = self.folder()
        predicted = generate(folder, *SAMPLE)
        data = os.path.join(POS, 'data')
        for name in HEADERS:
            with open(os.path.join(folder, name + '.csv'), 'rb') as made, open(os.path.join(data, name + '.csv'), 'rb') as kept:
                self.assertEqual(made.read(), kept.read(), name)
        self.load(data)
        self.assert_accounted(data, predicted)
        self.assertGreater(self.one("SELECT COUNT(*) FROM Customer JOIN City USING (zip) WHERE city = 'Houston'"), 10)
        self.assertGreater(self.one('SELECT COUNT(*) FROM `Order` WHERE customer_id = 1'), 0)
        self.assertGreater(self.one('SELECT COUNT(DISTINCT reason) FROM EtlReject'), 20)
        self.assert_materialised()

    def test_dirt_changes_nothing_true(self):
        clean, dirty = self.folder(), self.folder()
        args = ['--seed', '11', '--customers', '300', '--products', '200', '--orders', '800', '--lines-per-order', '3']
        generate(clean, *args)
        predicted = generate(dirty, *args, '--dirt', '0.5')
        self.load(clean)
        self.assertEqual([s[2:] for s in self.sums.values()], [(0, 0)] * 4)
        wanted = self.dump(MAIN)
        self.load(dirty)
        self.assert_accounted(dirty, predicted)
        got = self.dump(MAIN)
        for table in MAIN:
            self.assertEqual(got[table], wanted[table], table)

    def test_second_run_changes_nothing(self):
        data = os.path.join(POS, 'data')
        shop = self.load(data)
        before, first = self.dump(), self.sums
        counters = self.counters(shop)
        position = self.one('SELECT @@gtid_binlog_pos')
        self.load(data, shop)
        self.assertEqual(self.sums, first)
        self.assertEqual(self.dump(), before)
        self.assertEqual(self.counters(shop), counters)
        self.assertNotEqual(self.one('SELECT @@gtid_binlog_pos'), position, 'staging should have been written')
        self.assertEqual(self.written_tables(position, shop) & set(TABLES), set(), 'rows were written to the tables of the shop')

    def counters(self, shop):
        return self.rows('SELECT TABLE_NAME, AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s ORDER BY 1', shop)

    def written_tables(self, position, shop):
        """The tables with row events after a GTID position."""
        files = [os.path.join(self.server.datadir, r[0]) for r in self.rows('SHOW BINARY LOGS')]
        text = run(['mariadb-binlog', '--no-defaults', '--base64-output=decode-rows', '-v', '--start-position=' + position, *files])
        return {x.split('`')[3] for x in text.splitlines() if x.startswith('###') and '`%s`.' % shop in x}

    def test_second_run_after_sales(self):
        """What the shop did meanwhile stays: stock, prices, shipping, new orders."""
        data = os.path.join(POS, 'data')
        shop = self.load(data)
        product = self.one('SELECT id FROM Product WHERE availableQuantity > 10 LIMIT 1')
        self.call_order(1, '[{"product_id": %d, "quantity": 3}]' % product)
        self.rows('CALL change_price(%s, 77.70)', product)
        self.rows('CALL ship_order((SELECT MIN(id) FROM `Order` WHERE dateShipped IS NULL))')
        before = self.dump()
        self.load(data, shop)
        self.assertEqual(self.dump(), before)
        self.assert_materialised()

    def test_mended_file(self):
        """A row that was put right loads; its reject goes, others stay as they are."""
        rows = [b'1,Milk,1.20,100', b'2,Bread,cheap,50', b'3,Tea,-1,1']
        shop = self.load(self.csv(products=rows, orderlines=[]))
        self.assertEqual(self.column("SELECT lineNumber FROM EtlReject WHERE file = 'products.csv'"), [3, 4])
        rows[1] = b'2,Bread,3.00,50'
        self.load(self.csv(products=rows, orderlines=[]), shop)
        self.assertEqual(self.column("SELECT lineNumber FROM EtlReject WHERE file = 'products.csv'"), [4])
        self.assertEqual(self.column('SELECT id FROM Product ORDER BY id'), [1, 2])

    def test_as_a_shop_account(self):
        """No global privilege is needed where the server has log_bin_trust_function_creators=1, as the throwaway one has."""
        out = run([os.path.join(POS, 'load'), '--host=127.0.0.1', '--port=%d' % self.server.port, '--user=till', '--password=till', '--database=own', '--csv', self.csv()])
        self.assertEqual(sums_printed(out)['customers.csv'], (1, 1, 0, 0))

    def test_refusals(self):
        for args, word in ((['--csv', '/nowhere'], 'cannot read /nowhere/customers.csv'), (['--database', 'a`b'], 'letters, digits and _'), (['--prot', '1'], 'unknown option')):
            done = subprocess.run([os.path.join(POS, 'load'), *args], capture_output=True, text=True)
            self.assertEqual((done.returncode, word in done.stderr), (2, True), done.stderr)


class Replicated(ShopTest):
    def test_replica_has_the_same_rows(self):
        """Triggers and procedures run on the primary only; a replica gets their rows, no more and no less."""
        with Cluster(replicas=1) as pair:
            self.server = pair.primary
            shop = self.load(os.path.join(POS, 'data'))
            order = self.call_order(1, '[{"product_id": 1}, {"product_id": 2, "quantity": 2}]')
            self.rows('CALL cancel_order(%s)', order)
            self.call_order(1, '[{"product_id": 3}]')
            self.rows('CALL change_price(3, 9.99)')
            wanted = self.checksums()
            pair.wait_in_sync()
            with contextlib.closing(pair.replicas[0].connect(database=shop)) as self.connection:
                self.assertEqual(self.checksums(), wanted)
                self.assertEqual(self.column("SHOW TABLES LIKE 'Etl%'"), ['EtlCount', 'EtlReject'])
                self.assertEqual(self.one("SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()"), 'SLAVESIDE_DISABLED')


if __name__ == '__main__':
    unittest.main()
