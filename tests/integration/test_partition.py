"""A network that breaks: the primary, a Tillway and its tills on one side, the replicas and another Tillway on the other.

In network namespaces of its own (as root, or it skips); unix sockets go through them, so that tills and the test reach both sides.
"""

import ctypes
import os
import subprocess
import time
import unittest

import proxied  # noqa: F401 (the path)
from harness import paths, scratch
from harness.chaos import grant
from harness.cluster import REPL_PASSWORD, REPL_USER, Cluster, Server
from harness.sale_till import SCHEMA, SaleTill
from harness.tillway import Tillway

NEAR, FAR = "10.77.0.1", "10.77.0.2"
LEASE = 3.0
CONFIG = {"failover": {"enabled": True, "user": REPL_USER, "password": REPL_PASSWORD, "wait": "60s",
                       "lease": "%gs" % LEASE, "confirm": "100ms"},
          "monitor": {"timeout": "500ms", "failures": 2}}


def ip(*words):
    subprocess.run(["ip", *words], check=True)


class Link:
    """The process' own network namespace, and a far one behind a cable."""

    def __init__(self):
        if ctypes.CDLL(None, use_errno=True).unshare(0x40000000):  # CLONE_NEWNET
            raise unittest.SkipTest("no network namespaces: " + os.strerror(ctypes.get_errno()))
        ip("link", "set", "lo", "up")
        self._far = scratch.spawn(["unshare", "--net", "sleep", "infinity"], os.devnull)
        scratch.wait_until("a namespace", self._is_apart, 10, self._far)
        ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(self._far.pid))
        ip("addr", "add", NEAR + "/24", "dev", "near")
        subprocess.run(self.prefix + ["sh", "-c", "ip link set lo up; ip addr add %s/24 dev far; ip link set far up" % FAR],
                       check=True)
        self.mend()

    def _is_apart(self):
        return os.readlink("/proc/%d/ns/net" % self._far.pid) != os.readlink("/proc/self/ns/net")

    @property
    def prefix(self):
        """What runs a command at the far end."""
        return ["nsenter", "--net", "--target", str(self._far.pid)]

    def cut(self):
        ip("link", "set", "near", "down")

    def mend(self):
        ip("link", "set", "near", "up")


class Reached(Server):
    """Asked through its unix socket, which no cut hinders."""

    def connect(self, **kw):
        return super().connect(unix_socket=self.socket, **kw)


class Apart(Cluster):
    server_class = Reached

    def __init__(self, link):
        super().__init__(replicas=2)
        self._link = link

    def _add(self, name, server_id, source):
        server = super()._add(name, server_id, source)
        server.options = server.options + ["--bind-address=0.0.0.0"]
        server.host = FAR if name == "primary" else NEAR
        server.prefix = self._link.prefix if name == "primary" else []
        return server


class ByFile(Tillway):
    """Tills come through its unix socket."""

    def __init__(self, cluster, prefix):
        folder = scratch.current().folder("side")
        binary = os.path.join(folder, "tillway")
        with open(binary, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\nexec %s %s \"$@\"\n" % (" ".join(prefix), paths.tillway_binary()))
        os.chmod(binary, 0o755)
        super().__init__(cluster, config=CONFIG, binary=binary)

    def _listens(self):
        return os.path.exists(self.socket)

    def connect(self, **kw):
        return super().connect(unix_socket=self.socket, **kw)


class Partition(unittest.TestCase):
    def setUp(self):
        self.link = Link()
        self.cluster = self.enterContext(Apart(self.link))
        grant(self.cluster.primary)
        for sql in SCHEMA:
            self.cluster.primary.query(sql)
        self.cluster.wait_in_sync()
        self.near = self.enterContext(ByFile(self.cluster, []))
        self.far = self.enterContext(ByFile(self.cluster, self.link.prefix))
        scratch.wait_until("acknowledging replicas", lambda: self.status(self.near).count("acknowledges") == 2, 60)

    @staticmethod
    def status(tillway):
        return tillway.command("cluster", "status").stdout

    def test_the_primary_is_cut_off_together_with_some_tills(self):
        tills = [SaleTill(t, i) for i, t in enumerate([self.near, self.near, self.far, self.far])]
        for till in tills:
            till.start()
        near, far = tills[:2], tills[2:]
        scratch.wait_until("sales", lambda: all(len(t.acknowledged) > 20 for t in tills), 30)
        self.link.cut()
        sold = [len(t.acknowledged) for t in near]
        scratch.wait_until("sales at the near side", lambda: all(
            len(t.acknowledged) > n + 20 for t, n in zip(near, sold)), 60)
        # There is another primary by now: nobody may sell at the old one any more.
        before = [len(t.acknowledged) for t in far]
        time.sleep(2 * LEASE)
        self.assertEqual([len(t.acknowledged) for t in far], before)
        self.assertIn("no majority answers", self.status(self.far))
        self.link.mend()
        scratch.wait_until("sales at both sides", lambda: all(
            len(t.acknowledged) > n + 20 for t, n in zip(far, before)), 90)
        for till in tills:
            till.ended.set()
        for till in tills:
            till.join(90)
        self.check_sales(tills)

    def check_sales(self, tills):
        writable = [s for s in self.cluster.servers if not s.value("SELECT @@read_only")]
        self.assertEqual(len(writable), 1)
        self.assertIn(writable[0], self.cluster.replicas)
        kept = {row[0] for row in writable[0].query("SELECT id FROM shop.sale")}
        self.assertEqual({n for t in tills for n in t.acknowledged} - kept, set())
        self.assertEqual([n for t in tills for n in t.unseen], [])
        errors = [e for t in tills for e in t.errors]
        print("longest pause near %.1f s, far %.1f s; errors: %s" % (
            max(t.longest for t in tills[:2]), max(t.longest for t in tills[2:]), errors))
        self.assertEqual([e for e in errors if e[0] not in (1158, 1213)], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
