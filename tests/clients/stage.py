"""Where a client's program plays: a cluster, Tillway before it, the shop's tables, and what happens on the program's cues.

A cue is a line "@name" of the program's output; it waits until "go" stands on its input.
"""

import json
import os
import re
import subprocess
import threading

from harness import paths, scratch
from harness.tillway import Tillway

ROWS_TO_LOAD = 50000

# One account for each way to log in, its password its name: what it is made with, whether accounts_file has its password,
# and what Tillway must have seen of the log-in, by its log; the line of expected.txt that shows it.
ACCOUNTS = {
    "safe": ("BY 'safe' REQUIRE SSL", False, "plugin=mysql_native_password password=proved tls=TLS", "login by TLS"),
    "ed": ("VIA ed25519 USING PASSWORD('ed')", True, "plugin=client_ed25519 password=proved", "login by ed25519"),
    "fast": ("BY 'fast'", True, "plugin=caching_sha2_password password=proved", "login by caching_sha2"),
    "rsa": ("BY 'rsa'", False, 'plugin=caching_sha2_password password=told tls=""', "password by caching_sha2"),
    "told": ("BY 'told' REQUIRE SSL", False, "plugin=caching_sha2_password password=told tls=TLS",
             "password by caching_sha2 and TLS"),
    "clear": ("BY 'clear' REQUIRE SSL", False, "plugin=mysql_clear_password password=told tls=TLS",
              "password by clear and TLS"),
    "packed": ("BY 'packed'", False, 'tls="" compression=z', "compressed"),
    "tight": ("BY 'tight' REQUIRE SSL", False, "tls=TLS.* compression=z", "compressed and by TLS"),
}
# MariaDB 10.11 has no caching_sha2_password and makes no such account, but goes on to the next way of one that has it.
SHA2_FIRST = (
    "UPDATE mysql.global_priv SET priv = JSON_SET(priv, '$.auth_or',"
    " JSON_ARRAY(JSON_OBJECT('plugin', 'caching_sha2_password', 'authentication_string', ''), JSON_OBJECT()))"
    " WHERE user IN ('fast', 'rsa', 'told')")

ACCOUNTS_SQL = [
    *("CREATE OR REPLACE USER %s@'%%' IDENTIFIED %s" % (user, how[0]) for user, how in ACCOUNTS.items()),
    *("GRANT SELECT ON `%%`.* TO %s@'%%'" % user for user in ACCOUNTS),
    SHA2_FIRST, "FLUSH PRIVILEGES",
]
SCHEMA = [
    "CREATE OR REPLACE DATABASE shop CHARACTER SET utf8mb4",
    "CREATE TABLE shop.kinds (i BIGINT, u BIGINT UNSIGNED, d DECIMAL(20,4), f DOUBLE, s VARCHAR(40), b VARBINARY(40),"
    " t DATETIME(6), n INT)",
    "INSERT INTO shop.kinds VALUES (-9223372036854775808, 18446744073709551615, 1234567890123456.789, 0.5,"
    " 'naïve €😀', X'00FF10', '2024-02-29 23:59:59.123456', NULL)",
    "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(40))",
    "INSERT INTO shop.t VALUES (1,'one'),(2,'two'),(3,'three')",
    "CREATE TABLE shop.work (id INT PRIMARY KEY, v LONGTEXT)",
    "CREATE TABLE shop.loaded (id INT PRIMARY KEY, v VARCHAR(40))",
    "CREATE PROCEDURE shop.thrice(IN a INT, OUT b INT) BEGIN SELECT a; SELECT a * 2; SET b = a * 3; END",
]


class Failed(Exception):
    pass


def _run(cluster, statements):
    for sql in statements:
        cluster.primary.query(sql)
    cluster.wait_in_sync()


def lay_out(cluster):
    """The tables as every program finds them."""
    _run(cluster, SCHEMA)


def server_options(certificate):
    return ["--ssl-cert=" + certificate, "--ssl-key=" + certificate, "--plugin-dir=" + paths.server_plugins(),
            "--plugin-load-add=auth_ed25519.so"]


