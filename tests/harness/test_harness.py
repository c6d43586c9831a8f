"""The harness itself: clusters replicate and come back, and nothing outlives the process that started it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import unittest.mock

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import pymysql  # noqa: E402

from harness import pos, ports, scratch, tillway, yamlout  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.mongo import Mongo  # noqa: E402
from harness.pos_till import Tills  # noqa: E402

# Starts what the tests start, says so in one line (its stdout is closed behind it), and then sleeps.
PARENT = """
import os, sys, time
sys.path.insert(0, %r)
from harness import scratch
from harness.cluster import Cluster
with Cluster(replicas=1) as c:
    if sys.argv[1] == "fork" and os.fork() == 0:
        time.sleep(60)
    if sys.argv[1] == "keep":
        scratch.current().keep()
        print(scratch.current().path, *[s.pid for s in c.servers], flush=True)
        os._exit(0)
    if sys.argv[1] == "frozen":
        c.primary.freeze()
    print(scratch.current().path, *[s.pid for s in c.servers], flush=True)
    time.sleep(60)
"""


def gone(pid):
    """Ended (a zombie that nobody has waited for counts)."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def start_parent(mode):
    """The process, its scratch folder, its servers' pids."""
    code = PARENT % os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    proc = subprocess.Popen(["/usr/bin/python3", "-c", code, mode], stdout=subprocess.PIPE, text=True,
                            start_new_session=True, stderr=subprocess.DEVNULL)
    with proc.stdout:
        words = proc.stdout.readline().split()
    return proc, words[0], [int(w) for w in words[1:]]


class ClusterTest(unittest.TestCase):
    def test_replicates_and_comes_back(self):
        with Cluster(replicas=2) as c:
            c.primary.query("CREATE TABLE test.t (a INT PRIMARY KEY)")
            c.primary.query("INSERT INTO test.t VALUES (1)", user="till", password="till")
            c.wait_in_sync()
            for replica in c.replicas:
                self.assertEqual(replica.query("SELECT a FROM test.t"), [(1,)])
            with self.assertRaises(pymysql.err.OperationalError) as caught:
                c.replicas[0].query("INSERT INTO test.t VALUES (9)", user="till", password="till")
            self.assertEqual(caught.exception.args[0], 1290)  # read_only binds the till
            c.primary.restart()
            c.primary.query("INSERT INTO test.t VALUES (2)")
            c.replicas[0].kill()
            self.assertFalse(c.replicas[0].alive())
            c.wait_in_sync()
            c.replicas[0].restart()
            c.wait_in_sync()
            self.assertEqual(c.replicas[0].value("SELECT COUNT(*) FROM test.t"), 2)

    def test_stopped_replica_is_noticed(self):
        with Cluster(replicas=1) as c:
            c.replicas[0].stop_slave()
            c.primary.query("CREATE TABLE test.t (a INT PRIMARY KEY)")
            with self.assertRaises(TimeoutError):
                c.wait_in_sync(timeout=0.2)
            c.replicas[0].start_slave()
            c.wait_in_sync()

    def test_freeze(self):
        with Cluster(replicas=0) as c:
            c.primary.freeze()
            with self.assertRaises(pymysql.err.OperationalError):
                c.primary.query("SELECT 1", connect_timeout=1, read_timeout=1)
            c.primary.thaw()
            self.assertEqual(c.primary.value("SELECT 1"), 1)

    def test_semi_sync(self):
        with Cluster(replicas=1, semi_sync=True) as c:
            c.primary.query("CREATE TABLE test.t (a INT PRIMARY KEY)")
            status = dict(c.primary.query("SHOW STATUS LIKE 'Rpl_semi_sync_master_%'"))
            self.assertEqual(status["Rpl_semi_sync_master_status"], "ON")
            self.assertEqual(status["Rpl_semi_sync_master_clients"], "1")
            self.assertGreater(int(status["Rpl_semi_sync_master_yes_tx"]), 0)


class MongoTest(unittest.TestCase):
    def test_replica_set(self):
        with Mongo() as m:
            client = m.client()
            with client.start_session() as session, session.start_transaction():
                client[m.database].t.insert_one({"_id": 1}, session=session)
            if not m.external:
                m.restart()
            self.assertEqual(m.db().t.find_one(), {"_id": 1})


