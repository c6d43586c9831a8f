"""Open transactions when their primary is lost: repeated on the next one, or rolled back with error 1213."""

import threading
import unittest

import pymysql

import proxied  # noqa: F401 (the path)
from failing import FailoverCluster
from harness import scratch
from harness.rawclient import CACHE_METADATA, DEFAULT, RawClient


def run(connection, sql, args=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, args)
        return list(cursor.fetchall())


class Replay(FailoverCluster):
    """One cluster for all: each test moves the primary once."""

    stored = ("CREATE PROCEDURE shop.draw() BEGIN UPDATE stock SET n = 1e6 * RAND() WHERE id = 2; SELECT RAND(); END",)

    def setUp(self):
        primary = self.primary()
        primary.query("CREATE OR REPLACE TABLE shop.sale (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(30), at DATETIME)")
        primary.query("CREATE OR REPLACE TABLE shop.stock (id INT PRIMARY KEY, n INT)")
        primary.query("INSERT INTO shop.stock VALUES (1, 10), (2, 20)")
        self.connections = []

    def tearDown(self):
        for connection in self.connections:
            connection.close()

    def connect(self, **kw):
        self.connections.append(self.tillway.connect(database="shop", **kw))
        return self.connections[-1]

    def begin(self, till=None):
        """A till in the middle of a sale."""
        till = till or self.connect()
        run(till, "BEGIN")
        run(till, "INSERT INTO sale (what, at) VALUES ('first', NOW())")
        self.id = run(till, "SELECT LAST_INSERT_ID()")[0][0]
        self.at = run(till, "SELECT at FROM sale WHERE id = %s", (self.id,))
        run(till, "UPDATE stock SET n = n - 1 WHERE id = 1")
        return till

    def finish(self, till):
        run(till, "INSERT INTO sale (what) VALUES ('second')")
        run(till, "COMMIT")
        rows = run(till, "SELECT id, what FROM sale ORDER BY id")
        self.assertEqual(rows[0], (self.id, "first"))
        self.assertEqual([r[1] for r in rows], ["first", "second"])
        self.assertEqual(run(till, "SELECT n FROM stock WHERE id = 1"), [(9,)])
        self.assertEqual(run(till, "SELECT at FROM sale WHERE id = %s", (self.id,)), self.at)

    def test_idle_in_a_transaction_at_a_switchover(self):
        till = self.connect()
        run(till, "SET @`a``b` = 7, @third = 1e0 / 3, @price = 1.50, @name = 'caf\u00e9', @empty = '', @none = NULL, @n = 0")
        variables = "SELECT @`a``b`, @third, @price, @name, @empty, @none, COLLATION(@name)"
        before = run(till, variables)
        self.begin(till)
        self.assertEqual(run(till, "SELECT @n := @n + 1"), [(1,)])
        run(till, "UPDATE stock SET n = n + @`a``b` WHERE id = 2")
        self.switch_over()
        self.finish(till)
        self.assertEqual(run(till, variables), before)
        self.assertEqual(run(till, "SELECT @n"), [(1,)])
        self.assertEqual(run(till, "SELECT n FROM stock WHERE id = 2"), [(27,)])

    def test_idle_in_a_transaction_when_the_primary_is_killed(self):
        till = self.begin()
        drawn = run(till, "SELECT RAND(), RAND()")
        run(till, "UPDATE stock SET n = 1e6 * RAND() WHERE id = 2")
        raffle = run(till, "SELECT n FROM stock WHERE id = 2")
        self.lose_primary()
        self.finish(till)
        self.assertEqual(run(till, "SELECT n FROM stock WHERE id = 2"), raffle)
        self.assertNotEqual(run(till, "SELECT RAND(), RAND()"), drawn)
        self.assertIn("transactions_replayed", self.tillway.command("stats").stdout)

    def test_definitions_that_were_left_out(self):
        """With metadata caching the next primary sends definitions that the lost one had sent before."""
        with RawClient(self.tillway, "till", "till", caps=DEFAULT | CACHE_METADATA, schema="shop") as till:
            sell, _ = till.prepare("INSERT INTO sale (what) VALUES ('sold') RETURNING what")
            row = b"\0\0\x04sold"
            first, = [till.execute(sell)]
            self.assertEqual((first[0], first[2]), (b"\x01\x01", row))  # with definitions
            till.query("BEGIN")
            self.assertIn(row, till.execute(sell))
            self.lose_primary()
            self.assertIn(row, till.execute(sell))
            self.assertEqual(till.query("COMMIT")[0][0], 0)
            self.assertEqual(till.value("SELECT COUNT(*) FROM sale"), "3")

    def test_a_procedure_that_draws_lots(self):
        till = self.begin()
        drawn = run(till, "CALL draw()")
        raffle = run(till, "SELECT n FROM stock WHERE id = 2")
        self.lose_primary()
        self.finish(till)
        self.assertEqual(run(till, "SELECT n FROM stock WHERE id = 2"), raffle)
        self.assertNotEqual(run(till, "CALL draw()"), drawn)

    def test_statement_under_way_when_the_primary_is_killed(self):
        till, other = self.begin(), self.connect()
        run(other, "BEGIN")
        run(other, "UPDATE stock SET n = n + 1 WHERE id = 2")
        waiting = threading.Thread(target=run, args=(till, "UPDATE stock SET n = n * 2 WHERE id = 2"))
        waiting.start()
        primary = self.primary()  # innodb_trx is a copy that is not renewed while it is asked for again and again
        scratch.wait_until("a lock wait", lambda: int(primary.value(
            "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_row_lock_current_waits'")), 30)
        self.lose_primary()
        run(other, "ROLLBACK")
        waiting.join(60)
        self.finish(till)
        self.assertEqual(run(till, "SELECT n FROM stock WHERE id = 2"), [(40,)])

    def test_another_result_is_a_deadlock(self):
        till = self.begin()
        rows = run(till, "SELECT n FROM stock WHERE id = 2")
        self.assertEqual(rows, [(20,)])
        self.tillway.query("UPDATE shop.stock SET n = 0 WHERE id = 2")
        self.lose_primary()
        with self.assertRaises(pymysql.err.OperationalError) as caught:
            run(till, "UPDATE stock SET n = n - 5 WHERE id = 2")
        self.assertEqual(caught.exception.args[0], 1213)
        self.assertRegex(self.tillway.log_text(), r"statement \d of \d gave another result on the new primary \(no error\)")
        self.assertEqual(run(till, "SELECT COUNT(*) FROM sale"), [(0,)])  # the session lives
        run(till, "INSERT INTO sale (what) VALUES ('again')")
        self.assertEqual(run(till, "SELECT what FROM sale"), [("again",)])

    def test_what_cannot_be_repeated_is_a_deadlock(self):
        till = self.begin()
        run(till, "SET sql_mode = 'ANSI_QUOTES'")
        self.lose_primary()
        with self.assertRaises(pymysql.err.OperationalError) as caught:
            run(till, "COMMIT")
        self.assertEqual(caught.exception.args[0], 1213)
        self.assertEqual(run(till, "SELECT COUNT(*) FROM sale"), [(0,)])
        self.assertEqual(run(till, 'SELECT "what" FROM sale'), [])

    def test_without_autocommit(self):
        till = self.connect(autocommit=False)
        run(till, "UPDATE stock SET n = n + 5 WHERE id = 1")
        run(till, "SELECT n FROM stock WHERE id = 1")
        self.lose_primary()
        run(till, "UPDATE stock SET n = n + 1 WHERE id = 1")
        till.commit()
        self.assertEqual(self.primary().value("SELECT n FROM shop.stock WHERE id = 1"), 16)

    def test_last_insert_id_outlives_its_server(self):
        till = self.connect()
        run(till, "INSERT INTO sale (what) VALUES ('one')")
        before = run(till, "SELECT LAST_INSERT_ID()")
        self.lose_primary()
        run(till, "UPDATE stock SET n = n + 1 WHERE id = 1")
        self.assertEqual(run(till, "SELECT LAST_INSERT_ID()"), before)


if __name__ == "__main__":
    unittest.main(verbosity=2)
