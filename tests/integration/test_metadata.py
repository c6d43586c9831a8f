"""Metadata caching: a client that is not sent a result's column definitions again, because they are those it was sent last, holds the right ones
whatever servers and connections its statements went to."""

from proxied import Proxied, main  # isort: skip (puts the harness on the path)

import struct

from harness.rawclient import BULK, CACHE_METADATA, COM_BULK, COM_EXECUTE, DEFAULT, DEPRECATE_EOF, EXTENDED, RawClient, lenenc

CURSOR = 1


class Holder(RawClient):
    """Keeps of each statement the definitions that it was sent last; counts the results that came without."""

    def __init__(self, where, without=0):
        super().__init__(where, "till", "till", caps=(DEFAULT | BULK | EXTENDED | CACHE_METADATA) & ~without, schema="shop")
        self.held = {}
        self.left_out = 0

    def prepare(self, sql):
        stmt, packets = super().prepare(sql)
        columns, params = struct.unpack_from("<HH", packets[0], 1)
        eof = 0 if self.caps & DEPRECATE_EOF else 1
        at = 1 + (params + eof if params else 0)
        self.held[stmt] = packets[at:at + columns]
        return stmt

    def run(self, stmt, bound=b"", flags=0):
        """(definitions, rows) of each result; an error's number."""
        self.send(COM_EXECUTE, struct.pack("<IBI", stmt, flags, 1) + bound)
        return self.seen(stmt)

    def seen(self, stmt):
        got, packets = [], self.results()
        while packets:
            packets, result = self._take(stmt, packets)
            got.append(result)
        return got

    def _take(self, stmt, packets):
        if packets[0][0] == 0x00:
            return packets[1:], "OK"
        if packets[0][0] == 0xFF:
            return packets[1:], struct.unpack_from("<H", packets[0], 1)[0]
        n, at = lenenc(packets[0], 0)
        if packets[0][at]:
            self.held[stmt] = packets[1:1 + n]
            packets = packets[n:]
        else:
            self.left_out += 1
        packets = packets[1:] if self.caps & DEPRECATE_EOF or len(packets) == 2 else packets[2:]  # behind a cursor's head is one EOF
        end = next(i for i, p in enumerate(packets) if p[0] == 0xFF or (p[0] == 0xFE and len(p) < 9))
        return packets[end + 1:], (self.held[stmt], packets[:end])


class Metadata(Proxied):
    def holder(self, where=None, without=0):
        h = Holder(where or self.tillway, without)
        self.assertTrue(h.caps & CACHE_METADATA)
        self.addCleanup(h.close)
        return h

    def fresh(self, sql):
        """What a new client of the primary is told of the columns."""
        with Holder(self.cluster.primary) as h:
            return h.held[h.prepare(sql)]

    def table(self):
        self.cluster.primary.query("CREATE OR REPLACE TABLE shop.w (id INT PRIMARY KEY, v VARCHAR(10))")
        self.cluster.primary.query("INSERT INTO shop.w VALUES (1, 'one'), (2, 'two')")
        self.settle()

    def alter(self, change):
        self.cluster.primary.query("ALTER TABLE shop.w " + change)
        self.settle()

    def test_left_out_on_every_server(self):
        self.table()
        h = self.holder()
        sql = "SELECT id, v FROM w WHERE id = 1"
        get = h.prepare(sql)
        want = self.fresh(sql)
        before = self.routed()
        for i in range(60):
            if i % 6 == 5:
                h.query("BEGIN")
                h.run(get)
                h.query("COMMIT")
            self.assertEqual(h.run(get)[0][0], want)
        after = self.routed()
        self.assertGreaterEqual(len([n for n in after if after[n] > before[n]]), 2)
        self.assertEqual(h.left_out, 70)

    def test_sessions_on_one_connection(self):
        """A server has told one of them of a change, and leaves it out to the other, who must hear of it all the same."""
        for without in (0, DEPRECATE_EOF):
            with self.subTest(without=without):
                self.table()
                sql = "SELECT v, id FROM w ORDER BY id"
                holders = [self.holder(without=without) for _ in range(4)]
                statements = [h.prepare(sql) for h in holders]
                for length in (20, 300, 20):
                    self.alter("MODIFY v VARCHAR(%d)" % length)
                    want = self.fresh(sql)
                    for _ in range(10):
                        for h, stmt in zip(holders, statements):
                            (definitions, rows), = h.run(stmt)
                            self.assertEqual(definitions, want)
                            self.assertEqual(len(rows), 2)
                self.assertTrue(all(h.left_out >= 15 for h in holders), [h.left_out for h in holders])

    def steps(self, where, without):
        """Everything that changes what is left out: cursors, tables and character sets that change, procedures, RETURNING, bulk execution."""
        self.table()
        h = self.holder(where, without)
        got = []
        get, call = h.prepare("SELECT id, v FROM w ORDER BY id"), h.prepare("CALL two()")
        explain, gone = h.prepare("EXPLAIN SELECT * FROM w"), h.prepare("DELETE FROM w WHERE id = 9 RETURNING id, v")
        for change in ("MODIFY v VARCHAR(30)", "ADD x INT FIRST", "DROP x, MODIFY v TEXT", "MODIFY v VARCHAR(10)"):
            for _ in range(2):
                got += h.run(get) + h.run(call) + h.run(explain) + h.run(gone)
            got += h.run(get, flags=CURSOR) + h.run(get)
            h.query("SET NAMES latin1")
            got += h.run(get) + h.run(call)
            h.query("SET NAMES utf8mb4")
            self.alter(change)
        put = h.prepare("REPLACE INTO w (id) VALUES (?) RETURNING id, v")
        for _ in range(2):
            h.send(COM_BULK, struct.pack("<IHH", put, 0x80, 8) + b"".join(b"\0" + struct.pack("<q", n) for n in (7, 8)))
            got += h.seen(put)
        self.cluster.primary.query("DROP TABLE shop.w")
        got += h.run(get)
        return got, h.left_out

    def test_as_from_one_server(self):
        self.cluster.primary.query("CREATE OR REPLACE PROCEDURE shop.two() BEGIN SELECT v FROM w WHERE id = 1; SELECT id FROM w WHERE id = 2; END")
        for without in (0, DEPRECATE_EOF):
            with self.subTest(without=without):
                want, left_out = self.steps(self.cluster.primary, without)
                got, _ = self.steps(self.tillway, without)
                self.assertEqual(got, want)
                self.assertGreater(left_out, 10)  # the test sees what it is about


if __name__ == "__main__":
    main()
