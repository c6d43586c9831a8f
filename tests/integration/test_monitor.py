"""The monitor against real servers that are killed, frozen, stopped and promoted.

Usage: test_monitor.py PATH-OF-monitor_tool [unittest arguments]
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import paths, scratch, yamlout  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.tillway import ENV, SANITIZER  # noqa: E402

TOOL = None
USER, PASSWORD = "watcher", "watch'me"
# What docs/monitor.md says is enough.
GRANTS = ["GRANT SLAVE MONITOR ON *.* TO 'watcher'@'%'",
          "GRANT SELECT ON mysql.global_priv TO 'watcher'@'%'"]


class Monitor:
    """The tool on a cluster; what it publishes, as dictionaries."""

    def __init__(self, servers, **options):
        self.folder = scratch.current().folder("monitor")
        self.log = os.path.join(self.folder, "log")
        config = os.path.join(self.folder, "monitor.yaml")
        monitor = {"user": USER, "password": PASSWORD, "interval": "20ms", "timeout": "600ms",
                   "failures": 1, "accounts_interval": "1h"}
        monitor.update(options)
        with open(config, "w", encoding="utf-8") as f:
            f.write(yamlout.dump({
                "servers": [{"name": s.name, "address": "%s:%d" % (s.host, s.port)} for s in servers],
                "monitor": monitor, "log": {"level": "debug", "file": self.log}}))
        self._stderr = open(os.path.join(self.folder, "stderr"), "w+", encoding="utf-8")
        self._proc = subprocess.Popen([TOOL, config], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=self._stderr, text=True,
                                      env=dict(ENV, **os.environ))
        self._news = threading.Condition()
        self.topologies, self.catalogs, self.answers = [], [], []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._proc.stdout:
            got = json.loads(line)
            with self._news:
                kind = (self.topologies if "topology" in got else
                        self.catalogs if "catalog" in got else self.answers)
                kind.append(got)
                self._news.notify_all()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        begun = time.monotonic()
        self._proc.stdin.close()
        status = self._proc.wait(20)
        self.stop_seconds = time.monotonic() - begun
        self._reader.join(10)
        self._proc.stdout.close()
        self._stderr.seek(0)
        said = self._stderr.read()
        self._stderr.close()
        if kind is None and (status != 0 or SANITIZER.search(said)):
            raise RuntimeError("monitor_tool ended with status %d:\n%s" % (status, said))

    def say(self, words):
        self._proc.stdin.write(words + "\n")
        self._proc.stdin.flush()

    def _wait(self, what, check, timeout):
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                got = check()
                if got:
                    return got
                left = deadline - time.monotonic()
                if left <= 0 or not self._reader.is_alive():
                    raise TimeoutError("%s: not within %g s; last: %s" % (
                        what, timeout, self.topologies[-1:] + self.catalogs[-1:]))
                self._news.wait(left)

    def until(self, what, check, timeout=10):
        """The latest topology, as soon as check(topology) holds."""
        return self._wait(what, lambda: self.topologies and check(self.topologies[-1]) and
                          self.topologies[-1], timeout)

    def until_health(self, server, health, timeout=10):
        top = self.until("%s is %s" % (server.name, health),
                         lambda t: t["servers"][server.name]["health"] == health, timeout)
        return top["servers"][server.name]

    def until_all_up(self, timeout=10):
        return self.until("all up", lambda t: t["primary"] and all(
            s["health"] == "up" and s["lag_ms"] == 0 for s in t["servers"].values()), timeout)

    def catalog(self, count, timeout=10):
        return self._wait("catalog %d" % count, lambda: len(self.catalogs) >= count and
                          self.catalogs[count - 1], timeout)

    def ask(self, words):
        before = len(self.answers)
        self.say(words)
        return self._wait("an answer", lambda: len(self.answers) > before and self.answers[before],
                          10)

    def log_text(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()

    def wait_log(self, pattern, timeout=10):
        return scratch.wait_until("/%s/ in the log" % pattern,
                                  lambda: re.search(pattern, self.log_text(), re.M), timeout)


class Case(unittest.TestCase):
    """A cluster for each test: they break it."""

    replicas = 2
    options = ()

    def setUp(self):
        self.cluster = Cluster(replicas=self.replicas, options=self.options)
        self.cluster.start()
        self.addCleanup(self.cluster.stop)
        self.primary, self.servers = self.cluster.primary, self.cluster.servers
        self.replica = self.cluster.replicas[0]
        self.primary.query("CREATE USER 'watcher'@'%' IDENTIFIED BY 'watch\\'me'")
        for grant in GRANTS:
            self.primary.query(grant)
        self.primary.query("CREATE TABLE test.t (id INT PRIMARY KEY)")
        self.cluster.wait_in_sync()

    def monitor(self, **options):
        return Monitor(self.servers, **options)


class Health(Case):
    def test_roles_positions_and_rate(self):
        with self.monitor() as m:
            first = m.until_all_up()
            self.assertEqual(m.topologies[0]["primary"], None)
            self.assertEqual({s["health"] for s in m.topologies[0]["servers"].values()}, {"unknown"})
            self.assertEqual(first["primary"], "primary")
            self.assertEqual(first["servers"]["primary"]["role"], "primary")
            self.assertEqual(first["servers"]["replica1"]["role"], "replica")
            self.assertEqual([first["servers"][s.name]["server_id"] for s in self.servers], [1, 2, 3])
            self.primary.query("INSERT INTO test.t VALUES (1)")
            position = self.primary.value("SELECT @@gtid_binlog_pos")
            last = m.until("the position everywhere", lambda t: all(
                s["position"] == position for s in t["servers"].values()))
            self.assertTrue(all(s["age_ms"] < 500 for s in last["servers"].values()))
            begun, count = time.monotonic(), len(m.topologies)
            time.sleep(1)
            rate = (len(m.topologies) - count) / (time.monotonic() - begun)
            self.assertTrue(20 <= rate <= 210, rate)
            self.assertTrue(all(t["ordered"] for t in m.topologies))
            self.assertNotIn("server.down", m.log_text())
            self.assertEqual(len(re.findall("primary.changed from=none to=primary", m.log_text())), 1)
        self.assertLess(m.stop_seconds, 5)

    def test_replica_killed_and_back(self):
        with self.monitor() as m:
            m.until_all_up()
            begun = time.monotonic()
            self.replica.kill()
            server = m.until_health(self.replica, "down", 2)
            self.assertLess(time.monotonic() - begun, 2)
            self.assertRegex(server["why"], "onnect")
            self.assertEqual(server["role"], "replica")
            self.assertEqual(m.topologies[-1]["primary"], "primary")
            self.replica.restart()
            m.until_all_up()
            m.wait_log(r"server.down server=replica1 .*health=down reason=")
            m.wait_log(r"server.up server=replica1 ")

    def test_replica_frozen_and_thawed(self):
        with self.monitor() as m:
            m.until_all_up()
            begun = time.monotonic()
            self.replica.freeze()
            self.addCleanup(self.replica.thaw)
            server = m.until_health(self.replica, "timeout", 10)
            self.assertGreater(time.monotonic() - begun, 0.5)  # a timeout of 600 ms
            self.assertIn("in time", server["why"])
            self.replica.thaw()
            m.until_all_up()

    def test_stopping_beside_a_frozen_server_is_quick(self):
        with self.monitor() as m:
            m.until_all_up()
            self.replica.freeze()
            self.addCleanup(self.replica.thaw)
            m.until_health(self.replica, "timeout", 10)
        self.assertLess(m.stop_seconds, 4)

    def test_a_killed_connection_is_no_event(self):
        with self.monitor() as m:
            m.until_all_up()
            for _ in range(5):
                self.replica.query("KILL USER watcher")
                time.sleep(0.1)
            time.sleep(0.5)
            self.assertTrue(all(t["servers"]["replica1"]["health"] == "up" for t in m.topologies
                                if t["topology"] > 20))
            self.assertNotIn("server.down", m.log_text())

    def test_login_refused(self):
        with self.monitor() as m:
            m.until_all_up()
            connection = self.replica.connect()
            with connection.cursor() as cursor:
                cursor.execute("SET sql_log_bin=0")
                cursor.execute("ALTER USER 'watcher'@'%' IDENTIFIED BY 'other'")
                cursor.execute("KILL USER watcher")
                server = m.until_health(self.replica, "refused")
                self.assertIn("Access denied", server["why"])
                time.sleep(1)
                self.assertEqual(len(re.findall("server.refused", m.log_text())), 1)
                cursor.execute("ALTER USER 'watcher'@'%' IDENTIFIED BY 'watch\\'me'")
            connection.close()
            m.until_all_up()

    def test_missing_rights_are_named(self):
        self.primary.query("REVOKE SLAVE MONITOR ON *.* FROM 'watcher'@'%'")
        self.primary.query("REVOKE SELECT ON mysql.global_priv FROM 'watcher'@'%'")
        self.cluster.wait_in_sync()
        with self.monitor() as m:
            server = m.until_health(self.primary, "refused")
            self.assertIn("SLAVE MONITOR", server["why"])
            self.assertEqual(m.topologies[-1]["primary"], None)
            self.primary.query(GRANTS[0])
            m.until("a primary", lambda t: t["primary"] == "primary")
            m.wait_log(r"catalog.failed .*global_priv")
            self.assertEqual(m.catalogs, [])
            self.primary.query(GRANTS[1])
            m.catalog(1)

    def test_suspicion_is_quicker_than_the_interval(self):
        with self.monitor(interval="30s") as m:
            m.until_all_up()
            self.replica.kill()
            time.sleep(0.3)
            self.assertEqual(m.topologies[-1]["servers"]["replica1"]["health"], "up")
            m.say("suspect replica1")
            m.until_health(self.replica, "down", 2)


class Replication(Case):
    replicas = 1

    def test_stopped_threads(self):
        with self.monitor() as m:
            m.until_all_up()
            for thread in ("SQL", "IO"):
                self.replica.stop_slave(thread + "_THREAD")
                server = m.until_health(self.replica, "broken")
                self.assertEqual(server["why"], "replication is stopped (%s thread)" % thread)
                self.assertEqual(server["role"], "replica")
                self.replica.start_slave()
                m.until_all_up()

    def test_failed(self):
        with self.monitor() as m:
            m.until_all_up()
            connection = self.replica.connect()
            with connection.cursor() as cursor:
                cursor.execute("SET sql_log_bin=0")
                cursor.execute("INSERT INTO test.t VALUES (7)")
                self.primary.query("INSERT INTO test.t VALUES (7)")
                server = m.until_health(self.replica, "broken")
                self.assertIn("error 1062: ", server["why"])
                cursor.execute("DELETE FROM test.t WHERE id = 7")
            connection.close()
            self.replica.start_slave()
            m.until_all_up()

    def test_without_a_source(self):
        with self.monitor() as m:
            m.until_all_up()
            self.replica.query("STOP SLAVE")
            self.replica.query("RESET SLAVE ALL")
            m.until("nobody's copy", lambda t: t["servers"]["replica1"]["why"] ==
                    "read-only, and replicates from nobody")
            self.assertEqual(m.topologies[-1]["servers"]["replica1"]["role"], "unknown")

    def test_unreachable_source_that_is_up(self):
        with self.monitor() as m:
            m.until_all_up()
            self.replica.query("STOP SLAVE")
            self.replica.query("CHANGE MASTER TO MASTER_HOST='127.0.0.2', MASTER_CONNECT_RETRY=1")
            self.replica.start_slave()
            server = m.until_health(self.replica, "broken", 20)
            self.assertRegex(server["why"], "replication cannot|replication is stopped|failed")

    def test_lag_of_a_delayed_replica(self):
        with self.monitor() as m:
            m.until_all_up()
            self.replica.query("STOP SLAVE")
            self.replica.query("CHANGE MASTER TO MASTER_DELAY=3")
            self.replica.start_slave()
            m.until_all_up()
            self.primary.query("INSERT INTO test.t VALUES (1)")
            begun = time.monotonic()
            m.until("lag", lambda t: t["servers"]["replica1"]["lag_ms"] > 0, 2)
            top = m.until("two seconds of lag", lambda t: t["servers"]["replica1"]["lag_ms"] >= 2000)
            elapsed = (time.monotonic() - begun) * 1000
            self.assertEqual(top["servers"]["replica1"]["health"], "up")
            self.assertAlmostEqual(top["servers"]["replica1"]["lag_ms"], elapsed, delta=400)
            m.until_all_up()

    def test_lag_of_a_stopped_replica_grows(self):
        with self.monitor() as m:
            m.until_all_up()
            self.replica.stop_slave("SQL_THREAD")
            time.sleep(0.5)
            self.assertEqual(m.topologies[-1]["servers"]["replica1"]["lag_ms"], 0)  # nothing to miss
            self.primary.query("INSERT INTO test.t VALUES (1)")
            m.until("a second of lag", lambda t: t["servers"]["replica1"]["lag_ms"] >= 1000)


class Chain(Case):
    """replica2 replicates from replica1."""

    def setUp(self):
        super().setUp()
        self.last = self.cluster.replicas[1]
        self.last.query("STOP SLAVE")
        self.last.replicate_from(self.replica)

    def test_its_middle_is_killed_and_comes_back(self):
        with self.monitor() as m:
            top = m.until_all_up()
            self.assertEqual({n: s["role"] for n, s in top["servers"].items()},
                             {"primary": "primary", "replica1": "replica", "replica2": "replica"})
            self.replica.kill()
            m.until_health(self.replica, "down")
            self.primary.query("INSERT INTO test.t VALUES (1)")
            top = m.until("half a second of lag", lambda t: t["servers"]["replica2"]["lag_ms"] >= 500)
            self.assertEqual((top["primary"], top["servers"]["replica2"]["role"]), ("primary", "replica"))
            self.assertEqual(top["servers"]["replica2"]["health"], "up")
            self.replica.restart()
            m.until_all_up(30)

    def test_several_domains(self):
        with self.monitor() as m:
            m.until_all_up()
            connection = self.primary.connect()
            with connection.cursor() as cursor:
                for domain in (7, 9, 7):
                    cursor.execute("SET gtid_domain_id=%d" % domain)
                    cursor.execute("INSERT INTO test.t SELECT COALESCE(MAX(id), 0) + 1 FROM test.t")
            connection.close()
            for name in ("primary", "replica1", "replica2"):
                m.until("both domains at " + name,
                        lambda t, n=name: {"7-1-2", "9-1-1"} <= set(t["servers"][n]["position"].split(",")))
            m.until_all_up()


class Primary(Case):
    def test_killed_and_back(self):
        with self.monitor() as m:
            m.until_all_up()
            self.primary.kill()
            top = m.until("no primary", lambda t: t["primary"] is None, 2)
            self.assertEqual(top["servers"]["primary"]["health"], "down")
            time.sleep(3)  # longer than a replica may be connecting to a source that is up
            last = m.topologies[-1]["servers"]
            for replica in self.cluster.replicas:
                self.assertEqual(last[replica.name]["health"], "up")
                self.assertEqual(last[replica.name]["role"], "replica")
                self.assertEqual(last[replica.name]["lag_ms"], 0)
            m.wait_log("primary.none before=primary reason=\"primary, the primary, is lost: ")
            self.primary.restart()
            m.until("the primary", lambda t: t["primary"] == "primary")
            m.until_all_up(30)

    def test_frozen(self):
        with self.monitor() as m:
            m.until_all_up()
            self.primary.freeze()
            self.addCleanup(self.primary.thaw)
            top = m.until("no primary", lambda t: t["primary"] is None)
            self.assertEqual(top["servers"]["primary"]["health"], "timeout")
            self.primary.thaw()
            m.until_all_up()

    def test_made_read_only(self):
        with self.monitor() as m:
            m.until_all_up()
            self.primary.query("SET GLOBAL read_only=1")
            m.until("no primary", lambda t: t["primary"] is None)
            m.wait_log("primary.none before=primary reason=\"primary has replicas but is read-only\"")
            self.primary.query("SET GLOBAL read_only=0")
            m.until("the primary", lambda t: t["primary"] == "primary")

    def test_promoted_by_hand(self):
        other = self.cluster.replicas[1]
        with self.monitor() as m:
            m.until_all_up()
            self.replica.query("STOP SLAVE")
            self.replica.query("RESET SLAVE ALL")
            self.replica.query("SET GLOBAL read_only=0")
            m.until("out of the replicas", lambda t: t["servers"]["replica1"]["role"] == "unknown")
            self.assertEqual(m.topologies[-1]["primary"], "primary")  # the one with a replica
            self.primary.kill()
            m.until("another primary", lambda t: t["primary"] == "replica1")
            other.query("STOP SLAVE")
            other.query("CHANGE MASTER TO MASTER_PORT=%d" % self.replica.port)
            other.start_slave()
            m.until("a replica of it", lambda t: t["servers"]["replica2"]["health"] == "up" and
                    t["servers"]["replica2"]["lag_ms"] == 0)
            time.sleep(0.5)  # who follows whom is asked every 200 ms
            self.primary.restart()  # writable, as it was
            server = m.until_health(self.primary, "up")
            self.assertEqual(server["role"], "unknown")
            time.sleep(0.5)
            self.assertEqual(m.topologies[-1]["primary"], "replica1")

    def test_started_without_a_primary(self):
        self.primary.kill()
        with self.monitor() as m:
            m.until_health(self.replica, "up")
            m.until_health(self.primary, "down")
            self.assertEqual(m.topologies[-1]["primary"], None)
            self.assertEqual(m.topologies[-1]["servers"]["replica1"]["role"], "replica")
            m.catalog(1)  # from a replica
            self.primary.restart()
            m.until_all_up(30)


class CatalogTest(Case):
    replicas = 1
    options = ["--plugin-dir=" + paths.server_plugins(), "--plugin-load-add=auth_ed25519.so"]

    def test_content(self):
        with self.monitor() as m:
            got = m.catalog(1)
            self.assertEqual(got["version"], self.primary.value("SELECT @@version"))
            self.assertEqual(got["default_collation"], 45)
            self.assertGreater(got["variables"], 150)
            self.assertGreater(got["collations"], 1000)
            till = m.ask("account till 10.1.2.3")
            self.assertEqual((till["ways"], till["host"]), ("mysql_native_password", "%"))
            self.assertEqual("*" + till["hash"], self.primary.value("SELECT PASSWORD('till')")[:5])
            self.assertEqual(m.ask("variable sql_mode"), {"variable": "text"})
            self.assertEqual(m.ask("variable autocommit"), {"variable": "text"})
            self.assertEqual(m.ask("variable max_join_size"), {"variable": "number"})
            self.assertEqual(m.ask("variable max_connections"), {"variable": "none"})

    def test_accounts_of_all_kinds(self):
        native = "mysql_native_password"
        for sql in ("CREATE USER a1 IDENTIFIED VIA unix_socket OR mysql_native_password USING PASSWORD('x')",
                    "CREATE USER a2 IDENTIFIED VIA unix_socket",
                    "CREATE USER a3 IDENTIFIED BY 'x' ACCOUNT LOCK", "CREATE ROLE a4",
                    "CREATE USER a5@'10.%'", "CREATE USER 'm\u00e9''\\\\\"'@'%' IDENTIFIED BY 'y'",
                    "CREATE USER a6 IDENTIFIED BY 'y' REQUIRE SSL", "GRANT SUPER ON *.* TO a6",
                    "INSERT INTO mysql.global_priv VALUES ('%', 'a7', '{\"access\":0,"
                    "\"plugin\":\"mysql_native_password\",\"authentication_string\":\"invalid\"}')",
                    "CREATE USER a8 IDENTIFIED BY 'y' REQUIRE SUBJECT '/CN=s' AND ISSUER '/CN=i' AND CIPHER 'c'",
                    "CREATE USER a9 IDENTIFIED BY 'y' WITH MAX_USER_CONNECTIONS 3",
                    "CREATE USER b1 IDENTIFIED BY 'y' WITH MAX_CONNECTIONS_PER_HOUR 5",
                    "CREATE USER b2 IDENTIFIED BY 'y' WITH MAX_QUERIES_PER_HOUR 5",
                    "CREATE USER b3 IDENTIFIED BY 'y' REQUIRE X509",
                    "CREATE USER b4 IDENTIFIED VIA mysql_native_password USING PASSWORD('x') OR unix_socket AS 'o:s,'",
                    "CREATE USER b5 IDENTIFIED VIA ed25519 USING PASSWORD('secret')"):
            self.primary.query(sql)
        with self.monitor() as m:
            m.catalog(1)
            for name, ways in (("a1", "unix_socket " + native), ("a2", "unix_socket"), ("a3", native),
                               ("a5", native + "(empty)"), ("a6", native), ("a7", native),
                               ("b4", native + " unix_socket"), ("b5", "ed25519")):
                self.assertEqual(m.ask("account %s 10.1.2.3" % name)["ways"], ways, name)
            self.assertEqual(m.ask("account a5 11.1.2.3"), {"account": None})
            self.assertEqual(m.ask("account a4 10.1.2.3"), {"account": None})
            self.assertEqual(m.ask("account a7 10.1.2.3")["hash"], "0000")
            self.assertEqual(m.ask("account b5 10.1.2.3")["hash"], "6488")
            self.assertTrue(m.ask("account a6 10.1.2.3")["access"] & 1 << 15)
            self.assertFalse(m.ask("account a3 10.1.2.3")["access"] & 1 << 15)
            for column, names in (("locked", {"a3"}), ("limited", {"a9", "b1"})):
                have = {n for n in ("a1", "a3", "a6", "a9", "b1", "b2") if m.ask("account %s 1.2.3.4" % n)[column]}
                self.assertEqual(have, names, column)
            for name, tls, words in (("a1", 0, "  "), ("a6", 1, "  "), ("b3", 2, "  "), ("a8", 3, "c /CN=i /CN=s")):
                got = m.ask("account %s 10.1.2.3" % name)
                self.assertEqual((got["tls"], got["require"]), (tls, words), name)

    def test_refresh(self):
        with self.monitor() as m:
            m.catalog(1)
            self.assertEqual(m.ask("account joe 10.1.2.3"), {"account": None})
            self.primary.query("CREATE USER joe IDENTIFIED BY 'a'")
            begun = time.monotonic()
            m.say("refresh")
            m.catalog(2)
            self.assertLess(time.monotonic() - begun, 1)
            before = m.ask("account joe 10.1.2.3")
            self.assertEqual(before["ways"], "mysql_native_password")
            self.primary.query("ALTER USER joe IDENTIFIED BY 'b'")
            m.say("refresh")
            m.catalog(3)
            self.assertNotEqual(m.ask("account joe 10.1.2.3")["hash"], before["hash"])
            m.say("refresh")  # nothing changed, and still an answer
            self.assertEqual(m.catalog(4)["catalog"], m.catalogs[2]["catalog"])
            self.primary.query("DROP USER joe")
            m.say("refresh")
            m.catalog(5)
            self.assertEqual(m.ask("account joe 10.1.2.3"), {"account": None})

    def test_many_requests_are_few_readings(self):
        with self.monitor() as m:
            m.catalog(1)
            for _ in range(200):
                m.say("refresh")
            m.catalog(2)
            time.sleep(1)
            self.assertLess(len(m.catalogs), 14)

    def test_interval(self):
        with self.monitor(accounts_interval="200ms") as m:
            m.catalog(1)
            time.sleep(1)
            self.assertEqual(len(m.catalogs), 1)  # the same is not said again
            self.primary.query("CREATE USER ann IDENTIFIED BY 'a'")
            m.catalog(2, 3)
            self.assertEqual(m.ask("account ann 10.1.2.3")["ways"], "mysql_native_password")

    def test_after_a_lost_connection_and_without_servers(self):
        with self.monitor() as m:
            m.catalog(1)
            for server in self.servers:
                server.query("KILL USER watcher")
            m.say("refresh")
            m.catalog(2)
            for server in self.servers:
                server.kill()
            m.until_health(self.primary, "down")
            m.until_health(self.replica, "down")
            m.say("refresh")  # an answer all the same
            self.assertEqual(m.catalog(3, 3)["catalog"], m.catalogs[0]["catalog"])


if __name__ == "__main__":
    TOOL = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
