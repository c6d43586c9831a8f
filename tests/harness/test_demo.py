"""scripts/demo.py with the binary under test: killed at any moment it leaves nothing, and then it works."""

import glob
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import paths, scratch  # noqa: E402

DEMO = ["/usr/bin/python3", os.path.join(paths.ROOT, "scripts", "demo.py")]
KILLS = int(os.environ.get("TILLWAY_DEMO_KILLS", "4"))


class DemoTest(unittest.TestCase):
    def setUp(self):
        self.base = tempfile.TemporaryDirectory(prefix="demo-test-")
        self.env = dict(os.environ, TILLWAY_SCRATCH_BASE=self.base.name, TILLWAY=paths.tillway_binary())
        self.addCleanup(self.base.cleanup)

    def leftovers(self):
        mark = ("%s=%s/" % (scratch.MARK, self.base.name)).encode()
        found = os.listdir(self.base.name)
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as f:
                    if mark in b"\0" + f.read():
                        found.append(path)
            except OSError:
                continue
        return found

    def assert_nothing_left(self):
        deadline = time.monotonic() + 20
        while self.leftovers() and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(self.leftovers(), [])

    def start(self, *words, **kw):
        return subprocess.Popen(DEMO + list(words), env=self.env, stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True, **kw)

    def run_through(self, *words):
        demo = self.start(*words)
        text, _ = demo.communicate(timeout=300)
        self.assertEqual(demo.returncode, 0, text)
        return text

    def test_killed_then_works(self):
        began = time.monotonic()
        text = self.run_through("--seconds", "2", "--tills", "3")
        whole = time.monotonic() - began
        self.assertRegex(text, r"(?m)^  verify: [1-9]\d* documents compared, 0 differences$")
        self.assertRegex(text, r"own writes read back +[1-9]\d*, stale: 0")
        self.assertRegex(text, r"replica1 +[1-9]\d* statements")
        self.assert_nothing_left()
        chance = random.Random()
        for _ in range(KILLS):
            moment = chance.uniform(0.05, whole)
            with self.subTest(killed_after=moment):
                demo = self.start("--seconds", "2", "--tills", "3")
                time.sleep(moment)
                os.killpg(demo.pid, signal.SIGKILL)
                demo.communicate()
                self.assert_nothing_left()
        self.run_through("--seconds", "1", "--tills", "2")
        self.assert_nothing_left()

    def test_interrupted(self):
        demo = self.start("--seconds", "60")
        for line in demo.stdout:
            if "tills sell" in line:
                break
        time.sleep(0.5)
        os.killpg(demo.pid, signal.SIGINT)
        text, _ = demo.communicate(timeout=60)
        self.assertEqual(demo.returncode, 130, text)
        self.assertIn("interrupted", text)
        self.assertNotIn("Traceback", text)
        self.assert_nothing_left()

    def test_kept(self):
        text = self.run_through("--seconds", "1", "--tills", "2", "--keep")
        self.assertRegex(text, r"mariadb -h 127.0.0.1 -P \d+ -u till")
        self.assertGreater(len(self.leftovers()), 5)
        self.run_through("--stop")
        self.assert_nothing_left()

    def test_failover(self):
        text = self.run_through("--failover", "--seconds", "1", "--tills", "6")
        self.assertRegex(text, r"sales acknowledged +[1-9]\d*\n")
        self.assertRegex(text, r"longest pause of a till +\d+\.\d\d s")
        self.assertRegex(text, r"ledger's verdict +nothing lost, doubled, torn or read back in time")
        self.assertNotEqual(*(re.search(r"the primary %s +(\w+)" % when, text).group(1) for when in ("was", "is")))
        self.assert_nothing_left()

    @unittest.skipIf(os.environ.get("MONGODB_URI"), "MONGODB_URI: a user's own server")
    def test_mongo_replicas(self):
        text = self.run_through("--mongo-replicas", "3", "--seconds", "2", "--tills", "3")
        killed, elected = re.search(r"MongoDB's primary \(port (\d+)\) was killed meanwhile, the one on port (\d+) elected", text).groups()
        self.assertNotEqual(killed, elected)
        self.assertIn("MongoDB's member on port %s comes back  ok" % killed, text)
        self.assertRegex(text, r"(?m)^  verify: [1-9]\d* documents compared, 0 differences$")
        self.assert_nothing_left()

    def test_own_files_that_cannot_be_loaded(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("customers.csv", "products.csv", "orders.csv", "orderlines.csv"):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                    f.write("no,such,header\n1,2,3\n")
            demo = self.start("--csv", folder, "--seconds", "1")
            text, _ = demo.communicate(timeout=120)
            self.assertEqual(demo.returncode, 1, text)
            self.assertIn("demo: FAILED", text)
            self.assert_nothing_left()


if __name__ == "__main__":
    unittest.main()
