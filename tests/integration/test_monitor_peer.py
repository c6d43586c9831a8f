"""The monitor against a scripted server that stalls, cuts and lies at chosen moments.

Usage: test_monitor_peer.py PATH-OF-monitor_tool [unittest arguments]
"""

import os
import socket
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import test_monitor  # noqa: E402
from harness.ports import free_port  # noqa: E402

GREETING = (b"\x0a" + b"10.11.6-MariaDB\0" + struct.pack("<I", 7) + b"12345678\0" +
            struct.pack("<HBHH", 0xf7fe & ~0x0800, 45, 2, 0x81bf & ~0x0020) + b"\x15" + b"\0" * 6 +
            struct.pack("<I", 0) + b"123456789012\0" + b"mysql_native_password\0")
OK = b"\x00\x00\x00\x02\x00\x00\x00"
EOF = b"\xfe\x00\x00\x02\x00"


def text(value):
    if value is None:
        return b"\xfb"
    data = value.encode()
    return (bytes([len(data)]) if len(data) < 251 else b"\xfc" + struct.pack("<H", len(data))) + data


def column(name):
    return (text("def") + text("") + text("") + text("") + text(name) + text(name) +
            b"\x0c" + struct.pack("<HIBHB", 45, 1024, 253, 0, 0) + b"\0\0")


def result(columns, rows):
    packets = [bytes([len(columns)])] + [column(c) for c in columns] + [EOF]
    return packets + [b"".join(text(v) for v in row) for row in rows] + [EOF]


class Peer:
    """One server. `script` maps the start of a statement to packets, to a function (connection) -> packets
    or None (then it has dealt with it itself); `greet` may replace the greeting in the same way."""

    def __init__(self):
        self.host, self.port, self.name = "127.0.0.1", free_port(), "peer"
        self.asked = []
        self.greet = None
        self.script = {
            "SELECT @@global.read_only": result(["a", "b", "c", "d"], [["0", "9", "0-9-5", ""]]),
            "SHOW ALL SLAVES": result(["Connection_name"], []),
            "SHOW GLOBAL VARIABLES": result(["Variable_name", "Value"], []),
            "SELECT @@version": result(["v", "c"], [["10.11.6-MariaDB", "utf8mb4_general_ci"]]),
        }
        self._listener = socket.create_server((self.host, self.port))
        self._stopping = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._stopping = True
        self._listener.close()

    def _accept(self):
        while not self._stopping:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def send(connection, sequence, packets):
        data = b""
        for packet in packets:
            data += struct.pack("<I", len(packet))[:3] + bytes([sequence % 256]) + packet
            sequence += 1
        connection.sendall(data)

    @staticmethod
    def _exactly(connection, n):
        data = b""
        while len(data) < n:
            got = connection.recv(n - len(data))
            if not got:
                raise EOFError
            data += got
        return data

    def _receive(self, connection):
        head = self._exactly(connection, 4)
        return self._exactly(connection, struct.unpack("<I", head[:3] + b"\0")[0])

    def _serve(self, connection):
        try:
            with connection:
                if self.greet and not self.greet(connection):
                    return
                self.send(connection, 0, [GREETING])
                self._receive(connection)
                self.send(connection, 2, [OK])
                while True:
                    self._answer(connection, self._receive(connection))
        except (OSError, EOFError):
            pass

    def _answer(self, connection, command):
        if command[:1] != b"\x03":
            raise EOFError
        statement = command[1:].decode()
        self.asked.append(statement)
        for start, packets in self.script.items():
            if statement.startswith(start):
                if callable(packets):
                    packets = packets(connection)
                if packets:
                    self.send(connection, 1, packets)
                return
        self.send(connection, 1, [b"\xff" + struct.pack("<H", 1064) + b"#42000no such thing here"])


def stall(_connection):
    time.sleep(600)


def cut(connection):
    connection.shutdown(socket.SHUT_RDWR)
    raise EOFError


