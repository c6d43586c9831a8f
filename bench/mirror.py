#!/usr/bin/python3
"""Measures the mirror on servers of its own, each table in one run, so that its ratios are of one machine at one time.

    bench/mirror.py [snapshot|catchup|sales|price|bulk|buyers|orders]... [--orders N] [--rounds N] …

Takes scripts/build release tillway bench_bulk (or TILLWAY=/path for the daemon), and the test packages of scripts/install test.
"""

import argparse
import contextlib
import os
import re
import statistics
import time

from bson.decimal128 import Decimal128
from mirror_shop import FIRST, ORDERS_EACH, BenchShop, Probe, below  # which says where the harness is

from contenders import cpu_seconds
from harness.pos_till import MIX, Tills, Total

FEW, MANY = 9001, 9002
MIRRORS, OTHERS = {0}, set(range(1, os.cpu_count()))  # cores with --apart


def say(text):
    print(text, flush=True)


def ratios(name, unit, ours, theirs, against):
    """A row: medians, and the median of the ratios taken round by round."""
    say("%s: %.0f %s, %s: %.0f, ratio %.2f (%s)" % (
        name, statistics.median(ours), unit, against, statistics.median(theirs), statistics.median(a / b for a, b in zip(ours, theirs)),
        ", ".join("%.2f" % (a / b) for a, b in zip(ours, theirs))))


def snapshot(options):
    """The collection of customers, ten orders each, made anew; beside it the same documents inserted out of memory."""
    with BenchShop() as shop:
        shop.make_orders(options.orders)
        shop.wait_all()
        ours, alone = [], []
        for _ in range(options.rounds):
            shop.mongo.db().customers.drop()
            shop.mirror.command("mirror", "rebuild", timeout=3600, check=True)
            done = re.findall(r"mirror\.snapshot\.done collection=customers documents=(\d+) ms=(\d+)", shop.mirror.log_text())[-1]
            ours.append(int(done[0]) * 1000 / int(done[1]))
            alone.append(shop.alone("customers", "insert"))
        ratios("snapshot of %d orders (%s documents)" % (options.orders, done[0]), "documents/s", ours, alone, "bulk inserts out of memory")
        say("memory of the mirror: %.0f MiB; %s" % (shop.memory_mib(), shop.verified()))


def start_mirror(shop):
    """Start it again; it reads the binlog when this returns."""
    lines = shop.mirror.log_text().count("mirror.streaming")
    shop.mirror.start()
    while shop.mirror.log_text().count("mirror.streaming") == lines:
        time.sleep(0.01)


def catchup(options):
    """Every customer changed once while the mirror is away, ten to a transaction."""
    customers = options.orders // ORDERS_EACH
    with BenchShop() as shop:
        shop.make_orders(options.orders)
        shop.wait_all()
        ours, alone = [], []
        for n in range(options.rounds):
            shop.mirror.stop()
            shop.run("SET autocommit = 1", *["UPDATE Customer SET phone = '%d' WHERE id BETWEEN %d AND %d" % (n, i, i + 9)
                                            for i in range(FIRST + 1, FIRST + customers + 1, 10)])
            start_mirror(shop)
            began = time.monotonic()
            shop.wait_all()
            ours.append(customers / (time.monotonic() - began))
            alone.append(shop.alone("customers", "replace", {"_id": {"$gt": FIRST}}))
        ratios("catching up on %d row changes" % customers, "row changes/s", ours, alone, "bulk replacements alone")
        say("memory of the mirror: %.0f MiB; %s" % (shop.memory_mib(), shop.verified()))


def sales(options):
    """Tills at full speed through the proxy, without the mirror, and with it and a probe of its lag, in turn; what was sold is taken back each
    time, so that all begin with the same documents. `apart`: MongoDB, the mirror, the replica that it reads from (`replica`) and the probe have a
    core of their own, tills, proxy and primary the others."""
    BenchShop.example = options.example
    with BenchShop(options.page, replicas=int(options.replica)) as shop, shop.proxy() as proxy:
        if options.customers:
            shop.make_orders(options.customers * ORDERS_EACH)
        shop.wait_all()
        if options.apart:
            pin(OTHERS, os.getpid(), shop.primary.pid, proxy.pid)
            pin(MIRRORS, shop.mongo.pid, *[s.pid for s in shop.cluster.servers[1:]])
        on, off, memory = [], [], []
        for n in range(options.rounds):
            for mirrored in (n % 2 == 1, n % 2 == 0):  # what one leaves to the next is not always on the same side
                shop.mirror.stop()
                if not mirrored:
                    off.append(sold(shop, proxy, options))
                    continue
                start_mirror(shop)
                if options.apart:
                    pin(MIRRORS, shop.mirror.pid)
                shop.wait_all()
                with Probe(shop, pause=0.2, look=0.02, cores=MIRRORS if options.apart else None) as probe:
                    on.append(sold(shop, proxy, options, probe))
                shop.wait_all()
                memory.append(shop.memory_mib())
        ratios("tills, with the mirror on", "statements/s", on, off, "off")
        if not shop.mirror.alive():
            start_mirror(shop)
            shop.wait_all()
        say("memory of the mirror: %.0f MiB; %s" % (max(memory), shop.verified()))


