"""One transaction of very many rows: it is shown whole in each document, what comes behind it is right as well, and memory stays bounded.

Environment: ROWS, how many it has."""

import os
import re
import unittest

from mapped import Mapped

from harness import scratch
from harness.repeating import Repeating

ROWS = int(os.environ.get("ROWS", 10000))
EACH = 100  # elements of a document
MEMORY_MIB = 256

SCHEMA = """
CREATE DATABASE big;
CREATE TABLE big.Parent (id INT PRIMARY KEY, name VARCHAR(20));
CREATE TABLE big.Line (parent INT, no INT, v VARCHAR(20), PRIMARY KEY (parent, no));
"""

MAPPING = """
- collection: parents
  table: big.Parent
  key: [id]
  fields: {Name: name}
  arrays:
    Lines: {table: big.Line, on: {parent: id}, key: [no], fields: {No: no, V: v}}
"""


class Watch(Repeating):
    """Counts documents that show a part of a transaction: their elements differ."""

    def __init__(self, mongo):
        super().__init__(pause=0.1)
        self.parents = mongo.client()[mongo.database].parents
        self.torn = self.looks = 0

    def turn(self):
        self.torn += self.parents.count_documents({"$expr": {"$gt": [{"$size": {"$setUnion": ["$Lines.V", []]}}, 1]}})
        self.looks += 1


class LargeTest(unittest.TestCase):
    peak = 0  # MiB of the mirror

    @classmethod
    def setUpClass(cls):
        cls.world = cls.enterClassContext(Mapped(SCHEMA, MAPPING))
        cls.world.wait_state("streaming")

    def commit(self, *statements):
        """In one transaction, with another one behind it, both applied."""
        self.world.run("BEGIN", *statements, "COMMIT", "UPDATE Parent SET name = CONCAT(name, '+') WHERE id = 1", database="big")
        with Watch(self.world.mongo) as watch:
            self.world.wait_applied(timeout=1200)
            seen = watch.looks
            scratch.wait_until("a look", lambda: watch.looks > seen or not watch.is_alive(), 60)
        self.assertGreater(watch.looks, 0)
        self.assertEqual(watch.torn, 0)
        self.look_at_memory()
        self.compare()

    def look_at_memory(self):
        """The most that the mirror has had."""
        with open("/proc/%d/status" % self.world.mirror.pid, encoding="ascii") as f:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", f.read()).group(1)) // 1024
        LargeTest.peak = max(self.peak, peak)

    def compare(self):
        lines = {}
        for parent, no, v in self.world.rows("SELECT parent, no, v FROM big.Line ORDER BY parent, no"):
            lines.setdefault(parent, []).append({"No": no, "V": v})
        wanted = {p: (name, lines.get(p, [])) for p, name in self.world.rows("SELECT id, name FROM big.Parent")}
        got = {d["_id"]: (d["Name"], d["Lines"]) for d in self.world.mongo.db().parents.find()}
        self.assertEqual(sorted(got), sorted(wanted))
        for key, document in wanted.items():
            self.assertEqual(got[key], document, key)

    def snapshots(self):
        return self.world.mirror.log_text().count("mirror.snapshot collection=")

    def test_10_inserted(self):
        self.commit("INSERT INTO Parent SELECT seq, 'p' FROM seq_1_to_%d" % (ROWS // EACH),
                    "INSERT INTO Line SELECT 1 + (seq - 1) DIV {0}, (seq - 1) % {0}, 'first' FROM seq_1_to_{1}".format(EACH, ROWS))

    def test_20_updated_and_the_mirror_is_killed(self):
        self.world.run("UPDATE Line SET v = 'second'", database="big")
        scratch.wait_until("some of it", lambda: self.world.mongo.db().parents.find_one({"Lines.V": "second"}), 600)
        self.world.mirror.kill()
        self.world.mirror.start()
        self.commit("UPDATE Line SET v = 'third'")

    def test_30_moved_and_deleted(self):
        self.commit("UPDATE Line SET parent = parent + %d WHERE no %% 2 = 1" % (ROWS // EACH),
                    "INSERT INTO Parent SELECT seq + {0}, 'q' FROM seq_1_to_{0}".format(ROWS // EACH), "DELETE FROM Line WHERE no % 4 = 0",
                    "DELETE FROM Parent WHERE id BETWEEN 2 AND %d" % (ROWS // EACH // 2))

    def test_90_by_what_it_should(self):
        """By the binlog alone, within the bounds of memory, and the mirror itself finds nothing wrong."""
        self.assertEqual(self.snapshots(), 1)
        done = self.world.mirror.command("mirror", "verify", timeout=600)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        print("%d rows, the mirror's memory at most %d MiB" % (ROWS, self.peak))
        with open(self.world.mirror.binary, "rb") as f:
            sanitized = b"__asan_init" in f.read()
        if not sanitized:
            self.assertLess(self.peak, MEMORY_MIB)


if __name__ == "__main__":
    unittest.main()
