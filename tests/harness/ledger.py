"""What tills did and saw, kept outside of the database, and the judge of it, in the manner of Jepsen.

A till numbers its sales and never uses a number again. Each attempt ends in one of four ways: acknowledged, failed
(MariaDB said that nothing was kept), unknown (nobody could say), or it is under way for ever. Reads tell how many of
its own sales a till saw, in which of its sessions: what one has written or seen is not promised to the next.
"""

import collections
import threading

ACKNOWLEDGED, FAILED, UNKNOWN = "acknowledged", "failed", "unknown"


class Ledger:
    """Any thread may write."""

    def __init__(self):
        self._lock = threading.Lock()
        self.sales = {}  # (till, number): how it ended
        self.reads = collections.defaultdict(list)  # (till, session): (sales it is to see, sales seen), in order
        self.errors = collections.Counter()  # by number
        self.pauses = collections.defaultdict(float)  # till: the longest statement, seconds

    def attempt(self, till, number):
        with self._lock:
            self.sales[till, number] = None

    def ended(self, till, number, how):
        with self._lock:
            self.sales[till, number] = how

    def read(self, till, session, acknowledged, seen):
        with self._lock:
            self.reads[till, session].append((acknowledged, seen))

    def error(self, code):
        with self._lock:
            self.errors[code] += 1

    def took(self, till, seconds):
        with self._lock:
            self.pauses[till] = max(self.pauses[till], seconds)

    def count(self, how):
        with self._lock:
            return sum(1 for ended in self.sales.values() if ended == how)

    def longest_pause(self):
        with self._lock:
            return max(self.pauses.values(), default=0.0)


def check(ledger, rows, stock_taken):
    """rows: (till, number) of every sale that the database has in the end. stock_taken: what all of them together
    took from the shelf. A list of complaints; empty: the history is right."""
    found = collections.Counter(rows)
    complaints = []
    for sale, how in sorted(ledger.sales.items()):
        n = found.pop(sale, 0)
        if n > 1:
            complaints.append("doubled: sale %s of till %s stands %d times" % (sale[1], sale[0], n))
        if how == ACKNOWLEDGED and n == 0:
            complaints.append("lost: sale %s of till %s was acknowledged" % (sale[1], sale[0]))
        if how == FAILED and n > 0:
            complaints.append("kept: sale %s of till %s was told to have failed" % (sale[1], sale[0]))
    for sale in sorted(found):
        complaints.append("invented: nobody sold %s at till %s" % (sale[1], sale[0]))
    if stock_taken != len(rows):
        complaints.append("torn: %d sales took %d from the shelf" % (len(rows), stock_taken))
    return complaints + check_reads(ledger)


def check_reads(ledger):
    """A session sees its own acknowledged writes, and never less than before."""
    complaints = []
    for (till, _), reads in sorted(ledger.reads.items()):
        most = 0
        for acknowledged, seen in reads:
            if seen < acknowledged:
                complaints.append("stale: till %s saw %d of its %d sales" % (till, seen, acknowledged))
            if seen < most:
                complaints.append("back in time: till %s saw %d sales after %d" % (till, seen, most))
            most = max(most, seen)
    return complaints
