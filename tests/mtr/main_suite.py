"""Tests of mtr's main suite against one server or proxy."""

import os
import re
import subprocess

import suite
from harness import scratch

VERDICT = re.compile(r"^main\.(\S+)(?: '[^']*')*\s+\[ (pass|fail|skipped|retry-\w+) \]\s*(.*)$")


def _argv(bench, extra):
    options = {"host": bench.host, "port": bench.port, "user": "root", "protocol": "tcp", "socket": "/nonexistent"}
    argv = ["perl", "mariadb-test-run.pl"]
    for name, value in options.items():
        argv += ["--extern", "%s=%s" % (name, value)]
    return argv + ["--vardir=" + bench.servers.vardir, "--force", "--max-test-fail=0", "--retry=0", "--testcase-timeout=8",
                   "--suite-timeout=60", "--nocheck-testcases", "--suite=main"] + list(extra)


def _environment(bench):
    # The socket that isn't there keeps "localhost" from going round the proxy. By the other one mysqltest makes its
    # views and procedures in the variants that have them.
    return dict(os.environ, MASTER_MYPORT=str(bench.port), MASTER_MYSOCK="/nonexistent", MYSQL_UNIX_PORT=bench.socket,
                **{scratch.MARK: scratch.current().path})


def _link_all(source, target, but=()):
    os.makedirs(target)
    for name in os.listdir(source):
        if name not in but:
            os.symlink(os.path.join(source, name), os.path.join(target, name))


def own_folder():
    """mtr's folder for this process, made of links: mtr writes .reject files beside the results."""
    copy = os.path.join(scratch.current().folder("suite"), "usr")
    inner = ("", "share", "mysql", "mysql-test", "main", None)
    for depth, but in enumerate(inner[1:], 1):
        path = os.path.join(*inner[:depth])
        _link_all(os.path.join(suite.home(), path), os.path.join(copy, path), (but,))
    return os.path.join(copy, "share", "mysql", "mysql-test")


def run(bench, tests, extra=()):
    """Runs them in one go; yields (test, "pass" or "fail" or "skipped", its output)."""
    argv = _argv(bench, extra) + ["main." + t for t in tests]
    process = subprocess.Popen(argv, cwd=own_folder(), env=_environment(bench), stdin=subprocess.DEVNULL, text=True,
                               errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told, seen = None, []
    with process:
        for line in process.stdout:
            match = VERDICT.match(line)
            if not match:
                seen.append(line)
                continue
            if told:
                yield told + ("".join(seen),)
            told, seen = (match[1], match[2]), [match[3] + "\n"]
        if told:
            yield told + ("".join(seen),)
        else:
            raise RuntimeError("mtr ran no test:\n" + "".join(seen))
