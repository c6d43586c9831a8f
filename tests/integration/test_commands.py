"""Every command byte, the greeting's capabilities, bulk execution, progress reports and binlog dumps: as on the primary."""

import ctypes
import re
import socket
import struct
import subprocess

import pymysql

from proxied import Proxied, main  # isort: skip (puts the harness on the path)

from harness import paths
from harness.binary import Bind, Binary, _lib
from harness.rawclient import BULK as BULK_EXECUTE, CACHE_METADATA, COM_BULK, DEFAULT, EXTENDED as EXTENDED_METADATA, RawClient

QUIT, SHUTDOWN, CHANGE_USER, BULK = 0x01, 0x08, 0x11, 0xfa
ARRAY_SIZE = 201  # of enum enum_stmt_attr_type
SILENT = (0x18, 0x19)  # long data and close: never answered
PROGRESS, MULTI, BULK_BIT, EXTENDED = 1, 2, 4, 8


class Commands(Proxied):
    config = {"monitor": {"interval": "50ms"}}

    def raw(self, port, **kw):
        c = pymysql.connect(host="127.0.0.1", port=port, user="till", password="till", database="shop", autocommit=True, **kw)
        self.addCleanup(c._force_close)
        c._sock.settimeout(20)
        return c

    def reply(self, c, payload):
        """The first packet of the reply, without what must differ."""
        c._sock.sendall(struct.pack("<I", len(payload)) + payload)
        try:
            head = self.exactly(c._sock, 4)
            body = self.exactly(c._sock, head[0] | head[1] << 8 | head[2] << 16)
        except EOFError:
            return "closed"
        if body[0] == 0xff:
            return struct.unpack("<H", body[1:3])[0], re.sub(rb"\d{3,}|'till'@'\S+'", b"N", body[3:])
        return body[0] if body[0] in (0, 0xfe) else "data"

    def exactly(self, s, n):
        got = b""
        while len(got) < n:
            part = s.recv(n - len(got))
            if not part:
                raise EOFError
            got += part
        return got

    def test_every_byte(self):
        """Alone, and with eight bytes behind it; each on a connection of its own."""
        for byte in range(256):
            if byte in (QUIT, CHANGE_USER) + SILENT:
                continue
            for rest in (b"", b"\x63\0\0\0\0\0\0\0"):
                with self.subTest(byte=hex(byte), rest=rest):
                    direct, proxied = self.raw(self.cluster.primary.port), self.raw(self.tillway.port)
                    self.assertEqual(self.reply(proxied, bytes([byte]) + rest), self.reply(direct, bytes([byte]) + rest))
                    direct._force_close()
                    proxied._force_close()

    def test_silent_bytes_and_an_empty_packet(self):
        for payload in (b"\x18", b"\x19", b"\x18\x63\0\0\0\0\0", b"\x19\x63\0\0\0"):
            direct, proxied = self.raw(self.cluster.primary.port), self.raw(self.tillway.port)
            for c in (direct, proxied):
                c._sock.sendall(struct.pack("<I", len(payload)) + payload)
                self.assertEqual(self.reply(c, b"\x0e"), 0)  # the ping behind it is answered, and nothing else

    def greeting(self, port):
        with socket.create_connection(("127.0.0.1", port)) as s:
            head = self.exactly(s, 4)
            body = self.exactly(s, head[0] | head[1] << 8)
        at = body.index(b"\0") + 1 + 4 + 8 + 1
        low, collation, status, high = struct.unpack("<HBHH", body[at:at + 7])
        return body[:body.index(b"\0")], low | high << 16, struct.unpack("<I", body[at + 14:at + 18])[0], collation, status

    def test_the_greeting_is_the_servers(self):
        self.settle()
        direct, proxied = self.greeting(self.cluster.primary.port), self.greeting(self.tillway.port)
        self.assertEqual(proxied[0], direct[0])
        self.assertEqual(proxied[1] & 1, 0)  # "I am MariaDB": the extended capabilities follow
        self.assertEqual(proxied[2], direct[2] & (PROGRESS | BULK_BIT | EXTENDED | 16 | 32))
        self.assertEqual(proxied[3:], direct[3:])

    def test_bulk_execute(self):
        """libmariadb's array binding sends COM_STMT_BULK_EXECUTE where the greeting offers it."""
        b = Binary(self.tillway.port, database="shop")
        self.addCleanup(b.close)
        put = b.prepare("REPLACE INTO t VALUES (?, 'bulk')")
        n = 1000
        size = ctypes.c_uint(n)
        values = (ctypes.c_longlong * n)(*range(5000, 5000 + n))
        bind = (Bind * 1)()
        bind[0].buffer = ctypes.cast(values, ctypes.c_void_p)
        bind[0].buffer_type = 8
        before = self.cluster.primary.query("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")[0][1]
        self.assertEqual(_lib.mysql_stmt_attr_set(put._handle, ARRAY_SIZE, ctypes.byref(size)), 0)
        self.assertEqual(_lib.mysql_stmt_bind_param(put._handle, bind), 0)
        self.assertEqual(_lib.mysql_stmt_execute(put._handle), 0, _lib.mysql_stmt_error(put._handle))
        after = self.cluster.primary.query("SHOW GLOBAL STATUS LIKE 'Com_stmt_execute'")[0][1]
        self.assertEqual(int(after) - int(before), 1)
        self.assertEqual(self.cluster.primary.value("SELECT COUNT(*) FROM shop.t WHERE v='bulk'"), n)
        self.run_sql(self.connect(), "DELETE FROM t WHERE v='bulk'")

    def test_extended_metadata_and_bulk_results_byte_by_byte(self):
        """What MariaDB's own capabilities add to replies, text and binary, and what they leave out."""
        self.cluster.primary.query("CREATE TABLE shop.kinds (id INT PRIMARY KEY, p POINT, j JSON, i INET6, u UUID, g GEOMETRY)")
        self.cluster.primary.query("INSERT INTO shop.kinds VALUES (1, POINT(1,2), '[1]', '::1', UUID(), NULL), (2, NULL, NULL, NULL, NULL,"
                                   " ST_GeomFromText('POINT(3 4)'))")
        self.settle()
        for extra in (EXTENDED_METADATA, EXTENDED_METADATA | CACHE_METADATA, 0):
            with self.subTest(extra=extra):
                want = self.extended_replies(self.cluster.primary, extra)
                self.settle()  # another client's writes may be read a little later
                got = self.extended_replies(self.tillway, extra)
                self.assertEqual(got, want)
                self.assertEqual(b"\0\x05inet6" in b"".join(want), extra != 0)  # the test sees what it is about

    def extended_replies(self, where, extra):
        with RawClient(where, "till", "till", caps=DEFAULT | BULK_EXECUTE | extra, schema="shop") as c:
            self.assertEqual(c.caps & EXTENDED_METADATA, extra & EXTENDED_METADATA)
            self.assertEqual(c.caps & CACHE_METADATA, extra & CACHE_METADATA)
            replies = c.query("SELECT * FROM kinds ORDER BY id") + c.query("SELECT p AS q, j FROM kinds WHERE id = 3")
            stmt, packets = c.prepare("SELECT * FROM kinds WHERE id = ?")
            replies += packets
            for value in (1, 2, 1):
                replies += c.execute(stmt, b"\0\x01\x08\0" + struct.pack("<q", value))
            for sql in ("REPLACE INTO kinds (id) VALUES (?)", "REPLACE INTO kinds (id, j) VALUES (?, '2') RETURNING id, j, i"):
                stmt, packets = c.prepare(sql)
                replies += packets
                c.send(COM_BULK, struct.pack("<IHH", stmt, 0x80, 8) + b"".join(b"\0" + struct.pack("<q", n) for n in (7, 8, 9)))
                replies += c.results()
            return replies + c.query("DELETE FROM kinds WHERE id > 6")

    def test_binlog_dump(self):
        """A replication client through the proxy reads what it would read from the primary."""
        tool = paths.program("mariadb-binlog")
        self.run_sql(self.connect(), "REPLACE INTO t VALUES (90, 'dumped')")
        name = self.cluster.primary.query("SHOW MASTER STATUS")[0][0]
        out = []
        for port in (self.cluster.primary.port, self.tillway.port):
            done = subprocess.run([tool, "--no-defaults", "--read-from-remote-server", "--host=127.0.0.1", "--port=%d" % port,
                                   "--user=repl", "--password=repl", "--protocol=tcp", name], capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            out.append(done.stdout)
        self.assertIn(b"COMMIT", out[0])
        self.assertEqual(out[1], out[0])


if __name__ == "__main__":
    main()
