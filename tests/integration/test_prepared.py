"""Prepared statements by the binary protocol, across servers."""

from proxied import Proxied, main  # isort: skip (puts the harness on the path)

from harness.binary import Binary, Failed


class Prepared(Proxied):
    def binary(self):
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        return b

    def test_reads_and_writes(self):
        b = self.binary()
        put, get = b.prepare("REPLACE INTO t VALUES (?, ?)"), b.prepare("SELECT v FROM t WHERE id=?")
        for i in range(100):
            put.execute(70, "v%d" % i)
            self.assertEqual(get.execute(70), [("v%d" % i,)])
        put.execute(71, None)
        self.assertEqual(get.execute(71), [(None,)])

    def test_executed_again_without_types_on_another_server(self):
        """Types are sent with the first execution only; the next server has not seen them."""
        b = self.binary()
        get = b.prepare("SELECT v, ? FROM t WHERE id=?")
        get.bind("text", 2)
        seen = set()
        for i in range(60):
            before = self.routed() if i % 6 == 0 else None
            get.run()
            self.assertEqual(get.rows(), [("two", "text")])
            if before:
                after = self.routed()
                seen |= {n for n in after if after[n] > before[n]}
            if i % 10 == 9:
                b.query("BEGIN" if i % 20 == 9 else "COMMIT")
        self.assertGreaterEqual(len(seen), 2, seen)

    def test_a_statement_means_what_it_meant_when_prepared(self):
        """Another server prepares it under the schema and the variables of then, not of now."""
        self.cluster.primary.query("CREATE DATABASE other")
        self.cluster.primary.query("CREATE TABLE other.t SELECT 1 id, 'wrong' v")
        self.settle()
        b = self.binary()
        get = b.prepare("SELECT v, 'a' || 'b' FROM t WHERE id=?")
        b.query("USE other")
        b.query("SET sql_mode='PIPES_AS_CONCAT'")
        for sql in ("BEGIN", "COMMIT", "DO 1"):
            b.query(sql)
            for _ in range(5):
                self.assertEqual(get.execute(1), [("one", "0")])
                self.assertEqual(b.prepare("SELECT DATABASE(), 'a' || 'b'").execute(), [("other", "ab")])

    def test_many_statements_keep_their_ids(self):
        b = self.binary()
        statements = [b.prepare("SELECT %d + ?" % i) for i in range(100)]
        for i, s in reversed(list(enumerate(statements))):
            self.assertEqual(s.execute(1), [(str(i + 1),)])
            if i % 2:
                s.close()
        for i, s in enumerate(statements):
            if i % 2 == 0:
                self.assertEqual(s.execute(2), [(str(i + 2),)])

    def test_long_data(self):
        b = self.binary()
        put = b.prepare("REPLACE INTO t VALUES (?, ?)")
        put.bind(72, "")
        for _ in range(40):
            put.long_data(1, b"x" * 100000)
        put.run()
        check = b.prepare("SELECT LENGTH(v) FROM t WHERE id=?")
        self.assertEqual(check.execute(72), [("4000000",)])
        put.execute(72, "short")
        self.assertEqual(check.execute(72), [("5",)])

    def test_long_data_that_went_with_its_server(self):
        """The execution that counted on it is told; nothing is ever written from a part of it."""
        b = self.binary()
        put = b.prepare("REPLACE INTO t VALUES (?, ?)")
        put.execute(73, "before")
        put.bind(73, "")
        put.long_data(1, b"x" * 50000)
        self.cluster.primary.kill()
        put.long_data(1, b"y" * 50000)
        with self.assertRaises(Failed) as caught:
            put.run()
        self.assertEqual(caught.exception.args[0], 1158)
        self.cluster.primary.restart()
        self.tillway.wait_log(r"primary\.changed from=none to=%s(.|\n)*primary\.changed from=none to=%s"
                              % (self.cluster.primary.name, self.cluster.primary.name))
        self.settle()  # another session reads, and the replicas may not have had the row yet
        self.assertEqual(self.run_sql(self.connect(), "SELECT v FROM t WHERE id=73"), [("before",)])
        put.execute(73, "after")
        self.assertEqual(b.prepare("SELECT v FROM t WHERE id=?").execute(73), [("after",)])
        self.settle(1)

    def test_cursor(self):
        b = self.binary()
        s = b.prepare("SELECT id FROM t WHERE id < ? ORDER BY id")
        s.cursor(1)
        s.bind(4)
        for _ in range(3):
            s.run()
            self.assertEqual(s.rows(), [("1",), ("2",), ("3",)])

    def test_errors(self):
        b = self.binary()
        with self.assertRaises(Failed) as caught:
            b.prepare("SELECT * FROM nosuch WHERE id=?")
        self.assertEqual(caught.exception.args[0], 1146)
        with self.assertRaises(Failed) as caught:
            b.prepare("SELEC 1")
        self.assertEqual(caught.exception.args[0], 1064)
        put = b.prepare("INSERT INTO t VALUES (?, ?)")
        with self.assertRaises(Failed) as caught:
            put.execute(1, "again")
        self.assertEqual(caught.exception.args[0], 1062)
        self.assertEqual(b.prepare("SELECT v FROM t WHERE id=?").execute(1), [("one",)])

    def test_a_statement_survives_its_replica(self):
        b = self.binary()
        get = b.prepare("SELECT v FROM t WHERE id=?")
        self.assertEqual(get.execute(3), [("three",)])
        for r in self.cluster.replicas:
            r.kill()
            self.assertEqual(get.execute(3), [("three",)])
        for r in self.cluster.replicas:
            r.restart()
            r.start_slave()
        self.settle(1)
        self.assertEqual(get.execute(3), [("three",)])


if __name__ == "__main__":
    main()
