#!/usr/bin/env python3
"""One client against the primary itself, then through Tillway: both times it must print what expected.txt says.

usage: run.py CLIENT [PROGRAM]     status 77: the client's language is not installed
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

import stage  # noqa: E402
import toolchains  # noqa: E402
from harness import scratch  # noqa: E402
from harness.certs import Authority  # noqa: E402
from harness.cluster import Cluster  # noqa: E402

SKIPPED = 77
SECONDS = 240  # for one run of a program, far more than it needs

FAST, RSA, CLEAR, ED25519 = "login by caching_sha2", "password by caching_sha2", "password by clear and TLS", "login by ed25519"
NO_RSA = "it tells a password by TLS only"
NEVER_OFFERS = "it never offers mysql_clear_password by itself, and nobody asks for it here"
NO_ED25519 = "it has no ed25519"

# client: how to get its program, and the lines that it cannot print or prints wrong without Tillway, too, with the reason.
CLIENTS = {
    "c": (toolchains.c, {}),
    "pymysql": (lambda: toolchains.python("pymysql", None), {
        "types as binary": "PyMySQL has no binary protocol", "big row as binary": "PyMySQL has no binary protocol",
        **dict.fromkeys(("compressed", "compressed and by TLS", "compressed big row"), "PyMySQL has no compression"),
        FAST: "asked to switch to it, it hashes the nonce with the NUL behind it, and has to tell its password",
        CLEAR: NEVER_OFFERS}),
    "mysqlclient": (lambda: toolchains.python("mysqlclient", "MySQLdb"), {
        "types as binary": "mysqlclient has no binary protocol",
        "big row as binary": "mysqlclient has no binary protocol"}),
    "connector-python": (lambda: toolchains.python("connector", "mysql.connector"), {
        "big row as binary": "it cuts a binary row at 16 MiB, also without Tillway",
        RSA: NO_RSA, ED25519: NO_ED25519}),
    "connector-python-c": (lambda: toolchains.python("connector-c", "mysql.connector"), {
        "types as binary": "it reads BIGINT UNSIGNED as signed, also without Tillway",
        RSA: NO_RSA, ED25519: NO_ED25519}),
    "mysql2": (lambda: toolchains.node("mysql2"), {ED25519: NO_ED25519, CLEAR: NEVER_OFFERS}),
    "mariadb-node": (lambda: toolchains.node("mariadb"), {CLEAR: NEVER_OFFERS}),
    "connector-j": (lambda: toolchains.java(), {
        "login by socket": "it needs another library for it",
        "latin1": "it always speaks utf8mb4", CLEAR: NEVER_OFFERS}),
    "go": (lambda: toolchains.go(), {CLEAR: NEVER_OFFERS}),
    "php-mysqli": (lambda: toolchains.php("mysqli", "program_mysqli.php"), {ED25519: NO_ED25519, CLEAR: NEVER_OFFERS}),
    "php-pdo": (lambda: toolchains.php("pdo_mysql", "program_pdo.php"), {ED25519: NO_ED25519, CLEAR: NEVER_OFFERS}),
    "mysql-async": (toolchains.rust, {"latin1": "it always speaks utf8mb4", CLEAR: NEVER_OFFERS}),
}


def expected(cannot):
    """The lines of expected.txt but for those that the client cannot print."""
    with open(os.path.join(toolchains.HERE, "expected.txt"), encoding="utf-8") as f:
        lines = [line.rstrip("\n") for line in f if not line.startswith("#")]
    unknown = set(cannot) - {line.split(": ")[0] for line in lines}
    assert not unknown, "expected.txt has no %s" % unknown
    return [line for line in lines if line.split(": ")[0] not in cannot]


def same(want, got):
    """Equal; a client that does not tell the SQLSTATE prints ? in its place."""
    words_want, words_got = want.split(), got.split()
    return len(words_want) == len(words_got) and all(
        a == b or (b == "?" and len(a) == 5 and a.isalnum()) for a, b in zip(words_want, words_got))


def compare(want, got):
    """The lines that differ, as text."""
    wrong = ["expected %s\n     got %s" % (a, b) for a, b in zip(want, got) if not same(a, b)]
    wrong += ["missing  " + line for line in want[len(got):]]
    wrong += ["not expected: " + line for line in got[len(want):]]
    return "\n".join(wrong)


def check(argv, cannot):
    """0 if both runs print what they must."""
    want = expected(cannot)
    csv = stage.csv_file(scratch.current().folder("client"))
    authority = Authority(scratch.current().folder("certs"))
    certificate = authority.issue("shop")
    with Cluster(replicas=2, options=stage.server_options(certificate)) as cluster, \
            stage.tillway_before(cluster, certificate, authority.pem) as tillway:
        for where in (stage.Direct(cluster), stage.Proxied(cluster, tillway)):
            stage.lay_out(cluster)
            got = stage.play(argv, where, csv, authority.pem, SECONDS)
            wrong = compare(want, [line for line in got if line.split(": ")[0] not in cannot])
            wrong = "\n".join(filter(None, [wrong, *where.not_spoken(cannot)]))
            print("%s: %s" % (where.name, "FAILED\n" + wrong if wrong else "%d lines as expected" % len(want)))
            if wrong:
                return 1
    return 0


def main():
    ready, cannot = CLIENTS[sys.argv[1]]
    try:
        argv = ready(*sys.argv[2:])
    except toolchains.Missing as missing:
        print("skipped: %s" % missing)
        return SKIPPED
    for line, reason in cannot.items():
        print("left out: %s (%s)" % (line, reason))
    try:
        return check(argv, cannot)
    except stage.Failed as error:
        print("FAILED: %s" % error)
        return 1


if __name__ == "__main__":
    sys.exit(main())
