"""A primary whose disk is full: it answers questions as ever, and lets writes wait."""

import unittest

import proxied  # noqa: F401 (the path)
from harness import chaos, disk, scratch
from harness.ledger import ACKNOWLEDGED

TILLS = 4


class FullDisk(unittest.TestCase):
    cluster = disk.OwnDisks

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
        self.assertLessEqual(set(result.errors), {1213})
        self.assertIsNot(self.failing.primary(), old)


class FullDataDisk(FullDisk):
    """Writes are refused, as InnoDB meets it, and the binlog has room: the errors 1114 and 1792 wait for another primary."""

    cluster = disk.BinlogsElsewhere


if __name__ == "__main__":
    unittest.main(verbosity=2)
