"""A network that breaks: the primary, alone or with a Tillway and its tills, on one side, the replicas and another Tillway on the other."""

import time
import unittest

import proxied  # noqa: F401 (the path)
from harness import chaos, network

TILLS = 6


class Partition(unittest.TestCase):
    def setUp(self):
        why = network.available()
        if why:
            self.skipTest(why)

    def strike(self, name, fault):
        with chaos.WHERE[name]() as failing:
            result = failing.run(fault, tills=TILLS, seconds=0.3)
        print("%s: %d sales, pause %.2f s, errors %s" % (
            name, result.acknowledged, result.pause, result.errors))
        self.assertEqual(result.complaints, [])
        self.assertEqual({code for code in result.errors if code != 1213}, set())

    def test_the_primary_is_cut_off(self):
        self.strike("cut", chaos.cut)

    def test_the_primary_is_cut_off_together_with_some_tills(self):
        self.strike("isolate", lambda failing: chaos.isolate(failing, self.check_far_side))

    def check_far_side(self, failing):
        """There is another primary by now: nobody may sell at the old one any more."""
        old = failing.cluster.primary
        before = old.query("SELECT @@gtid_binlog_pos")
        time.sleep(chaos.ISOLATED)
        self.assertEqual(old.query("SELECT @@gtid_binlog_pos"), before)
        self.assertIn("no majority answers", failing.tillways[1].command("cluster", "status").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
