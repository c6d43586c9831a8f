"""A primary whose disk is full: it answers questions as ever, and lets writes wait."""

import unittest

import proxied  # noqa: F401 (the path)
from harness import chaos, disk, scratch
from harness.ledger import ACKNOWLEDGED

TILLS = 4


NO_ROOM = (1114, 1792)  # as InnoDB says it


class FullDisk(unittest.TestCase):
    cluster = disk.OwnDisks
    errors = (1213,)  # that tills may see more often than once each

    def setUp(self):
        why = disk.available()
        if why:
            self.skipTest(why)
        self.failing = self.enterContext(chaos.Failing(cluster=self.cluster))

    def test_another_primary_takes_over(self):
        told = []

        def struck(failing):
            undo = chaos.disk_full(failing)
            told.append(scratch.wait_until("its word in the status", lambda: "its disk is full" in failing.tillway.command(
                "cluster", "status").stdout, 30))
            return undo

        old = self.failing.primary()
        result = self.failing.run(struck, tills=TILLS, seconds=0.3)
        print("pause %.2f s, errors %s" % (result.pause, result.errors))
        self.assertEqual(told, [True])
        self.assertEqual(result.complaints, [])
        self.assertGreater(result.ledger.count(ACKNOWLEDGED), 10 * TILLS)
        self.assertLessEqual(sum(n for code, n in result.errors.items() if code not in self.errors), TILLS)
        self.assertIsNot(self.failing.primary(), old)


class FullDataDisk(FullDisk):
    """Writes are refused, as InnoDB meets it, and the binlog has room."""

    cluster = disk.BinlogsElsewhere
    errors = (1213,) + NO_ROOM


if __name__ == "__main__":
    unittest.main(verbosity=2)
