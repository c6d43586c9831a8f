"""Tills that sell while servers are taken away, and the ledger that says what came of it.

    with Failing(exactly_once=True) as f:
        result = f.run(faults.kill, tills=16, seconds=2)
        assert not result.complaints

Six kinds take turns: by autocommit, by procedure, by transaction; each as text and prepared.
"""

import contextlib
import functools
import json
import os
import random
import re
import subprocess
import threading
import time

import pymysql

from . import disk, network, paths, scratch
from .binary import Binary, Failed
from .cluster import REPL_PASSWORD, REPL_USER, SERVICE_USER, TILL_USER, Cluster
from .galera import Galera
from .ledger import ACKNOWLEDGED, FAILED, UNKNOWN, Ledger, check
from .tillway import Tillway

ROLLED_BACK = {1213, 1205}  # MariaDB says that nothing was kept
ISOLATED = 3.0  # seconds: two leases
# A server that comes back throws away what no replica acknowledged.
RESTART = ["--read-only=1", "--init-rpl-role=SLAVE", "--rpl-semi-sync-slave-enabled=1"]
FAILOVER = {"enabled": True, "user": REPL_USER, "password": REPL_PASSWORD, "wait": "30s"}
OUTCOME = ("CREATE TABLE tillway.outcome (proxy BIGINT UNSIGNED, session BIGINT UNSIGNED, number BIGINT UNSIGNED NOT NULL,"
           " at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, PRIMARY KEY (proxy, session))"
           " ENGINE=InnoDB")
SHOP = [
    "CREATE OR REPLACE TABLE shop.sale (id INT PRIMARY KEY AUTO_INCREMENT, till INT, number INT, KEY (till))",
    "CREATE OR REPLACE TABLE shop.shelf (till INT PRIMARY KEY, n INT)",
    # A shelf is kept by the trigger where a sale is one statement, by the till where it is a transaction.
    "CREATE OR REPLACE TABLE shop.quick (id INT PRIMARY KEY AUTO_INCREMENT, till INT, number INT, KEY (till))",
    "CREATE TRIGGER shop.quick_takes AFTER INSERT ON shop.quick FOR EACH ROW"
    " UPDATE shop.shelf SET n = n + 1 WHERE till = NEW.till",
    "CREATE OR REPLACE PROCEDURE shop.sell(t INT, k INT) BEGIN"
    " DECLARE own BOOL DEFAULT @@autocommit AND NOT @@in_transaction;"
    " IF own THEN START TRANSACTION; END IF;"
    " INSERT INTO sale (till, number) VALUES (t, k); UPDATE shelf SET n = n + 1 WHERE till = t;"
    " IF own THEN COMMIT; END IF; END",
]
COUNT = "SELECT (SELECT COUNT(*) FROM sale WHERE till = %s) + (SELECT COUNT(*) FROM quick WHERE till = %s)"


def _documented(page):
    """The GRANTs for the monitor's account that a page of the documentation has to be copied."""
    with open(os.path.join(paths.ROOT, "docs", page), encoding="utf-8") as f:
        blocks = re.findall(r"```sql\n(.*?)```", f.read(), re.S)
    return [g for block in blocks for g in re.findall(r"(?m)^(GRANT .* TO tillway@'%');", block)]


def grant(primary):
    """The monitor's account gets the rights that the documentation lists, and no other."""
    primary.query("REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s@'%%'" % SERVICE_USER)
    for sql in _documented("monitor.md") + _documented("failover.md"):
        primary.query(sql)


def make_outcome(primary):
    """What exactly_once writes into."""
    primary.query("CREATE DATABASE tillway")
    primary.query(OUTCOME)
    primary.query("GRANT SELECT, INSERT, UPDATE ON tillway.outcome TO %s@'%%'" % TILL_USER)


class _Text:
    """A connection that sends statements as text."""

    def __init__(self, tillway):
        self._connection = tillway.connect(database="shop", read_timeout=60)

    def run(self, sql, *values):
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())

    def close(self):
        self._connection.close()


class _Prepared:
    """A connection that sends prepared statements."""

    def __init__(self, tillway):
        self._binary = Binary(tillway.port, database="shop", socket=tillway.till_socket)
        self._statements = {}

    def run(self, sql, *values):
        if not values:
            self._binary.query(sql)
            return []
        if sql not in self._statements:
            self._statements[sql] = self._binary.prepare(sql.replace("%s", "?"))
        return self._statements[sql].execute(*values)

    def close(self):
        self._binary.close()


def _autocommit(till, number):
    till.run("INSERT INTO quick (till, number) VALUES (%s, %s)", till.number, number)


def _procedure(till, number):
    till.run("CALL sell(%s, %s)", till.number, number)


