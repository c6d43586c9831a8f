"""Generated sessions on a primary alone and through Tillway with lagging replicas, or none: replies equal, byte for byte.

usage: test_differential.py [--replicas N] [--seed N] [--known N...] [--seconds N] [--cases N] [--steps N]

What may differ, and is masked: the ids of prepared statements, and MAY_DIFFER in wire.py. A difference is shrunk: the
steps that it takes are printed, with the seed that makes the case again.
"""

import argparse
import contextlib
import itertools
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import cases  # noqa: E402
from harness.cluster import TILL_PASSWORD, TILL_USER, Cluster  # noqa: E402
from harness.tillway import Tillway  # noqa: E402
from wire import Client  # noqa: E402

SHRINK_TRIES = 120
DATABASE = "sessions"
RESET_CONNECTION = 0x1F


class Lag(threading.Thread):
    """Stops and starts the replicas' SQL threads at random moments, while in its block."""

    def __init__(self, replicas, seed):
        super().__init__(daemon=True)
        self._replicas, self._random, self._over = replicas, random.Random(seed), threading.Event()

    def run(self):
        while self._replicas and not self._over.wait(self._random.uniform(0.05, 0.4)):
            replica = self._random.choice(self._replicas)
            replica.stop_slave("SQL_THREAD")
            self._over.wait(self._random.uniform(0.01, 0.3))
            replica.start_slave("SQL_THREAD")

    def __enter__(self):
        self.start()

    def __exit__(self, *error):
        self._over.set()
        self.join()


class Side:
    """Where a case runs: a door for clients, and a server to make the schema on."""

    def __init__(self, server, host, port):
        self.server, self.host, self.port = server, host, port

    def make(self, database):
        self.server.query("CREATE DATABASE " + database)
        for sql in cases.SCHEMA:
            self.server.query(sql, database=database)

    def run(self, database, steps):
        """Yields the reply to each step."""
        open_now = {}
        try:
            for name, c, *args in steps:
                if name == "open":
                    if c in open_now:
                        open_now.pop(c).close()
                    open_now[c] = Client(self.host, self.port, TILL_USER, TILL_PASSWORD, database, args[0])
                    yield []
                elif name == "query":
                    yield open_now[c].query(args[0].encode())
                elif name == "prepare":
                    yield open_now[c].prepare(args[0], args[1].encode())
                else:
                    yield getattr(open_now[c], name)(*args)
                if is_begun_anew(name, args):
                    open_now[c].query(cases.COUNTED[0].encode())
        finally:
            for client in open_now.values():
                client.close()


def is_begun_anew(name, args):
    """MariaDB's FOUND_ROWS() goes on to count what the user before selected."""
    return name == "change_user" or (name == "simple" and args[0] == RESET_CONNECTION)


def difference(sides, database, steps):
    """The first step that the two sides answer otherwise: (its place, truth, Tillway), else None."""
    with contextlib.closing(sides[0].run(database, steps)) as a, contextlib.closing(sides[1].run(database, steps)) as b:
        for place, (truth, shown) in enumerate(zip(a, b)):
            if truth != shown:
                return place, truth, shown
    return None


def belongs_to_open(step):
    """A connection is of no use without its table as it was at first, nor without found rows of its own."""
    return step[0] == "open" or (step[0] == "query" and (
        step[2].startswith("CREATE OR REPLACE TABLE t") or step[2] == cases.COUNTED[0]))


def shrink(sides, database, steps, found):
    """As few of the steps as still differ."""
    steps, tries, size = steps[:found[0] + 1], 0, 16
    while size:
        at = len(steps) - 1 - size
        while at >= 0 and tries < SHRINK_TRIES:
            fewer = steps[:at] + [s for s in steps[at:at + size] if belongs_to_open(s)] + steps[at + size:]
            tries += 1
            again = None
            with contextlib.suppress(KeyError, EOFError, OSError):  # not a case any more
                again = difference(sides, database, fewer) if len(fewer) < len(steps) else None
            if again:
                steps, found = fewer[:again[0] + 1], again
                at = min(at, len(steps) - 1)
            at -= size
        size //= 2
    return steps, found


def show(seed, steps, found):
    print("DIFFERENCE; the case again: --seed %d --cases 1" % seed)
    for step in steps:
        print("   ", step)
    print("    primary: %s\n    Tillway: %s" % (found[1], found[2]), flush=True)


def run_cases(sides, args):
    """How many cases ran, and the seeds of those that differ."""
    end, count, bad = time.monotonic() + args.seconds, 0, []
    seeds = itertools.chain(args.known, itertools.count(args.seed))
    while count < args.cases and time.monotonic() < end and len(bad) < args.differences:
        seed = next(seeds)
        steps = cases.Maker(seed, DATABASE, args.steps).steps()
        found = difference(sides, DATABASE, steps)
        count += 1
        if found:
            bad.append(seed)
            show(seed, *shrink(sides, DATABASE, steps, found))
        if count % 50 == 0:
            print("%d sessions, %d differ" % (count, len(bad)), flush=True)
    return count, bad


def spread(tillway):
    """Statements by replicas, and those that shared a connection."""
    stats = json.loads(tillway.command("stats", "json", check=True).stdout)
    return sum(sum(s["routed"].values()) for s in stats["servers"] if not s["writes"]), stats["statements_shared"]


def planted_is_found(sides, cluster):
    """A row that only the replicas (the one server) have must show as a difference, else this test proves nothing."""
    steps = [("open", 0, True), ("query", 0, "SELECT id, v FROM fixed ORDER BY id")]
    for side in sides:
        side.make("planted")
    cluster.wait_in_sync()
    for server in cluster.replicas or [cluster.primary]:
        server.query("UPDATE fixed SET v='planted' WHERE id=1", database="planted", init_command="SET sql_log_bin=0")
    return difference(sides, "planted", steps) is not None


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--known", type=int, nargs="*", default=[], help="seeds that go first")
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--cases", type=int, default=100000)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--differences", type=int, default=1, help="stop after so many")
    args = parser.parse_args()
    print("seed %d" % args.seed, flush=True)
    config = {"pool": {"diagnostics": 0}}  # warnings are not lost by time
    with Cluster(replicas=0) as alone, Cluster(replicas=args.replicas) as cluster, Tillway(cluster, config=config) as tillway:
        sides = (Side(alone.primary, alone.primary.host, alone.primary.port),
                 Side(cluster.primary, tillway.host, tillway.port))
        if not planted_is_found(sides, cluster):
            print("FAILED: a planted difference was not found")
            return 1
        for side in sides:
            side.make(DATABASE)
            side.server.query("SET GLOBAL lock_wait_timeout=5")
        with Lag(cluster.replicas, args.seed):
            count, bad = run_cases(sides, args)
        reads, shared = spread(tillway)
    print("%d sessions, %d statements by replicas, %d shared a connection, %d differ %s" % (count, reads, shared, len(bad), bad))
    return 1 if bad or not (reads if args.replicas else shared) or not count else 0


if __name__ == "__main__":
    sys.exit(main())
