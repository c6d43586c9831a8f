"""The wire: big packets both ways, LOAD DATA LOCAL, pipelined commands, several results, unix socket, KILL, accounts."""

import contextlib
import os
import socket
import struct
import tempfile
import threading
import time

import pymysql

from proxied import Proxied, main

MIB = 1 << 20


class Wire(Proxied):
    def test_64_mib_both_ways(self):
        big = "0123456789abcdef" * (4 * MIB)
        c = self.connect(max_allowed_packet=128 * MIB)
        self.run_sql(c, "INSERT INTO t VALUES (60, %s)", (big,))
        self.assertEqual(self.run_sql(c, "SELECT LENGTH(v), MD5(v) = MD5(%s) FROM t WHERE id=60", ("x",))[0][0], 64 * MIB)
        self.settle()
        self.assertTrue(self.run_sql(c, "SELECT v FROM t WHERE id=60")[0][0] == big)
        self.run_sql(c, "DELETE FROM t WHERE id=60")

    def test_lengths_around_the_packet_limit(self):
        c = self.connect(max_allowed_packet=64 * MIB)
        for n in (0xFFFFFF - 30, 0xFFFFFF - 1, 0xFFFFFF, 0xFFFFFF + 1, 2 * 0xFFFFFF):
            with self.subTest(n=n):
                self.assertEqual(self.run_sql(c, "SELECT LENGTH('%s')" % ("a" * n)), [(n,)])
                self.assertEqual(len(self.run_sql(c, "SELECT REPEAT('b', %d)" % n)[0][0]), n)

    def test_load_data_local(self):
        self.run_sql(self.connect(), "CREATE OR REPLACE TABLE loaded (id INT PRIMARY KEY, v VARCHAR(40))")
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as f:
            for i in range(200000):
                f.write("%d,row number %d\n" % (i, i))
            f.flush()
            c = self.connect(local_infile=True)
            self.run_sql(c, "LOAD DATA LOCAL INFILE '%s' INTO TABLE loaded FIELDS TERMINATED BY ','" % f.name)
            self.assertEqual(self.run_sql(c, "SELECT COUNT(*), MAX(id), MAX(v) FROM loaded"),
                             [(200000, 199999, "row number 99999")])
            with self.assertRaises(pymysql.err.MySQLError):
                self.run_sql(c, "LOAD DATA LOCAL INFILE '%s' INTO TABLE nosuch" % f.name)
            self.assertEqual(self.run_sql(c, "SELECT 1"), [(1,)])
        self.assertRaises(Exception, self.run_sql, c, "LOAD DATA LOCAL INFILE '/nonexistent' INTO TABLE loaded")

    def test_pipelined_commands_are_answered_in_order(self):
        c = self.connect()
        s = c._sock
        queries = ["SELECT %d" % i for i in range(50)] + ["SET @a=1", "SELECT @a", "nonsense", "SELECT 'end'"]
        s.sendall(b"".join(struct.pack("<I", len(q) + 1)[:3] + b"\0\x03" + q.encode() for q in queries))
        replies = []
        for _ in queries:
            try:
                result = pymysql.connections.MySQLResult(c)
                c._next_seq_id = 1
                result.read()
                replies.append(result.rows[0][0] if result.rows else None)
            except pymysql.err.MySQLError as e:
                replies.append(e.args[0])
        self.assertEqual(replies, list(range(50)) + [None, 1, 1064, "end"])

    def test_several_statements_and_results(self):
        c = self.connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS)
        with c.cursor() as cursor:
            cursor.execute("SELECT 1; SELECT 2; DO 3; SELECT 4")
            seen = [cursor.fetchall()]
            while cursor.nextset():
                seen.append(cursor.fetchall())
        self.assertEqual(seen, [((1,),), ((2,),), (), ((4,),)])
        plain = self.connect(client_flag=0)
        self.assertFalse(plain.client_flag & pymysql.constants.CLIENT.MULTI_STATEMENTS)
        with self.assertRaises(pymysql.err.ProgrammingError):
            self.run_sql(plain, "SELECT 1; SELECT 2")

    def test_unix_socket(self):
        c = pymysql.connect(unix_socket=self.tillway.socket, user="till", password="till", database="shop")
        with c.cursor() as cursor:
            cursor.execute("SELECT v FROM t WHERE id=1")
            self.assertEqual(cursor.fetchall(), (("one",),))
        c.close()

    def test_kill(self):
        victim, killer = self.connect(), self.connect()
        raised = []

        def sleep():
            try:
                self.run_sql(victim, "SELECT SLEEP(20)")
            except pymysql.err.MySQLError as e:
                raised.append(e.args[0])

        thread = threading.Thread(target=sleep)
        thread.start()
        time.sleep(0.5)
        self.run_sql(killer, "KILL QUERY %d" % victim.thread_id())
        thread.join(10)
        self.assertEqual(raised, [1317])
        self.assertEqual(self.run_sql(victim, "SELECT 1"), [(1,)])
        killer.kill(victim.thread_id())
        with self.assertRaises(pymysql.err.MySQLError):
            self.run_sql(victim, "SELECT 1")
        with self.assertRaises(pymysql.err.MySQLError) as caught:
            self.run_sql(killer, "KILL 4000000001")
        self.assertEqual(caught.exception.args[0], 1094)

    def test_accounts(self):
        for user, password, code in (("till", "wrong", 1045), ("nobody", "", 1045), ("till", "", 1045)):
            with self.subTest(user=user):
                with self.assertRaises(pymysql.err.OperationalError) as caught:
                    self.tillway.connect(user=user, password=password)
                self.assertEqual(caught.exception.args[0], code)
        with self.assertRaises(pymysql.err.OperationalError) as caught:
            self.tillway.connect(database="nosuch")
        self.assertEqual(caught.exception.args[0], 1049)
        self.cluster.primary.query("CREATE USER late@'%' IDENTIFIED BY 'x'")
        self.cluster.wait_in_sync()
        self.tillway.connect(user="late", password="x").close()  # known at once: a failed check asks again
        self.cluster.primary.query("SET PASSWORD FOR late@'%' = PASSWORD('y')")
        self.cluster.wait_in_sync()
        self.tillway.connect(user="late", password="y").close()
        with self.assertRaises(pymysql.err.OperationalError) as caught:
            self.tillway.connect(user="late", password="y", database="shop")
        self.assertEqual(caught.exception.args[0], 1044)
        self.cluster.primary.query("DROP USER late@'%'")

    def test_garbage_disturbs_nobody(self):
        good = self.connect()
        for data in (b"GET / HTTP/1.0\r\n\r\n", b"\xff" * 100, b"\0\0\0\1", b"\xff\xff\xff\1" + b"a" * 70000, os.urandom(4096)):
            s = socket.create_connection(("127.0.0.1", self.tillway.port))
            s.recv(200)
            with contextlib.suppress(OSError):  # it may hang up before it has read all
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
            s.close()
            self.assertEqual(self.run_sql(good, "SELECT 1"), [(1,)])

    def test_a_slow_reader_does_not_grow_the_proxy(self):
        c = self.connect(max_allowed_packet=256 * MIB)
        self.run_sql(c, "SELECT REPEAT('x', 1000000)")
        before = self.rss()
        s = c._sock
        q = b"SELECT REPEAT('x', 1000000) FROM seq_1_to_200"
        s.sendall(struct.pack("<I", len(q) + 1)[:3] + b"\0\x03" + q)
        time.sleep(1)
        self.assertLess(self.rss() - before, 16 * MIB)
        left = 200 * 1000000
        while left > 0:
            left -= len(s.recv(1 << 16))
        c._force_close()

    def rss(self):
        with open("/proc/%d/statm" % self.tillway.pid) as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
