"""What the proxy's integration tests share: a cluster behind the real binary, and where statements went."""

import contextlib
import json
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from harness.cluster import Cluster  # noqa: E402
from harness.tillway import Tillway  # noqa: E402


class Proxied(unittest.TestCase):
    """One cluster a class, one Tillway a class; tests leave both in order."""

    replicas = 2
    config = {}

    @classmethod
    def setUpClass(cls):
        cls._stack = contextlib.ExitStack()
        cls.cluster = cls._stack.enter_context(Cluster(replicas=cls.replicas))
        cls.tillway = cls._stack.enter_context(Tillway(cls.cluster, config=cls.configured()))
        cls.cluster.primary.query("CREATE DATABASE IF NOT EXISTS shop")
        cls.cluster.primary.query("CREATE TABLE shop.t (id INT PRIMARY KEY, v LONGTEXT)")
        cls.cluster.primary.query("INSERT INTO shop.t VALUES (1,'one'),(2,'two'),(3,'three')")
        cls.cluster.wait_in_sync()

    @classmethod
    def configured(cls):
        """The configuration, over the harness's own, once there are servers."""
        return cls.config

    @classmethod
    def tearDownClass(cls):
        cls._stack.close()

    def connect(self, **kw):
        connection = self.tillway.connect(database="shop", **kw)
        self.addCleanup(lambda: connection.open and connection.close())
        return connection

    def run_sql(self, connection, sql, args=None):
        with connection.cursor() as cursor:
            cursor.execute(sql, args)
            return list(cursor.fetchall())

    def stats(self):
        return json.loads(self.tillway.command("stats", "json", check=True).stdout)

    def routed(self):
        """Statements so far by server: {"db1": 12, ...}."""
        return {s["name"]: sum(s["routed"].values()) for s in self.stats()["servers"]}

    def primary_name(self):
        return [s["name"] for s in self.stats()["servers"] if s["writes"]][0]

    def went_to(self, connection, sql):
        """Run it; "primary" or "replica", as the proxy's own counters say."""
        before, primary = self.routed(), self.primary_name()
        self.run_sql(connection, sql)
        after = self.routed()
        moved = [name for name in after if after[name] > before[name]]
        self.assertEqual(len(moved), 1, "%s went to %s" % (sql, moved))
        return "primary" if moved[0] == primary else "replica"

    def settle(self, seconds=0.3):
        """Until the monitor has sampled what was written so far."""
        self.cluster.wait_in_sync()
        time.sleep(seconds)


def main():
    unittest.main(verbosity=2)
