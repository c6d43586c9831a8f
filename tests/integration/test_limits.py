"""Limits of listeners, a system without descriptors, a log without room, reloads under load."""

import contextlib
import os
import resource
import signal
import threading
import time

from proxied import Proxied, main

from harness import raw, scratch
from harness.cluster import Cluster
from harness.ports import free_port
from harness.tillway import Tillway

SPARE = 6  # descriptors that are left to clients


class Limits(Proxied):
    replicas = 0

    @classmethod
    def setUpClass(cls):
        cls._stack = contextlib.ExitStack()
        cls.cluster = cls._stack.enter_context(Cluster(replicas=0))
        cls.narrow = free_port()
        cls.tillway = Tillway(cls.cluster)
        cls.tillway.write_config({"listeners": [
            {"address": "127.0.0.1:%d" % cls.tillway.port}, {"address": "127.0.0.1:%d" % cls.narrow, "max_sessions": 2}]})
        cls._stack.enter_context(cls.tillway)
        cls.cluster.primary.query("CREATE DATABASE shop")
        cls.cluster.primary.query("CREATE TABLE shop.t (id INT PRIMARY KEY, v INT)")

    def client(self, port=None):
        c = raw.Raw(port or self.tillway.port)
        self.addCleanup(c.close)
        return c

    def sessions(self):
        return self.stats()["sessions"]

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.tillway.pid))

    def no_sessions(self):
        scratch.wait_until("no session", lambda: self.sessions() == 0, 20)

    def test_a_listener_has_its_own_limit(self):
        held = [self.client(self.narrow).greet().login() for _ in range(2)]
        with self.assertRaisesRegex(PermissionError, "Too many connections"):
            self.client(self.narrow).greet()
        self.client().greet().login()
        self.assertGreaterEqual(self.stats()["turned_away"], 1)
        held[0].close()
        scratch.wait_until("a free seat", lambda: self._gets_in(self.narrow), 10)

    def _gets_in(self, port):
        try:
            self.client(port).greet()
            return True
        except PermissionError:
            return False

    def runnable_seconds(self):
        """How long the control thread has run, or waited for a processor: a machine that is busy hides nothing."""
        with open("/proc/%d/task/%d/schedstat" % (self.tillway.pid, self.tillway.pid), encoding="ascii") as f:
            running, waiting, _ = f.read().split()
        return (int(running) + int(waiting)) / 1e9

    def test_without_descriptors_clients_wait(self):
        self.no_sessions()
        pid = self.tillway.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = [int(n) for n in os.listdir("/proc/%d/fd" % pid)]
        limit = max(used) + 1 + SPARE
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, hard))
        try:
            clients = [self.client() for _ in range(limit - len(used) + SPARE * 2)]
            self.tillway.wait_log(r"listener\.accept why=.*open files")
            used, began = self.runnable_seconds(), time.monotonic()
            time.sleep(1)
            self.assertLess(self.runnable_seconds() - used, (time.monotonic() - began) * 0.8, "it spins")
            self.assertEqual(self.tillway.log_text().count("listener.accept"), 1)
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        for c in clients:
            c.greet().login()
            c.close()
        self.no_sessions()

    def open_files(self):
        """What its descriptors are; one may be closed while they are looked at."""
        folder = "/proc/%d/fd/" % self.tillway.pid
        for n in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                yield os.readlink(folder + n)

    def test_a_full_disk_stops_only_the_log(self):
        self.tillway.reload({"log": {"file": "/dev/full"}})
        scratch.wait_until("the other log", lambda: "/dev/full" in self.open_files(), 10)
        for _ in range(5):
            self.assertEqual(self.client().greet().login().value("SELECT 7"), "7")
        self.tillway.reload({"log": {"file": "stderr"}})
        self.tillway.wait_log(r"log\.lost lines=[1-9]")

    def test_reloads_under_load(self):
        stop, faults, done = threading.Event(), [], [0] * 4

        def load(i):
            try:
                while not stop.is_set():
                    c = raw.connected(self.tillway.port, database="shop")
                    for n in range(5):
                        if c.value("SELECT %d" % n) != str(n):
                            raise ValueError("a wrong answer")
                    c.close()
                    done[i] += 1
            except Exception as e:  # noqa: B902: whatever it is, the test tells
                faults.append(repr(e))

        threads = [threading.Thread(target=load, args=(i,)) for i in range(len(done))]
        for t in threads:
            t.start()
        for n in range(15):
            self.tillway.reload({"limits": {"max_prepared": 1000 + n}})
            scratch.wait_until("work between reloads", lambda at=list(done): faults or all(
                now > before for now, before in zip(done, at)), 60)
        stop.set()
        for t in threads:
            t.join()
        self.assertEqual(faults, [])
        self.assertTrue(os.path.exists("/proc/%d" % self.tillway.pid))
        os.kill(self.tillway.pid, signal.SIGUSR1)
        self.no_sessions()

    def test_nothing_is_left_of_clients_that_vanish(self):
        """Half headers, half log-ins, logged in, in the middle of a command or a reply: descriptors come back."""
        self.no_sessions()
        before = self.descriptors()
        for turn in range(40):
            c = raw.Raw(self.tillway.port)
            if turn % 5 >= 1:
                c.greet()
            if turn % 5 == 2:
                c.sock.sendall(b"\x40\0\0\1half")
            if turn % 5 >= 3:
                c.login()
            if turn % 5 == 4:
                c.send(raw.COM_QUERY, b"SELECT REPEAT('x', 10000000)")
            c.close()
        self.no_sessions()
        # what is left are server connections that the pool keeps for the next
        scratch.wait_until("descriptors", lambda: self.descriptors() <= before + 2 * 16, 20)


if __name__ == "__main__":
    main()
