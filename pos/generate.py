#!/usr/bin/python3
"""Writes customers.csv, products.csv, orders.csv and orderlines.csv of an invented grocery chain, as dirty as wished.

    /usr/bin/python3 pos/generate.py --out DIR --seed 7 --customers 300 --products 200 --orders 900 --lines-per-order 3 --dirt 0.08

The same arguments give the same bytes. Rows are written as they are made, in constant memory. What the rows say comes from --seed alone:
whatever --dirt is, the ETL must arrive at the same tables, because dirt either can be mended, or is a row too many that merges into a
good one or must be rejected. The kinds of dirt take turns, so a few hundred dirty rows have them all. The sums printed at the end
are what the ETL has to print (EtlCount).
"""
import argparse
import datetime
import os
import random

FIRST = ['Ann', 'Bob', 'Carla', 'Dmitri', 'Eve', 'Farid', 'Grace', 'Hiro', 'Inés', 'Jérôme', 'Katja', 'Lars', 'Mary Jo', 'Nuñez', 'Olu', 'Zoë']
LAST = ['Adams', "O'Neil", 'García', 'Müller', 'Smith', 'Nguyen', 'van Dyke', 'Øster', 'Brown', 'Kowalski', 'Lee', 'Patel', 'Quinn', 'Roe']
STREETS = ['Main St', 'Oak Ave', 'Elm St', 'Bayou Dr', 'Canal Rd', 'Peachtree Ln', 'State Hwy 6', 'Río Grande Blvd']
PLACES = [('77002', 'Houston', 'TX'), ('77005', 'Houston', 'TX'), ('77098', 'Houston', 'TX'), ('02134', 'Boston', 'MA'), ('00501', 'Holtsville', 'NY'),
          ('07030', 'Hoboken', 'NJ'), ('10001', 'New York', 'NY'), ('60601', 'Chicago', 'IL'), ('94103', 'San Francisco', 'CA'), ('06510', 'New Haven', 'CT'),
          ('73301', 'Austin', 'TX'), ('87501', 'Santa Fe', 'NM'), ('87532', 'Española', 'NM'), ('98101', 'Seattle', 'WA'), ('04101', 'Portland', 'ME')]
KINDS_OF_GOODS = ['Milk', 'Bread', 'Apples', 'Coffee', 'Olive Oil', 'Jalapeño Salsa', 'Rice', 'Crème Fraîche', 'Tea', 'Pasta', 'TV 32"', 'Pan 12"']
VARIETIES = ['Organic', 'Family Size', 'Plain', 'Extra Fine', 'House Brand', 'Imported', 'Large, 2 pack', 'Small']
SPRING = datetime.datetime(2024, 1, 1)


def quoted(field):
    """A field as CSV has it: quoted where it must be."""
    if ',' in field or '"' in field:
        return '"' + field.replace('"', '""') + '"'
    return field


def line(fields):
    return ','.join(map(quoted, fields)).encode()


class Out:
    """One file: its bytes, and what the ETL must make of its rows."""

    def __init__(self, folder, name, header, dirt, kinds, seed):
        self.name, self.dirt, self.kinds, self.turn = name, dirt, kinds, 0
        self.sums = {'loaded': 0, 'merged': 0, 'rejected': 0}
        self.rng = random.Random('dirt %s %d' % (name, seed))
        self.file = open(os.path.join(folder, name), 'wb', buffering=1 << 20)
        self.eol = b'\r\n' if dirt and name == 'products.csv' else b'\n'
        self.file.write((b'\xef\xbb\xbf' if dirt else b'') + header.encode() + self.eol)

    def write(self, verdict, raw):
        self.sums[verdict] += 1
        self.file.write(raw + self.eol)

    def row(self, fields):
        if self.dirt and self.rng.random() < self.dirt:
            for verdict, raw in self.soiled(fields):
                self.write(verdict, raw)
        else:
            self.write('loaded', line(fields))

    def soiled(self, fields):
        """The rows that the next kind of dirt whose turn it is makes of a row; kinds that don't apply to it wait for another."""
        for step in range(len(self.kinds)):
            rows = self.kinds[(self.turn + step) % len(self.kinds)](list(fields), self.rng)
            if rows:
                self.turn = (self.turn + step + 1) % len(self.kinds)
                return rows
        return [('loaded', line(fields))]

    def close(self):
        self.file.close()
        s = self.sums
        print('%s: %d rows read = %d loaded + %d merged + %d rejected' % (self.name, sum(s.values()), s['loaded'], s['merged'], s['rejected']))