class PeerTest(unittest.TestCase):
    def setUp(self):
        self.peer = Peer()
        self.addCleanup(self.peer.close)

    def monitor(self, **options):
        return test_monitor.Monitor([self.peer], **options)

    def test_well(self):
        with self.monitor() as m:
            top = m.until_all_up()
            self.assertEqual(top["servers"]["peer"]["position"], "0-9-5")
            self.assertEqual(top["servers"]["peer"]["server_id"], 9)

    def test_timeout_is_exact_for_questions(self):
        with self.monitor(timeout="200ms", failures=1) as m:
            m.until_all_up()
            begun = time.monotonic()
            self.peer.script["SELECT @@global.read_only"] = stall
            server = m.until_health(self.peer, "timeout")
            self.assertTrue(0.15 < time.monotonic() - begun < 0.9, time.monotonic() - begun)
            self.assertEqual(server["why"], "no answer in time")
            self.assertIsNone(m.topologies[-1]["primary"])

    def test_no_greeting(self):
        self.peer.greet = stall
        with self.monitor() as m:
            server = m.until_health(self.peer, "timeout")
            self.assertEqual(server["why"], "no greeting in time")

    def test_one_lost_answer_is_no_event(self):
        with self.monitor(failures=2) as m:
            m.until_all_up()
            good = self.peer.script["SELECT @@global.read_only"]
            for way in (stall, cut):
                def once(connection, way=way):
                    self.peer.script["SELECT @@global.read_only"] = good
                    return way(connection)

                self.peer.script["SELECT @@global.read_only"] = once
                time.sleep(1)
                self.assertIs(self.peer.script["SELECT @@global.read_only"], good)
            self.assertNotIn("server.down", m.log_text())

    def test_always_cut(self):
        with self.monitor() as m:
            m.until_all_up()
            self.peer.script["SELECT @@global.read_only"] = cut
            m.until_health(self.peer, "down")

    def test_replication_question_that_hangs(self):
        """The server has answered for its position: it is up, and positions go on."""
        with self.monitor(timeout="200ms") as m:
            m.until_all_up()
            self.peer.script["SHOW ALL SLAVES"] = stall
            m.wait_log("server.replication_unknown")
            self.peer.script["SELECT @@global.read_only"] = result(
                ["a", "b", "c", "d"], [["0", "9", "0-9-6", ""]])
            m.until("a newer position", lambda t: t["servers"]["peer"]["position"] == "0-9-6", 3)
            self.assertTrue(all(t["servers"]["peer"]["health"] in ("unknown", "up") for t in m.topologies))

    def test_answers_that_are_not_mariadbs(self):
        for columns, rows in ((["a"], [["0"]]), (["a", "b", "c", "d"], []),
                              (["a", "b", "c", "d"], [["0", "9", "nonsense", ""]]),
                              (["a", "b", "c", "d"], [[None, None, None, None]])):
            self.peer.script["SELECT @@global.read_only"] = result(columns, rows)
            with self.monitor() as m:
                m.until_health(self.peer, "refused")
                self.assertIsNone(m.topologies[-1]["primary"])

    def test_garbage(self):
        for data in (b"\x05\x00\x00\x01hello", b"\xff\xff\xff\x01" + b"x" * 100, b"\x01\x00\x00\x01\xfb",
                     b"\x01\x00\x00\x01\x04\x02\x00\x00\x02\x03d"):
            def lie(connection, data=data):
                connection.sendall(data)
                return cut(connection)

            self.peer.script["SELECT @@global.read_only"] = lie
            with self.monitor() as m:
                m.until("not up", lambda t: t["servers"]["peer"]["health"] not in ("unknown", "up"))

    def test_shutdown_in_progress(self):
        error = b"\xff" + struct.pack("<H", 1053) + b"#08S01Server shutdown in progress"
        with self.monitor(failures=100) as m:
            m.until_all_up()
            self.peer.script["SELECT @@global.read_only"] = [error]
            m.until_health(self.peer, "down")  # it says so itself: no counting

    def test_too_many_connections(self):
        error = b"\xff" + struct.pack("<H", 1040) + b"#08004Too many connections"

        def greet(connection):
            self.peer.send(connection, 0, [error])
            return False

        self.peer.greet = greet
        with self.monitor() as m:
            server = m.until_health(self.peer, "refused")
            self.assertIn("Too many connections", server["why"])

    def test_pauses_grow(self):
        def greet(connection):
            greeted.append(time.monotonic())
            self.peer.send(connection, 0, [b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"])
            return False

        greeted = []
        self.peer.greet = greet
        with self.monitor(interval="5ms"):
            time.sleep(3)
        self.assertTrue(4 <= len(greeted) <= 15, len(greeted))

    def test_suspicion_is_not_a_flood(self):
        with self.monitor(interval="1s") as m:
            m.until_all_up()
            before = len(self.peer.asked)
            end = time.monotonic() + 1
            while time.monotonic() < end:
                m.say("suspect peer")
            self.assertTrue(10 < len(self.peer.asked) - before < 120, len(self.peer.asked) - before)


if __name__ == "__main__":
    test_monitor.TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