def _transaction(till, number):
    till.run("BEGIN")
    till.run("INSERT INTO sale (till, number) VALUES (%s, %s)", till.number, number)
    till.run("SELECT n FROM shelf WHERE till = %s", till.number)
    till.run("UPDATE shelf SET n = n + 1 WHERE till = %s", till.number)
    till.run("COMMIT")


WAYS = (_autocommit, _procedure, _transaction)


class _Till(threading.Thread):
    def __init__(self, number, tillways, ledger, seed):
        super().__init__(daemon=True)
        self.number, self.tillways, self.ledger = number, tillways, ledger
        self.at = number % len(tillways)  # which of them it goes through
        self.random = random.Random("%s/%s" % (seed, number))
        self.way = WAYS[number % len(WAYS)]
        self.kind = _Text if number % 2 else _Prepared
        self.ended = threading.Event()
        self.connection = None
        self.session = 0
        self.acknowledged = 0
        self.promised = 0  # of these, what the session is to see: all, once it has sold itself
        self.sold = 0

    def run(self, *statement):
        if not statement:
            self._sell_on()
            return None
        begun = time.monotonic()
        try:
            return self.connection.run(*statement)
        finally:
            self.ledger.took(self.number, time.monotonic() - begun)

    def _sell_on(self):
        while not self.ended.is_set():
            self.sold += 1
            self.ledger.attempt(self.number, self.sold)
            self._guard(self._sell, self.sold)
            self._guard(self._look, None)
            time.sleep(self.random.random() * 0.01)
        if self.connection:
            self.connection.close()

    def _guard(self, action, number):
        try:
            if self.connection is None:
                self.connection = self.kind(self.tillways[self.at])
                self.session += 1
                self.promised = 0
            action()
        except (pymysql.err.MySQLError, Failed, OSError) as error:
            self._failed(error.args[0] if error.args else 0, number)

    def _sell(self):
        self.way(self, self.sold)
        self.acknowledged += 1
        self.promised = self.acknowledged
        self.ledger.ended(self.number, self.sold, ACKNOWLEDGED)

    def _look(self):
        seen = self.run(COUNT, self.number, self.number)
        self.ledger.read(self.number, self.session, self.promised, int(seen[0][0]))

    def _failed(self, code, number):
        if isinstance(code, str) or code < 1000:
            code = 0  # of the operating system, or the connection ended in the middle of a packet
        self.ledger.error(code)
        if number is not None:
            self.ledger.ended(self.number, number, FAILED if code in ROLLED_BACK else UNKNOWN)
        if 2000 <= code < 3000 or code == 0:  # the client's own: the connection is of no use
            self.connection = None
            self.at = (self.at + 1) % len(self.tillways)
        elif self.connection and code not in ROLLED_BACK:
            with contextlib.suppress(pymysql.err.MySQLError, Failed):
                self.connection.run("ROLLBACK")


class Result:
    def __init__(self, ledger, complaints):
        self.ledger, self.complaints = ledger, complaints
        self.acknowledged = ledger.count(ACKNOWLEDGED)
        self.pause = ledger.longest_pause()
        self.errors = dict(ledger.errors)


def all_acknowledge(status, cluster):
    """Whether `tillway cluster status` has each replica there, its acknowledgements count, and nothing is under way."""
    replicas = re.findall(r": replica, up, .*, acknowledges", status)
    return "this Tillway: watch\n" in status and len(replicas) == len(cluster.servers) - 1