# Dirt. Each kind takes the fields of a good row and gives the rows to write instead, or None where it doesn't apply.

def mended(change):
    """A kind that soils the row itself; `change` gives the new fields, or the raw line, or None."""
    def kind(f, rng):
        soiled = change(f, rng)
        return soiled and [('loaded', soiled if isinstance(soiled, bytes) else line(soiled))]
    return kind


def rejected(change):
    """A kind that adds a row which can't be mended, before the good one."""
    def kind(f, rng):
        bad = change(list(f), rng)
        return bad and [('rejected', bad if isinstance(bad, bytes) else line(bad)), ('loaded', line(f))]
    return kind


def put(index, value):
    """Changes one field: to a value, or to what a function makes of it (None: doesn't apply)."""
    def change(f, rng):
        new = value(f[index]) if callable(value) else value
        if new is None:
            return None
        f[index] = new
        return f
    return change


def twice(f, rng):
    return [('merged', line(f)), ('loaded', line(f))]


def older_version(index, value):
    def kind(f, rng):
        old = list(f)
        old[index] = value
        return [('merged', line(old)), ('loaded', line(f))]
    return kind


def all_quoted(f, rng):
    return ','.join('"%s"' % x.replace('"', '""') for x in f).encode()


def stray_quote(index):
    return lambda f, rng: None if '"' in f[index] or ',' in f[index] else \
        ','.join('"' + x if i == index else quoted(x) for i, x in enumerate(f)).encode()


def windows_bytes(f, rng):
    raw = ','.join(map(quoted, f))
    return None if raw.isascii() else raw.encode('cp1252')


def us_date(index, two_digits):
    """3/1/24 14:05 or 03/01/2024, where the moment can be said so."""
    def change(f, rng):
        day, _, clock = f[index].partition(' ')
        if not day or (clock and not clock.endswith(':00')):
            return None
        y, m, d = day.split('-')
        new = '%d/%d/%s' % (int(m), int(d), y[2:]) if two_digits else '%s/%s/%s' % (m, d, y)
        return put(index, new + (' ' + clock[:5] if clock else ''))(f, rng)
    return change


def midnight_dropped(index):
    return put(index, lambda v: v[:10] if v.endswith(' 00:00:00') else None)


class Misspelt:
    """Other spellings of a city, never as many as the right one has for its ZIP."""

    def __init__(self):
        self.votes = {}

    def count(self, f):
        right, wrong = self.votes.get(f[10], (0, 0))
        self.votes[f[10]] = (right + 1, wrong)

    def __call__(self, f, rng):
        right, wrong = self.votes[f[10]]
        if right < 2 * wrong + 4:
            return None
        self.votes[f[10]] = (right - 1, wrong + 1)
        f[8] = rng.choice([f[8].upper(), f[8].lower(), f[8][:-1], f[8] + ' City'])
        return f


def customer_dirt(misspelt):
    return [
        mended(put(10, lambda z: z.lstrip('0') if z.startswith('0') else None)), mended(put(10, lambda z: z + '-1234')),
        mended(put(10, lambda z: ' %s %s ' % (z[:3], z[3:]))), mended(put(10, lambda z: z + '0042')),
        mended(us_date(7, False)), mended(us_date(7, True)),
        mended(put(7, lambda v: None if v else '0000-00-00')), mended(put(3, lambda v: v.swapcase() or None)),
        mended(put(2, lambda v: v.replace(' ', '   ') if ' ' in v else None)), mended(put(4, lambda v: '\t' + v.replace(' ', ' \t') + '  ')),
        mended(put(1, lambda v: v[:1] + '\x07' + v[1:] + '\x00')), mended(stray_quote(2)), mended(windows_bytes), mended(all_quoted),
        mended(put(4, lambda v: '  ' + v + '\u00a0')), mended(lambda f, rng: line(f) + b'\r'), mended(misspelt),
        twice, older_version(3, 'old@example.org'), older_version(4, '1 Old Road'),
        rejected(put(0, 'x17')), rejected(put(0, '-4')), rejected(put(0, '')), rejected(put(10, 'ABCDE')), rejected(put(7, '2999-01-01')),
        rejected(put(7, 'last spring')), rejected(lambda f, rng: f[:6]),
        lambda f, rng: [('rejected', b'900001,"Two'), ('rejected', b'Lines",Roe,,,,,,,,'), ('loaded', line(f))]]


