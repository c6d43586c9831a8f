"""A cluster with failover on behind the real binary, whose primary tests take away; one for a whole class of tests."""

import unittest

import pymysql

import proxied  # noqa: F401 (the path)
from harness import scratch
from harness.chaos import RESTART, all_acknowledge, grant
from harness.cluster import REPL_PASSWORD, REPL_USER, Cluster
from harness.tillway import Tillway

FAILOVER = {"failover": {"enabled": True, "user": REPL_USER, "password": REPL_PASSWORD, "wait": "30s",
                         "lease": "3s", "confirm": "100ms"}}


class FailoverCluster(unittest.TestCase):
    config = FAILOVER
    stored = ()  # statements that make what Tillway shall find there when it starts

    @classmethod
    def setUpClass(cls):
        cls.cluster = cls.enterClassContext(Cluster(replicas=2))
        grant(cls.cluster.primary)
        for sql in ("CREATE DATABASE shop", *cls.stored):
            cls.cluster.primary.query(sql)
        cls.cluster.wait_in_sync()
        cls.tillway = cls.enterClassContext(Tillway(cls.cluster, config=cls.config))
        cls.wait_complete()

    @classmethod
    def primary(cls):
        """The one server that takes writes, once there is one."""
        return scratch.wait_until("a primary", cls._primary, 60)

    @classmethod
    def _primary(cls):
        try:
            found = [s for s in cls.cluster.servers if s.alive() and not s.value("SELECT @@read_only")]
        except pymysql.err.MySQLError:
            return None  # it is going down, or clients' connections are being ended
        return found[0] if len(found) == 1 else None

    @classmethod
    def wait_complete(cls):
        """Until all servers are there and each replica's acknowledgements count."""
        scratch.wait_until("acknowledging replicas", lambda: all_acknowledge(
            cls.tillway.command("cluster", "status").stdout, cls.cluster), 60)

    def lose_primary(self):
        """SIGKILL; it comes back, as a replica, when the test is over."""
        old = self.primary()
        old.kill()
        self.addCleanup(self._bring_back, old)
        scratch.wait_until("another primary", self._primary, 60)

    def _bring_back(self, server):
        server.start(RESTART)
        self.wait_complete()

    def switch_over(self):
        done = self.tillway.command("cluster", "switchover")
        self.assertIn("done", done.stdout, done.stdout + done.stderr)
        self.addCleanup(self.wait_complete)
        return done.stdout
