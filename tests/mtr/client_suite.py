"""Tests of mariadb-client-test (the C API's own) against one server or proxy, one process a test."""

import os
import subprocess

import suite
from harness import scratch

TIMEOUT = 120  # seconds; the longest takes 6 on an idle machine


def run(bench, tests, extra=()):
    """Yields (test, "pass" or "fail" or "skipped", its output)."""
    program = os.path.join(suite.home(), "bin", "mariadb-client-test")
    environment = dict(os.environ, **{scratch.MARK: scratch.current().path})
    for test in tests:
        argv = [program, "--no-defaults", "--host=" + bench.host, "--port=%d" % bench.port, "--user=root",
                "--database=test", "--vardir=" + bench.servers.vardir, "--testcase", "--silent", *extra, test]
        try:
            done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, text=True, errors="replace",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT)
            yield test, "pass" if done.returncode == 0 else "fail", done.stdout
        except subprocess.TimeoutExpired as late:
            yield test, "fail", "not done after %d s:\n%s" % (TIMEOUT, late.output)