PRODUCT_DIRT = [
    mended(put(2, lambda v: '${:,.2f}'.format(float(v)) if float(v) >= 1000 else None)), mended(put(2, lambda v: '$' + v)),
    mended(put(2, lambda v: ' ' + v + ' ')), mended(put(2, lambda v: v[:-1] if v.endswith('0') else None)), mended(put(1, lambda v: v.replace(' ', '  \t'))),
    mended(windows_bytes), mended(all_quoted), mended(put(3, lambda v: '{:,}'.format(int(v)) if int(v) > 999 else None)),
    mended(put(3, lambda v: '' if v == '0' else None)), mended(put(0, lambda v: '00' + v)),
    twice, older_version(2, '0.01'), older_version(1, 'Old Name'),
    rejected(put(2, '-1.50')), rejected(put(2, 'ask')), rejected(put(2, '')), rejected(put(3, '-3')), rejected(put(3, 'many')), rejected(put(0, '1.5')),
    rejected(put(1, ' ')), rejected(lambda f, rng: f + ['x']), rejected(lambda f, rng: b'')]

ORDER_DIRT = [
    mended(midnight_dropped(2)), mended(us_date(2, False)), mended(us_date(2, True)), mended(us_date(3, False)), mended(us_date(3, True)),
    mended(put(3, lambda v: None if v else 'Cancelled')), mended(put(3, lambda v: None if v else '0000-00-00')),
    mended(put(3, lambda v: None if v else '0000-00-00 00:00:00')), mended(lambda f, rng: None if f[3] else f[:3]),
    mended(put(2, lambda v: v.replace(' ', '  '))), mended(all_quoted), mended(put(1, lambda v: ' ' + v + '\t')),
    twice, older_version(3, ''), older_version(2, '2024-01-01'),
    rejected(put(1, '987654321')), rejected(put(1, '0')), rejected(put(2, '2024-02-30')), rejected(put(2, '')), rejected(put(2, 'Cancelled')),
    rejected(put(3, 'soon')), rejected(put(3, '1999-12-31')), rejected(put(0, 'none'))]


