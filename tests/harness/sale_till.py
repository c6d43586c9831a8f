"""A till that sells numbers, by itself and in transactions, and reads each sale back at once.

In a database `shop` with the tables of SCHEMA, on any cluster.
"""

import threading
import time

import pymysql

SCHEMA = [
    "CREATE DATABASE shop",
    "CREATE TABLE shop.sale (id INT PRIMARY KEY)",
    "CREATE TABLE shop.stock (till INT PRIMARY KEY, sold INT NOT NULL)",
    "INSERT INTO shop.stock SELECT seq, 0 FROM shop.seq_0_to_99",
]


class SaleTill(threading.Thread):
    """number: 0 to 99, of this till among those that sell at one time. first: no earlier till sold it or above.

    Keywords are pymysql.connect's."""

    pause = 0.002  # seconds, between two sales

    def __init__(self, tillway, number, first=0, **how):
        super().__init__(daemon=True)  # a test that fails does not wait for it
        self.tillway, self.number, self.next = tillway, number, first + number
        self.how = how
        self.acknowledged = []
        self.errors = []     # the arguments of each
        self.unseen = []     # sold, and not found by the till itself
        self.longest = 0.0   # seconds, of a sale and its reading
        self.ended = threading.Event()

    def run(self):
        connection = self.tillway.connect(database="shop", **self.how)
        while not self.ended.is_set():
            self.next += 100
            begun = time.monotonic()
            try:
                with connection.cursor() as cursor:
                    self.sell(cursor, self.next)
                    self.acknowledged.append(self.next)
                    self.look(cursor, self.next)
            except pymysql.err.MySQLError as e:
                self.errors.append(e.args)
            self.longest = max(self.longest, time.monotonic() - begun)
            time.sleep(self.pause)
        connection.close()

    def look(self, cursor, n):
        cursor.execute("SELECT COUNT(*) FROM sale WHERE id=%s", (n,))
        if cursor.fetchone()[0] != 1:
            self.unseen.append(n)

    def sell(self, cursor, n):
        if n % 200 < 100:
            cursor.execute("INSERT INTO sale VALUES (%s)", (n,))
            return
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO sale VALUES (%s)", (n,))
        cursor.execute("UPDATE stock SET sold=sold+1 WHERE till=%s", (self.number,))
        cursor.execute("COMMIT")
