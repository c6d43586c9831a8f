"""MariaDB's own tests through Tillway.

usage: test_mtr.py [--variant NAME] [--share N/OF] [--only TEST,…] client|main direct|primary|split [-- mtr options]

Every test of the list (client-tests.txt, main-tests.txt) runs, but for those of left-out.txt, each with its
reason there. A test that stands in failing.txt may fail; any other that fails is named, with its diff, and fails
this. After a failure in mtr's suite
the rest go on with fresh servers, for what a failed test leaves behind fails others.
A variant is one of mtr's own: the same tests by another protocol; those that say of themselves that they are not for it are
skipped.
In split mode the replicas must replicate to the end, and must have answered statements.
"""

import argparse
import json
import sys
import time

import client_suite
import main_suite
import servers
import suite

SUITES = {"client": ("client-tests.txt", client_suite.run), "main": ("main-tests.txt", main_suite.run)}


VARIANTS = ("ps-protocol", "cursor-protocol", "view-protocol", "sp-protocol", "compress")


class Report:
    def __init__(self, may_fail, may_skip):
        self.may_fail, self.may_skip = may_fail, may_skip
        self.passed, self.failed, self.known, self.skipped, self.problems = [], [], [], [], []
        self.replica_reads = 0
        self._last = time.monotonic()

    def add(self, test, verdict, output):
        now = time.monotonic()
        if verdict == "skipped" and self.may_skip:
            self.skipped.append(test)
            return
        known = verdict != "pass" and test in self.may_fail
        print("%-8s %5.1f s  %s" % ("known" if known else verdict, now - self._last, test), flush=True)
        self._last = now
        {"pass": self.passed}.get(verdict, self.known if known else self.failed).append(test)
        if verdict != "pass" and not known:
            print("\n".join(line[:400] for line in output.splitlines()), flush=True)

    def verdict(self, wanted):
        missing = [t for t in wanted if t not in self.passed + self.failed + self.known + self.skipped]
        mended = [t for t in self.passed if t in self.may_fail]
        print("%d passed, %d failed, %d failed as failing.txt says, %d skipped by mtr in this variant" % (
            len(self.passed), len(self.failed), len(self.known), len(self.skipped)))
        for what, names in (("FAILED", self.failed), ("DID NOT RUN", missing), ("FAILED", self.problems),
                            ("passes now, so take it out of failing.txt", mended)):
            for name in names:
                print("%s: %s" % (what, name))
        return 1 if self.failed or missing or self.problems or mended else 0


def check_servers(bench, report):
    """That split mode was one: replicas in order, and used."""
    if bench.mode != "split":
        return
    broken = bench.servers.broken()
    if broken:
        report.problems.append("replication stopped: " + broken)
    stats = json.loads(bench.tillway.command("stats", "json", check=True).stdout)
    reads = sum(sum(s["routed"].values()) for s in stats["servers"] if not s["writes"])
    print("replicas answered %d statements" % reads)
    report.replica_reads += reads


def run_on_one(mode, run, tests, extra, report, clean_after_failure):
    """The tests on one set of servers; returns those that are left when a failure calls for others."""
    with servers.Bench(mode) as bench:
        left = list(tests)  # mtr has an order of its own
        for test, verdict, output in run(bench, tests, extra):
            report.add(test, verdict, output)
            left.remove(test)
            if verdict == "fail" and clean_after_failure:
                break
        check_servers(bench, report)
    return left


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("mode", choices=servers.MODES)
    parser.add_argument("--variant", choices=VARIANTS)
    parser.add_argument("--share", default="1/1")
    parser.add_argument("--only")
    parser.add_argument("extra", nargs="*")
    args = parser.parse_args()
    if args.variant and args.suite != "main":
        parser.error("variants are mtr's")
    file, run = SUITES[args.suite]
    number, of = map(int, args.share.split("/"))
    modes = [args.mode] + ([args.variant] if args.variant else [])
    extra = args.extra + (["--" + args.variant] if args.variant else [])
    left_out = suite.exceptions("left-out.txt", args.suite, modes)
    tests = args.only.split(",") if args.only else suite.share(
        [t for t in suite.names(file) if t not in left_out], number, of)
    report = Report(suite.exceptions("failing.txt", args.suite, modes), may_skip=bool(args.variant))
    rest, before = tests, None
    while rest and rest != before:
        before, rest = rest, run_on_one(args.mode, run, rest, extra, report, args.suite == "main")
    if args.mode == "split" and not report.replica_reads:
        report.problems.append("no statement went to a replica")
    return report.verdict(tests)


if __name__ == "__main__":
    sys.exit(main())
