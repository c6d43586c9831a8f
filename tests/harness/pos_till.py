"""Simulated tills: threads that sell through a port, and check that they read what they wrote.

    with Tills("127.0.0.1", port, count=4) as tills:
        time.sleep(5)
    assert tills.total.stale == 0, tills.total.stale_examples

Each till has its own connection, its own orders and its own products to reprice, so it knows what it must
read; whatever differs is a stale read. Half of them sell by CALL place_order(), half by a transaction.
"""

import json
import queue
import random
import threading
import time

import pymysql

GONE = {2006, 2013, 2003, 2055, 1158, 0}  # numbers for a lost connection: the client's, and the proxy's
RETRY = {1205, 1213}                    # lock wait, deadlock
REFUSED = {1644, 1048, 1442}            # SIGNAL of a procedure or trigger
# action: how often, relative to the others
MIX = {"sell": 40, "ship": 10, "cancel": 4, "reprice": 4, "history": 18, "shelf": 18, "receipt": 6}


class Total:
    """What tills did. Reads and writes are statements that were answered."""

    def __init__(self):
        self.orders = self.shipped = self.cancelled = self.repriced = 0
        self.refused = self.retried = self.disconnects = 0
        self.reads = self.writes = self.checked = self.stale = 0
        self.stale_examples = []
        self.seconds = 0.0
        self.write_times, self.read_times = [], []

    def add(self, other):
        for name, value in vars(other).items():
            if name != "seconds":
                setattr(self, name, getattr(self, name) + value)
        self.seconds = max(self.seconds, other.seconds)


def percentile(times, share):
    """The time that `share` of them are not above, in milliseconds; 0 if there are none."""
    ordered = sorted(times)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class _Till(threading.Thread):
    def __init__(self, tills, number):
        super().__init__(name="till%d" % number, daemon=True)
        self.tills = tills
        self.number = number
        self.random = random.Random("%s/%d" % (tills.seed, number))
        self.by_procedure = number % 2 == 0
        self.total = Total()
        self.open = []    # (order id, {product: quantity}) of orders that are surely not shipped yet
        self.prices = {}  # product: the price this till gave it
        self.sold_out = False
        self.connection = None

    def run(self):
        began = time.monotonic()
        try:
            while not self.tills.stopping.is_set():
                self._step()
                if self.tills.pace:
                    self.tills.stopping.wait(self.tills.pace * self.random.random() * 2)
        except Exception as error:  # the owner of the tills hears of it
            self.tills.failures.put((self.name, error))
            self.tills.stopping.set()
        finally:
            self.total.seconds = time.monotonic() - began
            if self.connection is not None:
                self.connection.close()

    def _step(self):
        action = self.random.choices(list(self.tills.mix), list(self.tills.mix.values()))[0]
        try:
            if self.connection is None:
                self.connection = self.tills.connect()
            if self.sold_out:
                self._restock()
            getattr(self, "_" + action)()
        except pymysql.err.MySQLError as error:
            self._failed(error)
        except OSError as error:
            self._failed(pymysql.err.OperationalError(2013, str(error)))

    def _failed(self, error):
        code = error.args[0] if error.args else 0
        if code in RETRY:
            self.total.retried += 1
            self.connection.rollback()
        elif code in REFUSED and "stock" in str(error):
            self.total.refused += 1
            self.connection.rollback()
            self.sold_out = True
        elif self.tills.reconnect and (code in GONE or code in self.tills.passing):
            self.total.disconnects += 1
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            self.tills.stopping.wait(0.05)
        else:
            raise error

    def _restock(self):
        self._write("UPDATE Product SET availableQuantity = availableQuantity + 50"
                    " WHERE availableQuantity < 10 ORDER BY id LIMIT 20")
        self.sold_out = False

    def _run(self, sql, args):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, args)
            return cursor.lastrowid, list(cursor.fetchall())

    def _write(self, sql, args=None):
        began = time.perf_counter()
        key, _ = self._run(sql, args)
        self.total.write_times.append(time.perf_counter() - began)
        self.total.writes += 1
        return key

    def _read(self, sql, args=None):
        began = time.perf_counter()
        _, rows = self._run(sql, args)
        self.total.read_times.append(time.perf_counter() - began)
        self.total.reads += 1
        return rows

    def _expect(self, what, wanted, got):
        self.total.checked += 1
        if got != wanted:
            self.total.stale += 1
            if len(self.total.stale_examples) < 5:
                self.total.stale_examples.append(
                    "%s: %s: expected %r, read %r" % (self.name, what, wanted, got))

    def _check_lines(self, order, wanted):
        got = dict(self._read("SELECT product_id, quantity FROM Orderline WHERE order_id = %s",
                              (order,)))
        self._expect("lines of order %d" % order, wanted, got)

    def _sell(self):
        chosen = self.random.sample(self.tills.products, min(len(self.tills.products),
                                                             self.random.randint(1, 4)))
        items = {p: self.random.randint(1, 3) for p in sorted(chosen)}
        customer = self.random.choice(self.tills.customers)
        order = (self._sell_by_procedure if self.by_procedure else self._sell_by_transaction)(
            customer, items)
        self.total.orders += 1
        self.open.append((order, items))
        self._check_lines(order, items)

    def _sell_by_procedure(self, customer, items):
        listed = json.dumps([{"product_id": p, "quantity": q} for p, q in items.items()])
        self._write("CALL place_order(%s, %s, @placed)", (customer, listed))
        return int(self._read("SELECT @placed")[0][0])

    def _sell_by_transaction(self, customer, items):
        self._write("START TRANSACTION")
        order = self._write("INSERT INTO `Order` (datePlaced, customer_id) VALUES (UTC_TIMESTAMP(), %s)",
                            (customer,))
        self._write("INSERT INTO Orderline (order_id, product_id, quantity) VALUES "
                    + ", ".join("(%d, %d, %d)" % (order, p, q) for p, q in items.items()))
        self._write("COMMIT")
        return order

    def _take_open(self):
        """Any of them, taken out of the list: a change of it that fails may have happened or not."""
        at = self.random.randrange(len(self.open))
        self.open[at], self.open[-1] = self.open[-1], self.open[at]
        return self.open.pop()

    def _ship(self):
        if not self.open:
            return
        order, _ = self._take_open()
        self._write("CALL ship_order(%s)", (order,))
        self.total.shipped += 1
        rows = self._read("SELECT dateShipped IS NOT NULL FROM `Order` WHERE id = %s", (order,))
        self._expect("order %d shipped" % order, [(1,)], rows)

    def _cancel(self):
        if not self.open:
            return
        order, _ = self._take_open()
        self._write("CALL cancel_order(%s)", (order,))
        self.total.cancelled += 1
        self._check_lines(order, {})

    def _reprice(self):
        own = self.tills.products[self.number::self.tills.count]
        if not own:
            return
        product = self.random.choice(own)
        price = "%d.%02d" % (self.random.randint(1, 300), self.random.randint(0, 99))
        self.prices.pop(product, None)
        self._write("CALL change_price(%s, %s)", (product, price))
        self.prices[product] = price
        self.total.repriced += 1
        self._check_price(product)

    def _check_price(self, product):
        rows = self._read("SELECT currentPrice FROM Product WHERE id = %s", (product,))
        self._expect("price of product %d" % product, self.prices[product],
                     str(rows[0][0]) if rows else None)

    def _history(self):
        """The customer's last orders, which are few however many there were."""
        self._read("SELECT STRAIGHT_JOIN o.id, o.datePlaced, SUM(l.quantity * p.currentPrice)"
                   " FROM (SELECT id, datePlaced FROM `Order` WHERE customer_id = %s"
                   " ORDER BY datePlaced DESC LIMIT 10) o"
                   " JOIN Orderline l ON l.order_id = o.id JOIN Product p ON p.id = l.product_id"
                   " GROUP BY o.id, o.datePlaced", (self.random.choice(self.tills.customers),))

    def _shelf(self):
        if self.prices and self.random.random() < 0.5:
            self._check_price(self.random.choice(list(self.prices)))
        else:
            self._read("SELECT name, currentPrice, availableQuantity FROM Product WHERE id = %s",
                       (self.random.choice(self.tills.products),))

    def _receipt(self):
        if self.open:
            order, items = self.random.choice(self.open)
            self._check_lines(order, items)