class Failing:
    """A cluster with failover on, Tillways before it (`proxies`: the class of each), and the shop's tables."""

    restart = RESTART  # how a server comes back

    def __init__(self, exactly_once=True, proxies=(Tillway,), cluster=Cluster):
        self.exactly_once, self.proxies = exactly_once, proxies
        self.cluster = cluster()
        self.tillways = []

    @property
    def tillway(self):
        """One that runs."""
        return next(t for t in self.tillways if t.alive())

    def __enter__(self):
        self.cluster.start()
        try:
            self._prepare()
        except BaseException:
            self.__exit__(Exception, None, None)
            raise
        return self

    def _prepare(self):
        first = self.cluster.servers[0]
        grant(first)
        first.query("CREATE DATABASE shop")
        make_outcome(first)
        self.wait_equal(first)
        for proxy in self.proxies:
            tillway = proxy(self.cluster, config={"failover": FAILOVER})
            for listener in tillway.config["listeners"]:
                listener["exactly_once"] = self.exactly_once
            tillway.write_config()
            tillway.start()
            self.tillways.append(tillway)
        self.wait_complete()

    def __exit__(self, kind, value, trace):
        try:
            for tillway in self.tillways:
                tillway.__exit__(kind, value, trace)
        finally:
            self.cluster.stop()

    def primary(self):
        return scratch.wait_until("a primary", self.writable, 60)

    def writable(self):
        """The one server that takes writes; None: there is none, or it cannot be said."""
        found = []
        for server in self.cluster.servers:
            if server.alive():
                try:
                    found += [] if server.value("SELECT @@read_only", read_timeout=5) else [server]
                except pymysql.err.MySQLError:
                    pass  # going down, frozen, or ending clients' connections
        return found[0] if len(found) == 1 else None

    def another_primary(self, old):
        return scratch.wait_until("another primary", lambda: next(
            (s for s in self.cluster.servers if s is not old and not s.value("SELECT @@read_only")), None), 30)

    def wait_complete(self):
        """Until all servers are there and well."""
        scratch.wait_until("all servers", lambda: self.is_complete(self.tillway.command("cluster", "status").stdout), 90)

    def is_complete(self, status):
        return all_acknowledge(status, self.cluster)

    def run(self, fault, tills=16, seconds=1.0, seed=1):
        """Tills sell, the fault strikes after about `seconds`, they sell on, the fault is undone. A Result."""
        primary = self.primary()
        for sql in SHOP:
            primary.query(sql, database="shop")
        primary.query("INSERT INTO shop.shelf VALUES " + ",".join("(%d,0)" % n for n in range(tills)))
        self.wait_equal(primary)
        ledger, undo = Ledger(), None
        threads = [_Till(n, self.tillways, ledger, seed) for n in range(tills)]
        for t in threads:
            t.start()
        try:
            self._await_sales(threads)
            time.sleep(seconds * random.Random(seed).uniform(0.5, 1.5))
            undo = fault(self)
            self._await_sales(threads)
        finally:
            for t in threads:
                t.ended.set()
            for t in threads:
                t.join(90)
            if undo:
                undo()
        self.wait_complete()
        return Result(ledger, self.verdict(ledger))

    @staticmethod
    def _await_sales(threads):
        """Each till sells ten more."""
        before = [t.sold for t in threads]
        scratch.wait_until("each till's sales", lambda: all(
            t.sold >= n + 10 for t, n in zip(threads, before)), 90)

    def wait_equal(self, primary):
        """Until the others have all that the primary has."""
        position = primary.value("SELECT @@gtid_binlog_pos")
        for server in self.cluster.servers:
            if server is not primary and server.value("SELECT MASTER_GTID_WAIT(%s, 60)", (position,)) != 0:
                raise TimeoutError("%s has not reached %s" % (server.name, position))

    def verdict(self, ledger):
        """The judge's complaints, about what each server has in the end."""
        self.wait_equal(self.primary())
        complaints = []
        for server in self.cluster.servers:
            rows = server.query("SELECT till, number FROM shop.sale UNION ALL SELECT till, number FROM shop.quick")
            taken = int(server.value("SELECT SUM(n) FROM shop.shelf"))
            complaints += ["%s: %s" % (server.name, c) for c in check(ledger, rows, taken)]
        return complaints


class FailingNodes(Failing):
    """The same before a Galera cluster: Tillway says which node is the primary."""

    restart = ()

    def __init__(self, exactly_once=True):
        super().__init__(exactly_once, cluster=Galera)

    def writable(self):
        stats = json.loads(self.tillway.command("stats", "json", check=True).stdout)
        named = {s["name"] for s in stats["servers"] if s["writes"]}
        return next((n for n in self.cluster.nodes if n.name in named), None)

    def is_complete(self, status):
        return status.count("up, writable, Galera says Synced") == len(self.cluster.nodes)

    def wait_equal(self, _):
        for node in self.cluster.nodes:
            node.query("SELECT 0", init_command="SET wsrep_sync_wait=1")


# ---- faults: each strikes, and answers what undoes it ----

def kill(failing):
    """SIGKILL of the primary."""
    old = failing.primary()
    old.kill()
    return lambda: old.start(failing.restart)


def freeze(failing):
    """SIGSTOP of the primary; undone by SIGKILL, for what it would do when it wakes up is another matter."""
    old = failing.primary()
    old.freeze()

    def undo():
        old.kill()
        old.start(failing.restart)
    return undo


def disk_full(failing):
    """No room on the primary's disk; undone by room and SIGKILL, as it would go on with what waits there, which nobody owns."""
    old = failing.primary()
    disk.fill(old.datadir)

    def undo():
        old.kill()
        disk.empty(old.datadir)
        old.start(failing.restart)
    return undo


def _switch_over(failing, *words):
    done = failing.tillway.command("cluster", "switchover", *words)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def switchover(failing):
    """Planned, under load."""
    _switch_over(failing)
    return lambda: None