def tillway_before(cluster, certificate, ca):
    """Tillway that offers TLS as the servers do, and speaks it with them; not started. The accounts are whole before it reads them."""
    _run(cluster, ACCOUNTS_SQL)
    tillway = Tillway(cluster)
    known = os.path.join(tillway.folder, "accounts.yaml")
    with open(os.open(known, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
        f.writelines("%s: %s\n" % (user, user) for user, how in ACCOUNTS.items() if how[1])
    tillway.write_config({"accounts_file": known, "servers_tls": {"mode": "verify_ca", "ca": ca}, "listeners": [
        {"address": "127.0.0.1:%d" % tillway.port, "tls": {"certificate": certificate}}, {"address": tillway.socket}]})
    return tillway


def csv_file(folder):
    path = os.path.join(folder, "load.csv")
    with open(path, "w", encoding="ascii") as f:
        f.writelines("%d,row %d\n" % (i, i) for i in range(1, ROWS_TO_LOAD + 1))
    return path


class Direct:
    """On the primary itself: what the lines must be."""

    name = "directly"

    def __init__(self, cluster):
        self._cluster = cluster
        self.port, self.socket = cluster.primary.port, cluster.primary.socket

    def cue_restart(self):
        """The program's connections are lost."""
        self._cluster.primary.query("KILL USER till")

    def not_spoken(self, _cannot):
        return []

    def cue_balance(self):
        pass

    cue_balanced = cue_lose_replica = cue_replica_back = cue_balance


class Proxied:
    """Through Tillway."""

    name = "through Tillway"

    def __init__(self, cluster, tillway):
        self._cluster, self._tillway = cluster, tillway
        self.port, self.socket = tillway.port, tillway.socket
        self._before = self._victim = None

    def cue_restart(self):
        self._tillway.restart()

    def not_spoken(self, cannot):
        """Log-ins that Tillway did not see as they should have been."""
        log = self._tillway.log_text()
        wanted = {"session.login .*user=%s .*%s" % (user, seen): line for user, (_, _, seen, line) in ACCOUNTS.items()}
        return ["%s: no line %s in Tillway's log" % (line, pattern) for pattern, line in wanted.items()
                if line not in cannot and not re.search(pattern, log)]

    def _servers(self):
        return json.loads(self._tillway.command("stats", "json", check=True).stdout)["servers"]

    def _routed(self):
        return {s["name"]: sum(s["routed"].values()) for s in self._servers()}

    def _fresh(self):
        """Tillway knows, too, that the replicas are in sync."""
        return all(s["health"] == "up" and s["lag_ms"] == 0 for s in self._servers() if s["role"] == "replica")

    def cue_balance(self):
        self._cluster.wait_in_sync()
        scratch.wait_until("replicas without lag", self._fresh, 30)
        self._before = self._routed()

    def cue_balanced(self):
        """200 reads came since cue_balance: the replicas must have answered nearly all, and each of them some of the client's so far.
        Of these 200 one may have all: a few sessions that read at the same time gather at one replica."""
        after = self._routed()
        got = {name: after[name] - self._before[name] for name in after}
        replicas = [got[s.name] for s in self._cluster.replicas]
        if sum(replicas) < 190 or not all(after[s.name] for s in self._cluster.replicas):
            raise Failed("200 reads were not balanced: %s, of all so far %s" % (got, after))
        self._victim = self._cluster.replicas[replicas.index(max(replicas))]

    def cue_lose_replica(self):
        """The one that answers most is killed while the reads go on."""
        threading.Timer(0.05, self._victim.kill).start()

    def cue_replica_back(self):
        scratch.wait_until("the replica's end", lambda: not self._victim.alive(), 30)
        self._victim.restart()


def play(argv, where, csv, ca, timeout):
    """Run the program there; its lines. Failed: it ended badly or a cue's check failed."""
    env = dict(os.environ, DB_HOST="127.0.0.1", DB_PORT=str(where.port), DB_SOCKET=where.socket, DB_CSV=csv,
               DB_CA=ca, **{scratch.MARK: scratch.current().path})
    with open(csv + ".err", "w+", encoding="utf-8", errors="replace") as err:
        program = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, encoding="utf-8",
                                   errors="replace", env=env, start_new_session=True)
        watch = threading.Timer(timeout, program.kill)
        watch.start()
        lines = []
        try:
            conduct(program, where, lines)
            status = program.wait()
        except (Failed, OSError, RuntimeError) as error:
            program.kill()
            program.wait()
            raise Failed("%s\nafter:\n%s" % (error, "\n".join(lines))) from error
        finally:
            watch.cancel()
        err.seek(0)
        if status != 0:
            raise Failed("the program ended with status %d after:\n%s\n%s" % (status, "\n".join(lines), err.read()[-4000:]))
    return lines


def conduct(program, where, lines):
    """Gather the program's lines and do what its cues ask for, until its output ends."""
    for line in program.stdout:
        line = line.rstrip("\n")
        if not line.startswith("@"):
            lines.append(line)
            continue
        getattr(where, "cue_" + line[1:])()
        program.stdin.write("go\n")
        program.stdin.flush()