class Tills:
    """count tills that sell until stop(), or until the first one fails.

    reconnect: a lost connection, or an error with a number in `passing`, is counted, not fatal.
    pace: mean seconds between two actions of a till. mix: how often each action is among them."""

    def __init__(self, host, port, count=4, seed=1, database="pos", user="till", password="till",
                 reconnect=False, passing=(), pace=0.0, mix=None):
        self.address = dict(host=host, port=port, user=user, password=password, database=database,
                            charset="utf8mb4", autocommit=True, connect_timeout=10,
                            read_timeout=60, write_timeout=60)
        self.count = count
        self.seed = seed
        self.reconnect = reconnect
        self.passing = set(passing)
        self.pace = pace
        self.mix = mix or MIX
        self.stopping = threading.Event()
        self.failures = queue.Queue()
        self.total = None
        self.products, self.customers = [], []
        self._threads = []

    def connect(self):
        return pymysql.connect(**self.address)

    def start(self):
        connection = self.connect()
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM Product ORDER BY id LIMIT 2000")
            self.products = [row[0] for row in cursor.fetchall()]
            cursor.execute("SELECT id FROM Customer ORDER BY id LIMIT 5000")
            self.customers = [row[0] for row in cursor.fetchall()]
        connection.close()
        if not self.products or not self.customers:
            raise RuntimeError("nothing to sell, or nobody to sell to: is the POS database loaded?")
        self._threads = [_Till(self, n) for n in range(self.count)]
        for till in self._threads:
            till.start()

    def running_total(self):
        """What was done up to now; figures of single tills may be a step apart."""
        total = Total()
        for till in self._threads:
            total.add(till.total)
        return total

    def stop(self):
        """End after the action under way; the first failure of a till is raised."""
        self.stopping.set()
        for till in self._threads:
            till.join()
        self.total = self.running_total()
        if not self.failures.empty():
            name, error = self.failures.get()
            raise RuntimeError("%s: %s" % (name, error)) from error
        return self.total

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.stop()
        else:
            self.stopping.set()
            for till in self._threads:
                till.join()