def _put_back(failing):
    """The server at the far end of the cable is the primary again."""
    failing.wait_complete()
    _switch_over(failing, "--to", "primary")


def cut(failing):
    """The primary's network is cut; undone by SIGKILL, so that what waits there is thrown away, and by mending."""
    old, cable = failing.primary(), failing.cluster.cable
    cable.cut()

    def undo():
        old.kill()
        cable.mend()
        old.start(failing.restart)
        _put_back(failing)
    return undo


def rebuild(server, source, check=False):
    """Makes a server that does not run a copy of another, as docs/failover.md says; a CompletedProcess."""
    return subprocess.run([os.path.join(paths.ROOT, "scripts", "rebuild"), "--datadir", server.datadir, "--",
                           "--no-defaults", "--user=root", "--socket=" + source.socket, "--datadir=" + source.datadir],
                          check=check, capture_output=True, text=True)


def isolate(failing, meanwhile=lambda failing: time.sleep(ISOLATED)):
    """The primary is cut off together with one Tillway of two and its tills, for a while beside another primary; mended, and rebuilt."""
    old, cable = failing.primary(), failing.cluster.cable
    cable.cut()
    new = failing.another_primary(old)
    meanwhile(failing)
    cable.mend()

    def undo():
        old.kill()
        rebuild(old, next(s for s in failing.cluster.servers if s not in (old, new)), check=True)
        old.start(failing.restart)
        _put_back(failing)
    return undo


def replica_kill(failing):
    """SIGKILL of a replica."""
    primary = failing.primary()
    victim = next(s for s in failing.cluster.servers if s is not primary)
    victim.kill()
    return lambda: victim.start(failing.restart)


def replica_freeze(failing):
    """SIGSTOP of a replica."""
    primary = failing.primary()
    victim = next(s for s in failing.cluster.servers if s is not primary)
    victim.freeze()
    return victim.thaw


def in_sequence(failing):
    """SIGKILL of the primary, then of the one elected in its place; a majority is there again only once they come back."""
    killed = []
    for _ in range(2):
        killed.append(failing.primary())
        killed[-1].kill()
    for server in killed:
        server.start(failing.restart)
    return lambda: None


def proxy_kill(failing):
    """SIGKILL of one Tillway of two: its tills go on through the other."""
    victim = failing.tillways[0]
    victim.kill()
    return victim.start


def actor_kill(failing):
    """SIGKILL of the primary, and of one Tillway of two once it acts."""
    old = failing.primary()
    old.kill()
    victim = scratch.wait_until("a Tillway that acts", lambda: next(
        (t for t in failing.tillways if "failover, epoch" in t.log_text()[-20000:].rpartition("failover.done")[2]), None), 30)
    victim.kill()

    def undo():
        old.start(failing.restart)
        victim.start()
    return undo


def everything(failing):
    """SIGKILL of all servers at once, and all restarted."""
    for server in failing.cluster.servers:
        server.kill()
    for server in failing.cluster.servers:
        server.start(failing.restart)
    return lambda: None


def node_kill(failing):
    """SIGKILL of the Galera node that takes the writes."""
    return kill(failing)


def node_freeze(failing):
    """SIGSTOP of the Galera node that takes the writes; it wakes up behind its cluster's back."""
    node = failing.primary()
    node.freeze()
    return node.thaw


def reader_kill(failing):
    """SIGKILL of another Galera node."""
    return replica_kill(failing)


FAULTS = {"kill": kill, "freeze": freeze, "disk-full": disk_full, "switchover": switchover, "replica-kill": replica_kill,
          "replica-freeze": replica_freeze, "in-sequence": in_sequence, "everything": everything,
          "proxy-kill": proxy_kill, "actor-kill": actor_kill, "cut": cut, "isolate": isolate,
          "node-kill": node_kill, "node-freeze": node_freeze, "reader-kill": reader_kill}
# Where a fault strikes, if not at a Failing as it comes. A till whose own Tillway is killed sees its connection end: error 2013,
# and it cannot know.
_two = functools.partial(Failing, proxies=(Tillway, Tillway))
WHERE = {"disk-full": functools.partial(Failing, cluster=disk.OwnDisks), "proxy-kill": _two, "actor-kill": _two,
         "cut": functools.partial(Failing, cluster=network.Apart),
         "isolate": functools.partial(Failing, cluster=network.Apart, proxies=(Tillway, network.FarTillway)),
         "node-kill": FailingNodes, "node-freeze": FailingNodes, "reader-kill": FailingNodes}
# What a fault takes that not every machine gives: why there is none.
TAKES = {"disk-full": disk.available, "cut": network.available, "isolate": network.available}