def say_lag(times, parts=10):
    say("lag of %d changes: median %.0f ms, p99 %.0f ms, most %.0f ms" % (
        len(times), below(times, 0.5), below(times, 0.99), below(times, 1)))
    parts = min(parts, len(times))
    cuts = [len(times) * part // parts for part in range(parts + 1)]
    for name, share in (("median", 0.5), ("p99", 0.99)):
        say("  %s of each tenth: %s ms" % (name, ", ".join("%.0f" % below(times[a:b], share) for a, b in zip(cuts, cuts[1:]))))


def pin(cores, *pids):
    """Hold processes to these cores, with the threads that they have or will have."""
    for pid in pids:
        for thread in os.listdir("/proc/%d/task" % pid):
            os.sched_setaffinity(int(thread), cores)


def sold(shop, proxy, options, probe=None):
    """Statements a second; says whose CPU time they took, and the probe's lag meanwhile."""
    last = shop.primary.value("SELECT MAX(id) FROM pos.`Order`")
    pids = {"MariaDB": shop.primary.pid, "the proxy": proxy.pid, "MongoDB": shop.mongo.pid}
    pids.update((s.name, s.pid) for s in shop.cluster.servers[1:])
    if shop.mirror.alive():
        pids["the mirror"] = shop.mirror.pid
    before = {name: cpu_seconds([pid]) for name, pid in pids.items()}
    done = [Total()]
    with Tills(proxy.host, proxy.port, count=4, mix=dict(MIX, reprice=options.reprice)) as tills:
        for _ in range(10):
            time.sleep(options.seconds / 10)
            done.append(tills.running_total())
    if probe:
        say_lag(probe.times())
    say("  statements/s of each tenth: " + ", ".join("%.0f" % ((b.reads + b.writes - a.reads - a.writes) / options.seconds * 10) for a, b in zip(done, done[1:])))
    n = tills.total.reads + tills.total.writes
    say("CPU, µs/statement: " + ", ".join("%s %.0f" % (name, (cpu_seconds([pid]) - before[name]) / n * 1e6) for name, pid in pids.items()))
    shop.run("SET @tillway_etl = 1", "DELETE FROM Orderline WHERE order_id > %d" % last, "DELETE FROM `Order` WHERE id > %d" % last,
             "CALL refresh_materialized_views()")
    return n / tills.total.seconds


def price(options):
    """A price that all orders show; a probe's lag meanwhile."""
    with BenchShop(page=options.page) as shop:
        shop.make_orders(options.orders)
        shop.run("SET @tillway_etl = 1", "INSERT INTO Product (id, name, currentPrice, availableQuantity) VALUES (%d, 'in all', 1, 1000000)" % FEW,
                 "INSERT INTO Orderline (order_id, product_id, quantity) SELECT %d + seq, %d, 1 FROM seq_1_to_%d" % (FIRST, FEW, options.orders))
        shop.wait_all()
        with Probe(shop) as probe:
            time.sleep(2)
            quiet = probe.times()
            began = time.monotonic()
            shop.run("UPDATE Product SET currentPrice = 2 WHERE id = %d" % FEW)
            while shop.mongo.db().customers.find_one({"Orders.Items": {"$elemMatch": {"Product ID": FEW, "Unit Price": Decimal128("1.00")}}}, {"_id": 1}):
                time.sleep(0.2)
            took = time.monotonic() - began
        times = probe.times(len(quiet))
        say("a price in %d orders: all right after %.1f s; others' lag meanwhile: median %.0f ms, most %.0f ms (before: %.0f ms)" % (
            options.orders, took, below(times, 0.5), below(times, 1), below(quiet, 0.5)))
        shop.wait_all()
        say("memory of the mirror: %.0f MiB; %s" % (shop.memory_mib(), shop.verified()))


def bulk(options):
    """Transactions that insert, change and delete a line of every order; a probe's lag meanwhile."""
    lines = "%%s Orderline %%s WHERE product_id = %d" % FEW
    with BenchShop(page=options.page) as shop:
        shop.make_orders(options.orders)
        shop.run("INSERT INTO Product (id, name, currentPrice, availableQuantity) VALUES (%d, 'in all', 1, 9000000)" % FEW)
        shop.wait_all()
        for name, sql in (
                ("inserted", "INSERT INTO Orderline (order_id, product_id, quantity) SELECT %d + seq, %d, 1 FROM seq_1_to_%d" % (FIRST, FEW, options.orders)),
                ("changed", lines % ("UPDATE", "SET quantity = 2")), ("deleted", lines % ("DELETE FROM", ""))):
            with Probe(shop) as probe:
                shop.run("SET @tillway_etl = 1", sql)
                began = time.monotonic()
                shop.wait_all()
                took = time.monotonic() - began
            say("%d lines %s by one transaction: all right after %.1f s; others' lag from before it on: median %.0f ms, most %.0f ms" % (
                options.orders, name, took, below(probe.times(), 0.5), below(probe.times(), 1)))
        say("memory of the mirror: %.0f MiB; %s" % (shop.memory_mib(), shop.verified()))


def buyers(options):
    """One more buyer for a product that has few and for one that has many, an old customer (whom the document shows first) and a new one (whom
    it shows last) in turn."""
    with BenchShop(page=options.page or 1000) as shop:
        with first_snapshot(shop):
            fill_buyers(shop, options.orders, options.sales)
        shop.mongo.db().products.create_index([("Product ID", 1), ("Buyers.Customer ID", 1)])
        old, new = shop.primary.value("SELECT MIN(id) FROM pos.Customer"), FIRST + options.orders + 1

        def see(product, n, _order):
            return "products", {"Product ID": product, "Buyers.Customer ID": (new if n % 2 else old) + n // 2}
        one_more(shop, options, "buyers", lambda product, n: ((new if n % 2 else old) + n // 2, product), see)


def orders(options):
    """One more order for a customer who has few and for one who has many."""
    with BenchShop(page=options.page or 1000) as shop:
        with first_snapshot(shop):
            fill_orders(shop, options.orders)
        shop.mongo.db().customers.create_index([("Customer ID", 1), ("Orders.Order ID", 1)])
        one_more(shop, options, "orders", lambda customer, n: (customer, 1),
                 lambda customer, n, order: ("customers", {"Customer ID": customer, "Orders.Order ID": order}))


@contextlib.contextmanager
def first_snapshot(shop):
    """What is done to the shop meanwhile is in the mirror's first snapshot."""
    shop.wait_all()
    shop.mirror.stop()
    shop.mongo.client().drop_database(shop.mongo.database)
    yield
    began = time.monotonic()
    start_mirror(shop)
    shop.wait_all()
    for collection, documents, ms in re.findall(r"mirror\.snapshot\.done collection=(\S+) documents=(\d+) ms=(\d+)", shop.mirror.log_text())[-2:]:
        say("%s: %s documents and their pages in %.1f s" % (collection, documents, int(ms) / 1000))
    say("first snapshot: %.1f s; memory of the mirror: %.0f MiB" % (time.monotonic() - began, shop.memory_mib()))


def one_more(shop, options, what, sale, see):
    """From the commit until the document shows it. sale(few or many, n): customer and product; see(few or many, n, order): where it shows."""
    connection = shop.primary.connect(database="pos", autocommit=True)
    times = {FEW: [], MANY: []}
    for n in range(options.sales):  # in turn, so that both see the same machine
        for whose in times:
            order = sell(connection, *sale(whose, n))
            times[whose].append(shown(shop, *see(whose, n, order)))
    connection.close()
    for whose, name in ((FEW, 10), (MANY, options.orders)):
        t = sorted(times[whose])
        say("%8d %s: median %.1f ms, 9 in 10 within %.1f ms" % (name, what, statistics.median(t) * 1000, t[len(t) * 9 // 10] * 1000))
    ratio = [m / f for f, m in zip(times[FEW], times[MANY])]
    say("median of the ratios: %.2f (of those with even numbers %.2f, with odd ones %.2f)" % (
        statistics.median(ratio), statistics.median(ratio[::2]), statistics.median(ratio[1::2])))
    say("memory of the mirror: %.0f MiB; %s" % (shop.memory_mib(), shop.verified()))


def fill_buyers(shop, n, more):
    """The two products; buyers of the second besides ten of the first, each with an order of one line; more customers, who have bought nothing."""
    shop.run("SET @tillway_etl = 1",
             "INSERT INTO Product (id, name, currentPrice, availableQuantity) VALUES (%d, 'few', 1, 1000000), (%d, 'many', 1, 9000000)" % (FEW, MANY),
             "INSERT INTO Customer (id, firstName, lastName) SELECT %d + seq, 'Buyer', seq FROM seq_1_to_%d" % (FIRST, n + more),
             "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT {0} + seq, '2026-01-01', {0} + seq FROM seq_1_to_{1}".format(FIRST, n),
             "INSERT INTO Orderline (order_id, product_id, quantity) SELECT %d + seq, %d, 1 FROM seq_1_to_%d" % (FIRST, MANY, n),
             "INSERT INTO Orderline (order_id, product_id, quantity) SELECT %d + seq, %d, 1 FROM seq_1_to_10" % (FIRST, FEW))


def fill_orders(shop, n):
    """Two customers, with ten orders of one line each, and with n."""
    shop.run("SET @tillway_etl = 1", "INSERT INTO Customer (id, firstName, lastName) VALUES (%d, 'Few', 'orders'), (%d, 'Many', 'orders')" % (FEW, MANY),
             "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT {0} + seq, '2026-01-01', IF(seq <= 10, {1}, {2}) FROM seq_1_to_{3}".format(
                 FIRST, FEW, MANY, n + 10),
             "INSERT INTO Orderline (order_id, product_id, quantity) SELECT %d + seq, 1 + seq %% 200, 1 FROM seq_1_to_%d" % (FIRST, n + 10))


def sell(connection, customer, product):
    """The order's id."""
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO `Order` (datePlaced, customer_id) VALUES ('2026-02-02', %s)", (customer,))
        order = cursor.lastrowid
        cursor.execute("INSERT INTO Orderline (order_id, product_id, quantity) VALUES (%s, %s, 1)", (order, product))
        cursor.execute("COMMIT")
    return order


def shown(shop, collection, query):
    """Seconds until a document is there."""
    began = time.monotonic()
    while not shop.mongo.db()[collection].find_one(query, {"_id": 1}):
        if time.monotonic() - began > 60:
            raise TimeoutError("%r\n%s" % (query, shop.mirror.log_text()[-2000:]))
    return time.monotonic() - began


TABLES = {"snapshot": snapshot, "catchup": catchup, "sales": sales, "price": price, "bulk": bulk, "buyers": buyers, "orders": orders}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("tables", nargs="*", metavar="TABLE", help="default: all")
    options.add_argument("--orders", type=int, default=1000000, help="of the shop; in `buyers` of one product, in `orders` of one customer (1000000)")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=int, default=60, help="of sales in a round (60)")
    options.add_argument("--reprice", type=float, default=MIX["reprice"], help="in `sales`: actions of a hundred that change a price (%(default)s)")
    options.add_argument("--customers", type=int, help="in `sales`: more, with ten orders each (none)")
    options.add_argument("--replica", action="store_true", help="in `sales`: a replica, from which the mirror reads")
    options.add_argument("--example", default=BenchShop.example, help="in `sales`: the mapping, in conf/ (%(default)s)")
    options.add_argument("--delay", default=BenchShop.batch_delay, help="mirror.batch_delay (%(default)s)")
    options.add_argument("--apart", action="store_true", help="in `sales`: MongoDB, the mirror and the replica on a core of their own")
    options.add_argument("--sales", type=int, default=50, help="in `buyers` and `orders` (50)")
    options.add_argument("--page", type=int, help="in all but `snapshot` and `catchup`: elements a document takes (1000 in `buyers` and `orders`; none)")
    options.add_argument("--atomic", action="store_true", help="with mirror.atomic")
    options = options.parse_args()
    BenchShop.atomic = options.atomic
    BenchShop.batch_delay = options.delay
    for name in options.tables or TABLES:
        say("-- " + name)
        TABLES[name](options)


if __name__ == "__main__":
    main()
