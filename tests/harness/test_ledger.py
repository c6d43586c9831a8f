"""The judge of histories must reject bad ones."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.ledger import ACKNOWLEDGED, FAILED, UNKNOWN, Ledger, check  # noqa: E402


def ledger(sales, reads=()):
    made = Ledger()
    for number, how in enumerate(sales, 1):
        made.attempt(7, number)
        if how:
            made.ended(7, number, how)
    for acknowledged, seen, *session in reads:
        made.read(7, session[0] if session else 1, acknowledged, seen)
    return made


def rows(*numbers):
    return [(7, n) for n in numbers]


class Judge(unittest.TestCase):
    def assert_rejected(self, word, made, found, taken=None):
        complaints = check(made, found, len(found) if taken is None else taken)
        self.assertEqual(len(complaints), 1, complaints)
        self.assertTrue(complaints[0].startswith(word), complaints)

    def test_good_histories(self):
        for found in (rows(1, 2), rows(1, 2, 4), rows(1, 2, 5), rows(1, 2, 4, 5)):
            made = ledger([ACKNOWLEDGED, ACKNOWLEDGED, FAILED, UNKNOWN, None], [(0, 0), (1, 1), (2, 2), (2, 3)])
            self.assertEqual(check(made, found, len(found)), [])

    def test_another_session_may_see_less(self):
        made = ledger([ACKNOWLEDGED, ACKNOWLEDGED], [(1, 1, 1), (2, 2, 1), (0, 1, 2), (0, 2, 2)])
        self.assertEqual(check(made, rows(1, 2), 2), [])

    def test_lost(self):
        self.assert_rejected("lost", ledger([ACKNOWLEDGED, ACKNOWLEDGED]), rows(1))

    def test_doubled(self):
        self.assert_rejected("doubled", ledger([ACKNOWLEDGED]), rows(1, 1))
        self.assert_rejected("doubled", ledger([UNKNOWN]), rows(1, 1))

    def test_kept_although_told_otherwise(self):
        self.assert_rejected("kept", ledger([FAILED]), rows(1))

    def test_invented(self):
        self.assert_rejected("invented", ledger([ACKNOWLEDGED]), rows(1, 2))

    def test_torn(self):
        self.assert_rejected("torn", ledger([ACKNOWLEDGED]), rows(1), taken=2)

    def test_stale(self):
        self.assert_rejected("stale", ledger([ACKNOWLEDGED], [(1, 0)]), rows(1))
        self.assert_rejected("stale", ledger([ACKNOWLEDGED], [(1, 1, 1), (1, 0, 2)]), rows(1))

    def test_back_in_time(self):
        self.assert_rejected("back", ledger([ACKNOWLEDGED, UNKNOWN], [(1, 2), (1, 1)]), rows(1, 2))


if __name__ == "__main__":
    unittest.main(verbosity=2)