def in_parts(f, rng):
    """The product was scanned several times: the quantities add up. Equal rows add up too."""
    n = int(f[2])
    return n > 1 and [('merged', line([f[0], f[1], str(n // 2)])), ('loaded', line([f[0], f[1], str(n - n // 2)]))]


LINE_DIRT = [
    in_parts, mended(put(2, lambda v: '' if v == '1' else None)), mended(lambda f, rng: f[:2] if f[2] == '1' else None),
    mended(put(2, lambda v: v + '.0')), mended(put(0, lambda v: ' ' + v)), mended(all_quoted), mended(put(1, lambda v: v + '\t')), mended(stray_quote(2)),
    rejected(put(0, '987654321')), rejected(put(1, '987654321')), rejected(put(2, '-2')), rejected(put(2, 'two')), rejected(put(2, '0')),
    rejected(put(2, '1.5')), rejected(put(0, '')), rejected(lambda f, rng: f + ['extra']), rejected(lambda f, rng: b'')]


# The rows themselves.

def customers(a):
    rng, misspelt = random.Random('customers %d' % a.seed), Misspelt()
    out = Out(a.out, 'customers.csv', 'id,first_name,last_name,email,address1,address2,phone,birthdate,city,state,zip', a.dirt, customer_dirt(misspelt), a.seed)
    for i in range(1, a.customers + 1):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        zip_code, city, state = PLACES[0] if i == 1 else rng.choice(PLACES)
        born = datetime.date(1940, 1, 1) + datetime.timedelta(days=rng.randrange(24000))
        fields = [str(i), first, last, 'c%d@example.com' % i if rng.random() < 0.9 else '', '%d %s' % (rng.randrange(1, 9999), rng.choice(STREETS)),
                  'Apt %d' % rng.randrange(1, 99) if rng.random() < 0.3 else '', '(%03d) 555-%04d' % (rng.randrange(201, 990), rng.randrange(10000)),
                  born.isoformat() if rng.random() < 0.95 else '', city, state, zip_code]
        misspelt.count(fields)
        out.row(fields)
    out.close()


def products(a):
    rng = random.Random('products %d' % a.seed)
    out = Out(a.out, 'products.csv', 'id,name,price,quantity', a.dirt, PRODUCT_DIRT, a.seed)
    for i in range(1, a.products + 1):
        cents = rng.randrange(10, 5000) if rng.random() < 0.95 else rng.randrange(100000, 200000)
        stock = 0 if rng.random() < 0.03 else rng.randrange(200, 5000)
        name = '%s %s No. %d' % (rng.choice(KINDS_OF_GOODS), rng.choice(VARIETIES), i)
        out.row([str(i), name, '%d.%02d' % divmod(cents, 100), str(stock)])
    out.close()


def orders(a):
    """A year of orders in the order of their ids, which is that of time. Few customers buy much. Some orders are not shipped."""
    rng = random.Random('orders %d' % a.seed)
    out = Out(a.out, 'orders.csv', 'id,customer_id,date_placed,date_shipped', a.dirt, ORDER_DIRT, a.seed)
    for i in range(1, a.orders + 1):
        placed = SPRING + datetime.timedelta(seconds=(366 * 86400 - 1) * i // (a.orders + 1))
        precision = rng.random()
        placed = placed.replace(hour=0, minute=0, second=0) if precision < 0.1 else placed.replace(second=0) if precision < 0.5 else placed
        shipped = placed + datetime.timedelta(days=rng.randrange(6), minutes=rng.randrange(1, 1400)) if rng.random() < 0.85 else None
        customer = 1 if i == 1 else int(a.customers * rng.random() ** 1.5) + 1
        out.row([str(i), str(customer), placed.isoformat(' '), shipped.isoformat(' ') if shipped else ''])
    out.close()


def orderlines(a):
    """1 to 2 X - 1 different products an order; few products sell much."""
    rng = random.Random('orderlines %d' % a.seed)
    out = Out(a.out, 'orderlines.csv', 'order_id,product_id,quantity', a.dirt, LINE_DIRT, a.seed)
    most = max(1, round(2 * a.lines_per_order - 1))
    for i in range(1, a.orders + 1):
        wanted = {int(a.products * rng.random() ** 2) + 1: int(5 * rng.random() ** 2) + 1 for _ in range(int(most * rng.random()) + 1)}
        for product in sorted(wanted):
            out.row([str(i), str(product), str(wanted[product])])
    out.close()


def main():
    p = argparse.ArgumentParser(description='Writes the four CSV files of an invented grocery chain.')
    p.add_argument('--out', required=True, help='folder to write to (made if missing)')
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--customers', type=int, default=300)
    p.add_argument('--products', type=int, default=200)
    p.add_argument('--orders', type=int, default=900)
    p.add_argument('--lines-per-order', type=float, default=3)
    p.add_argument('--dirt', type=float, default=0, help='share of rows that are dirty, 0 to 1')
    a = p.parse_args()
    if min(a.customers, a.products) < 1 or a.orders < 0 or not 0 <= a.dirt <= 1 or a.lines_per_order < 1:
        p.error('at least one customer and product, one line an order; dirt from 0 to 1')
    os.makedirs(a.out, exist_ok=True)
    for write in (customers, products, orders, orderlines):
        write(a)


if __name__ == '__main__':
    main()
