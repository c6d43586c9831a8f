"""A crowd: many sessions at once, that vanish in every way, while a few others work. Nothing may be left of them.

    test_crowd.py [SESSIONS] [ROUNDS]"""

import contextlib
import os
import random
import sys
import threading
import time

from proxied import Proxied, main

from harness import raw, scratch
from harness.cluster import Cluster
from harness.leaving import BIG, ENDS
from harness.tillway import Tillway

SESSIONS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 240
ROUNDS = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 2
GROWTH_MIB = 8  # of a round after the first


class Worker(threading.Thread):
    """Works as ever, and minds every answer."""

    def __init__(self, port, number):
        super().__init__()
        self.port, self.number, self.turns, self.fault, self.stop = port, number, 0, None, threading.Event()

    def run(self):
        try:
            c = raw.connected(self.port, database="shop")
            while not self.stop.is_set():
                self._turn(c)
                self.turns += 1
                time.sleep(0.01)
            c.close()
        except Exception as e:  # noqa: B902: whatever it is, the test tells
            self.fault = repr(e)

    def _turn(self, c):
        c.send(raw.COM_QUERY, b"UPDATE t SET v = v + 1 WHERE id = %d" % self.number)
        _, reply = c.packet()
        if reply[:2] != b"\0\1":
            raise ValueError("UPDATE answers %r" % reply)
        got = c.value("SELECT v FROM t WHERE id = %d" % self.number)
        if got != str(self.turns + 1):
            raise ValueError("%s instead of %d" % (got, self.turns + 1))


class Crowd(Proxied):
    replicas = 1

    @classmethod
    def setUpClass(cls):
        cls._stack = contextlib.ExitStack()
        cls.cluster = cls._stack.enter_context(Cluster(replicas=1, options=[
            "--max-connections=12000", "--back-log=3000", "--thread-handling=pool-of-threads"]))
        cls.tillway = cls._stack.enter_context(Tillway(cls.cluster, config={"limits": {
            "max_sessions": 20000, "login_timeout": "60s", "connect_timeout": "60s"}, "pool": {"idle": "1s"}}))
        cls.cluster.primary.query("CREATE DATABASE shop")
        cls.cluster.primary.query("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)")
        cls.cluster.primary.query("INSERT INTO shop.t VALUES (1,0),(2,0),(3,0)")
        cls.cluster.wait_in_sync()
        cls.random = random.Random(7)

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.tillway.pid))

    def rss_mib(self):
        with open("/proc/%d/statm" % self.tillway.pid, encoding="ascii") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def server_sessions(self):
        return sum(s.value("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE User='till'")
                   for s in self.cluster.servers)

    def crowd(self):
        """Logged in, all at once; a few threads of them knock at a time."""
        sessions, faults, lock = [], [], threading.Lock()

        def come(n):
            try:
                for _ in range(n):
                    c = raw.connected(self.tillway.port)
                    with lock:
                        sessions.append(c)
            except Exception as e:  # noqa: B902
                faults.append(repr(e))

        threads = [threading.Thread(target=come, args=(SESSIONS // 8,)) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(faults, [])
        return sessions

    def leave(self, sessions):
        self.random.shuffle(sessions)
        for i, c in enumerate(sessions):
            ENDS[i % len(ENDS)](c)

    def test_nothing_is_left_of_a_crowd(self):
        workers = [Worker(self.tillway.port, n) for n in (1, 2, 3)]
        for w in workers:
            w.start()
        scratch.wait_until("work", lambda: all(w.turns for w in workers), 30)
        base = self.descriptors()
        after = []
        for _ in range(ROUNDS):
            sessions = self.crowd()
            self.assertEqual(len({c.value("SELECT 41 + 1") for c in sessions}), 1)
            turns = [w.turns for w in workers]
            self.leave(sessions)
            scratch.wait_until("the crowd's end", lambda: self.stats()["sessions"] == len(workers), 120)
            scratch.wait_until("the pool's rest", lambda: self.descriptors() <= base + 4, 60)
            scratch.wait_until("the servers' rest", lambda: self.server_sessions() <= 2 * len(workers) + 4, 60)
            scratch.wait_until("work in spite of it", lambda at=turns: any(w.fault for w in workers) or all(
                w.turns > t for w, t in zip(workers, at)), 60)
            after.append(self.rss_mib())
        for w in workers:
            w.stop.set()
        for w in workers:
            w.join()
        self.assertEqual([w.fault for w in workers], [None] * len(workers))
        if not any(name in self.tillway.binary for name in ("/asan/", "/tsan/")):  # those keep what was freed for a while
            self.assertLess(after[-1] - after[0], GROWTH_MIB, "MiB after each round: %s" % after)
        print("%d sessions a round; MiB after each: %s" % (SESSIONS, ", ".join("%.1f" % m for m in after)))

    def test_slow_readers_get_all_of_it(self):
        """While others read at full speed."""
        slow = [raw.connected(self.tillway.port) for _ in range(5)]
        for c in slow:
            c.send(raw.COM_QUERY, b"SELECT REPEAT('y', %d)" % BIG)
        left = {c: BIG for c in slow}
        for c in slow:
            for _ in range(3):  # count, definition, the row's head
                head = c._exactly(4)
                if int.from_bytes(head[:3], "little") > BIG:
                    c._exactly(4)  # the length of the text
                    break
                c._exactly(int.from_bytes(head[:3], "little"))
        while any(left.values()):
            for c in slow:
                got = c.sock.recv(min(left[c], 65536)) if left[c] else b""
                left[c] -= len(got)
                self.assertEqual(got, b"y" * len(got))
            self.assertEqual(self.tillway.value("SELECT 5"), 5)
        for c in slow:
            c.packet()
            self.assertEqual(c.value("SELECT 6"), "6")
            c.close()


if __name__ == "__main__":
    main()
