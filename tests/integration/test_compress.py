"""The compressed protocol: the mariadb program (zlib) through the real binary, in the clear and by TLS; zstd; and bad frames."""

import contextlib
import hashlib
import os
import subprocess
import zlib

from proxied import Proxied, main

from harness import paths, raw, scratch, zstd
from harness.certs import Authority
from harness.cluster import Cluster, TILL_PASSWORD, TILL_USER
from harness.tillway import Tillway


WAYS = ("--skip-ssl", "--ssl")


class Compress(Proxied):
    replicas = 0

    @classmethod
    def setUpClass(cls):
        cls._stack = contextlib.ExitStack()
        pem = Authority(scratch.current().folder("certs")).issue("tillway")
        cls.cluster = cls._stack.enter_context(Cluster(replicas=0, options=["--max-allowed-packet=128M"]))
        cls.tillway = Tillway(cls.cluster)
        cls.tillway.write_config({"listeners": [
            {"address": "127.0.0.1:%d" % cls.tillway.port, "tls": {"certificate": pem}}]})
        cls._stack.enter_context(cls.tillway)
        primary = cls.cluster.primary
        primary.query("CREATE DATABASE shop")
        primary.query("CREATE TABLE shop.t (id INT PRIMARY KEY, v LONGTEXT)")
        primary.query("INSERT INTO shop.t VALUES (1,'one')")

    def cli(self, sql, options="--skip-ssl"):
        done = subprocess.run(
            [paths.program("mariadb"), "--no-defaults", "-h", "127.0.0.1", "-P", str(self.tillway.port), "-u", TILL_USER,
             "-p" + TILL_PASSWORD, "-N", "--raw", "--local-infile=1", "--max-allowed-packet=134217728", "--compress",
             options, "shop"], input=sql, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=200)
        self.assertEqual(done.returncode, 0, done.stderr[-300:])
        return done.stdout

    def test_it_is_compressed(self):
        for options in WAYS:
            out = self.cli("\\s\nSELECT v FROM t WHERE id=1;\n", options)
            self.assertIn("Protocol:\t\tCompressed", out)
            self.assertIn("one", out)
            self.assertEqual("Cipher in use" in out, options == "--ssl")

    def test_many_statements_in_turn(self):
        for options in WAYS:
            sql = "".join("SELECT %d, REPEAT('z', %d);\n" % (i, i * 37 % 5000) for i in range(300))
            want = "".join("%d\t%s\n" % (i, "z" * (i * 37 % 5000)) for i in range(300))
            self.assertEqual(self.cli(sql, options), want)

    def test_big_packets_both_ways(self):
        text = os.urandom(5 << 20).hex() + "q" * (8 << 20)
        for options in WAYS:
            self.cli("REPLACE INTO t VALUES (50, '%s');" % text, options)
            self.assertEqual(self.cluster.primary.query("SELECT MD5(v) FROM shop.t WHERE id=50"),
                             [(hashlib.md5(text.encode()).hexdigest(),)])
            self.assertTrue(self.cli("SELECT v FROM t WHERE id=50;", options) == text + "\n")
        self.cluster.primary.query("DELETE FROM shop.t WHERE id=50")

    def test_load_data_local(self):
        path = os.path.join(self.tillway.folder, "rows.csv")
        with open(path, "w") as f:
            f.writelines("%d,%s\n" % (i, "x" * (i % 300)) for i in range(1000, 61000))
        for options in WAYS:
            self.cli("LOAD DATA LOCAL INFILE '%s' INTO TABLE t FIELDS TERMINATED BY ',';" % path, options)
            self.assertEqual(self.cluster.primary.query("SELECT COUNT(*), SUM(LENGTH(v)) FROM shop.t WHERE id>=1000"),
                             [(60000, sum(i % 300 for i in range(1000, 61000)))])
            self.cluster.primary.query("DELETE FROM shop.t WHERE id>=1000")

    def raw(self):
        return self.logged_in(raw.COMPRESS).sock

    def logged_in(self, caps, **kw):
        """By hand; a raw.Raw."""
        c = raw.Raw(self.tillway.port)
        self.addCleanup(c.close)
        return c.greet().login(caps=caps, **kw)

    @staticmethod
    def exactly(s, n):
        data = b""
        while len(data) < n:
            more = s.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def frame(self, s, unpack=lambda body, size: zlib.decompress(body)):
        head = self.exactly(s, 7)
        body = self.exactly(s, int.from_bytes(head[:3], "little"))
        plain = int.from_bytes(head[4:], "little")
        return head[3], unpack(body, plain) if plain else body

    PING = b"\x05\0\0\0\0\0\0\x01\0\0\0\x0e"

    def test_pipelined_commands_are_answered_with_their_own_numbers(self):
        s = self.raw()
        s.sendall(self.PING * 30)
        for _ in range(30):
            seq, plain = self.frame(s)
            self.assertEqual((seq, plain[4]), (1, 0))

    def test_zstd(self):
        """As MySQL's clients speak it; the reply's packets are those that a client without compression gets."""
        sql = "SELECT seq, REPEAT(CHAR(97 + seq % 26), 500) FROM mysql.seq_1_to_2000"
        query = raw.packet(bytes([raw.COM_QUERY]) + sql.encode())
        plain = self.logged_in(0)
        plain.sock.sendall(query)
        packets = [plain.packet()]
        while packets[-1][1][:1] != b"\xfe":
            packets.append(plain.packet())
        want = b"".join(raw.packet(payload, seq) for seq, payload in packets)
        for level, tls in ((1, None), (3, raw.trusting()), (22, None)):
            s = self.logged_in(raw.ZSTD, level=level, tls=tls).sock
            for _ in range(2):
                body = zstd.compress(query)
                s.sendall(len(body).to_bytes(3, "little") + b"\0" + len(query).to_bytes(3, "little") + body)
                got = b""
                while len(got) < len(want):
                    got += self.frame(s, zstd.decompress)[1]
                self.assertEqual(got, want)
            s.sendall(b"\x05\0\0\0\x10\0\0hello")
            with self.assertRaises((EOFError, OSError)):
                self.frame(s, zstd.decompress)
        self.tillway.wait_log(r"session\.protocol .*why=.*does not inflate")

    def test_bad_frames_end_the_session_with_one_line(self):
        bomb = zlib.compress(b"\0" * 5000)
        for what, why in (
                (b"\x05\0\0\x07\0\0\0\x01\0\0\0\x0e", "out of order"),
                (b"\x05\0\0\0\x10\0\0hello", "does not inflate"),
                (len(bomb).to_bytes(3, "little") + b"\0\x64\0\0" + bomb, "more than it says|sizes are wrong"),
                (b"\0\0\0\0\0\0\0", "empty compressed packet")):
            s = self.raw()
            s.sendall(self.PING)
            self.frame(s)
            s.sendall(what)
            with self.assertRaises((EOFError, OSError)):
                self.frame(s)
            self.tillway.wait_log(r"session\.protocol .*why=.*(%s)" % why)
        self.assertEqual(self.cli("SELECT 1;"), "1\n")


if __name__ == "__main__":
    main()
