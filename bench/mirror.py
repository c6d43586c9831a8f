#!/usr/bin/python3
"""One more buyer for a product that has few and for one that has many, with `page` in the mapping: how long from the commit until the
document shows it. Servers of its own; the release build.

    bench/mirror.py [--buyers 100000] [--sales 50] [--page 1000]
"""

import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests", "mirror"))

import test_paged  # noqa: E402

FEW, MANY = 9001, 9002
FIRST = 2000000  # of the ids made here


class Bench(test_paged.PagedShop):
    def __init__(self, page):
        super().__init__(replicas=0)
        self.pages = {"Orders": page, "Buyers": page}


def fill(shop, buyers):
    """The two products; buyers of the second besides ten of the first, each with an order of one line."""
    shop.run("SET @tillway_etl = 1",
             "INSERT INTO Product (id, name, currentPrice, availableQuantity) VALUES (%d, 'few', 1, 1000000), (%d, 'many', 1, 9000000)" % (FEW, MANY),
             "INSERT INTO Customer (id, firstName, lastName) SELECT %d + seq, 'Buyer', seq FROM seq_1_to_%d" % (FIRST, buyers),
             "INSERT INTO `Order` (id, datePlaced, customer_id) SELECT {0} + seq, '2026-01-01', {0} + seq FROM seq_1_to_{1}".format(FIRST, buyers),
             "INSERT INTO Orderline (order_id, product_id, quantity) SELECT %d + seq, %d, 1 FROM seq_1_to_%d" % (FIRST, MANY, buyers),
             "INSERT INTO Orderline (order_id, product_id, quantity) SELECT %d + seq, %d, 1 FROM seq_1_to_10" % (FIRST, FEW))
    shop.wait_applied(timeout=3600)


def sell(shop, connection, product, customer):
    """One sale, by a customer who has not bought it; seconds until the product's document shows it."""
    products = shop.mongo.db().products
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO `Order` (datePlaced, customer_id) VALUES ('2026-02-02', %s)", (customer,))
        cursor.execute("INSERT INTO Orderline (order_id, product_id, quantity) VALUES (LAST_INSERT_ID(), %s, 1)", (product,))
        cursor.execute("COMMIT")
    began = time.monotonic()
    query = {"Product ID": product, "Buyers.Customer ID": customer}
    while not products.find_one(query, {"_id": 1}):
        if time.monotonic() - began > 60:
            raise TimeoutError("%r\n%s" % (query, shop.mirror.log_text()[-2000:]))
    return time.monotonic() - began


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--buyers", type=int, default=100000)
    options.add_argument("--sales", type=int, default=50)
    options.add_argument("--page", type=int, default=1000, help="elements a document takes")
    options = options.parse_args()
    with Bench(options.page) as shop:
        shop.mongo.db().products.create_index([("Product ID", 1), ("Buyers.Customer ID", 1)])
        fill(shop, options.buyers)
        began = shop.primary.value("SELECT MIN(id) FROM pos.Customer")
        connection = shop.primary.connect(database="pos", autocommit=True)
        times = {FEW: [], MANY: []}
        for n in range(options.sales):  # in turn, so that both see the same machine
            for product in times:
                times[product].append(sell(shop, connection, product, began + n))
        connection.close()
        for product, name in ((FEW, "10"), (MANY, str(options.buyers))):
            t = sorted(times[product])
            print("%8s buyers: median %.1f ms, 9 in 10 within %.1f ms" % (name, statistics.median(t) * 1000, t[len(t) * 9 // 10] * 1000))
        print("median of the ratios: %.2f" % statistics.median(m / f for f, m in zip(times[FEW], times[MANY])))
        done = shop.mirror.command("mirror", "verify", timeout=3600)
        print(done.stdout.strip())
        with open("/proc/%d/status" % shop.mirror.pid, encoding="ascii") as f:
            print([line.strip() for line in f if line.startswith("VmHWM")][0])


if __name__ == "__main__":
    main()