class TillsTest(unittest.TestCase):
    def test_sell_and_notice_stale_reads(self):
        with Cluster(replicas=1) as c:
            said = pos.load(c.primary.host, c.primary.port)
            self.assertRegex(said, r"orders.csv: \d+ rows read = ")
            with Tills(c.primary.host, c.primary.port, count=3) as tills:
                time.sleep(1)
            self.assertGreater(tills.total.orders, 0)
            self.assertGreater(tills.total.checked, 0)
            self.assertEqual((tills.total.stale, tills.total.stale_examples), (0, []))
            made = pos.documents(c.primary)
            orders = sum(len(d["Orders"]) for d in made["customers"].values())
            self.assertEqual(orders, c.primary.value("SELECT COUNT(*) FROM `Order`", database="pos"))
            self.assert_stale_replica_is_noticed(c)

    def assert_stale_replica_is_noticed(self, c):
        """Tills whose reads go to a replica that has stopped must say so."""
        c.wait_in_sync()
        c.replicas[0].stop_slave()
        tills = Tills(c.primary.host, c.primary.port, count=2)
        behind = c.replicas[0].connect(database="pos")

        def read_behind(till, sql, args=None):
            if "@placed" in sql:
                return till._run(sql, args)[1]
            with behind.cursor() as cursor, lock:
                cursor.execute(sql, args)
                return list(cursor.fetchall())

        lock = threading.Lock()
        with unittest.mock.patch("harness.pos_till._Till._read", read_behind), tills:
            time.sleep(0.5)
        behind.close()
        self.assertGreater(tills.total.orders, 0)
        self.assertGreater(tills.total.stale, tills.total.orders // 2)
        self.assertEqual(len(tills.total.stale_examples) > 0, True)

    def test_failure_is_raised(self):
        with Cluster(replicas=0) as c:
            pos.load(c.primary.host, c.primary.port)
            tills = Tills(c.primary.host, c.primary.port, count=2)
            tills.start()
            c.primary.kill()
            time.sleep(0.3)
            with self.assertRaises(RuntimeError):
                tills.stop()


class LeftoverTest(unittest.TestCase):
    def assert_gone(self, folder, pids):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if all(gone(p) for p in pids) and not os.path.exists(folder):
                return
            time.sleep(0.05)
        self.fail("left behind: %s %s" % ([p for p in pids if not gone(p)], folder))

    def ends_clean(self, mode, signum):
        proc, folder, pids = start_parent(mode)
        self.assertEqual(len(pids), 2)
        self.assertFalse(any(gone(p) for p in pids))
        os.kill(proc.pid, signum)
        proc.wait()
        self.assert_gone(folder, pids)
        if mode == "fork":
            os.killpg(proc.pid, signal.SIGKILL)

    def test_killed(self):
        self.ends_clean("plain", signal.SIGKILL)

    def test_terminated(self):
        self.ends_clean("plain", signal.SIGTERM)

    def test_interrupted(self):
        self.ends_clean("plain", signal.SIGINT)

    def test_killed_with_a_frozen_server(self):
        self.ends_clean("frozen", signal.SIGKILL)

    def test_killed_with_a_forked_child(self):
        self.ends_clean("fork", signal.SIGKILL)

    def test_kept_and_swept(self):
        proc, folder, pids = start_parent("keep")
        self.assertEqual(proc.wait(), 0)
        time.sleep(0.3)
        scratch.sweep()
        self.assertFalse(any(gone(p) for p in pids))
        self.assertEqual(scratch.end_kept([folder]), 1)
        self.assert_gone(folder, pids)


class SmallPartsTest(unittest.TestCase):
    def test_ports_differ(self):
        got = [ports.free_port() for _ in range(50)]
        self.assertEqual(len(set(got)), 50)
        self.assertLess(max(got), 32768)

    def test_taken_port_is_not_free(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            s.listen()
            port = s.getsockname()[1]
            self.assertFalse(ports.is_free(port))
            self.assertTrue(tillway.listens(port))
        self.assertFalse(tillway.listens(port))

    def test_positions(self):
        self.assertTrue(tillway.covers("0-1-5,1-2-3", "0-3-5"))
        self.assertTrue(tillway.covers("0-1-5", ""))
        self.assertFalse(tillway.covers("0-1-5", "0-1-6"))
        self.assertFalse(tillway.covers("0-1-10", "0-1-5, 1-1-1"))
        self.assertFalse(tillway.covers("", "0-1-1"))

    def test_yaml(self):
        text = yamlout.dump({"a": [{"b": 1, "c": {"d": "x y"}}, {"b": 2}], "e": True, "f": [], "g": "on",
                             "h": ["p:1", "50ms", "mongodb://h:1/?r=s"]})
        self.assertEqual(text, 'a:\n  - b: 1\n    c:\n      d: "x y"\n  - b: 2\ne: true\nf: []\ng: "on"\n'
                               'h:\n  - p:1\n  - "50ms"\n  - "mongodb://h:1/?r=s"\n')

    def test_yaml_block(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as f:
            f.write("mirror:\n  uri: x\n  list:   # what\n  - a: 1\n\n    b:\n      - 2\n  other: 1\nlog: 2\n")
            f.flush()
            raw = yamlout.block(f.name, "list")
            self.assertEqual(yamlout.dump({"m": {"list": raw}}),
                             "m:\n  list:\n    - a: 1\n\n      b:\n        - 2\n")
            with self.assertRaises(RuntimeError):
                yamlout.block(f.name, "absent")

    def test_merged(self):
        base = {"a": {"b": 1, "c": 2}, "d": 3}
        self.assertEqual(yamlout.merged(base, {"a": {"b": 5}, "d": None}), {"a": {"b": 5, "c": 2}})
        self.assertEqual(base, {"a": {"b": 1, "c": 2}, "d": 3})


if __name__ == "__main__":
    unittest.main()
