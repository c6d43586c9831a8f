"""Throwaway Galera cluster: nodes of one MariaDB version on loopback.

    with Galera(nodes=3) as g:
        g.nodes[0].query("CREATE DATABASE shop")
        g.nodes[1].freeze()

Every node begins with a copy of the first one's data directory, so that nobody needs another's whole state (SST) but
only what was written since (IST). Accounts are those of Cluster. GTIDs are the cluster's (wsrep_gtid_mode), unless
`gtids` is False.
"""

import os
import re
import shutil
import subprocess

import pymysql

from . import paths, scratch
from .cluster import SERVICE_PASSWORD, SERVICE_USER, TILL_PASSWORD, TILL_USER, Server, template, user_option
from .ports import free_port

PROVIDER = "/usr/lib/galera/libgalera_smm.so"
# Members of one machine answer at once: what waits for slow networks waits less. But for 2 s a busy machine may hold one up: two that
# are left of three and miss each other at that moment are without a majority for good.
PROVIDER_OPTIONS = ("base_host=127.0.0.1; base_port={group}; gmcast.listen_addr=tcp://127.0.0.1:{group}; "
                    "ist.recv_addr=127.0.0.1:{ist}; gcache.size=16M; evs.suspect_timeout=PT3S; "
                    "evs.inactive_timeout=PT10S; evs.inactive_check_period=PT0.2S; evs.join_retrans_period=PT0.2S; "
                    "evs.keepalive_period=PT0.3S; pc.announce_timeout=PT1S; pc.recovery=false")
RECOVERED = re.compile(r"WSREP: Recovered position:? ?([0-9a-f-]{36}):(-?\d+)")


class Node(Server):
    """One member. It joins those of its cluster that are up; the first one founds it."""

    def __init__(self, cluster, name, folder, options):
        super().__init__(name, folder, server_id=1, options=options)
        self.cluster = cluster
        self.group, self.ist = free_port(), free_port()
        self.options = [o for o in self.options if not o.startswith("--skip-slave-start")] + [
            "--wsrep-on=ON", "--wsrep-provider=" + PROVIDER, "--wsrep-cluster-name=" + cluster.name,
            "--wsrep-node-name=" + name, "--wsrep-node-address=127.0.0.1",
            "--wsrep-sst-method=ist",
            "--wsrep-provider-options=" + PROVIDER_OPTIONS.format(group=self.group, ist=self.ist),
            "--innodb-autoinc-lock-mode=2", "--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=0"]

    def start(self, extra=(), timeout=60):
        others = ["127.0.0.1:%d" % n.group for n in self.cluster.nodes if n is not self and n.alive()]
        address = "gcomm://" + ",".join(others)
        position = self._recovered()
        found = [] if others else ["--wsrep-new-cluster"]
        super().start(list(extra) + found + position + ["--wsrep-cluster-address=" + address], timeout)
        scratch.wait_until(self.name + " is synced", self.is_synced, timeout, self._proc)

    def _recovered(self):
        """A node that was killed does not know how far it was until its tables are asked."""
        state = os.path.join(self.datadir, "grastate.dat")
        if not os.path.exists(state):
            return []
        with open(state, encoding="ascii") as f:
            if not re.search(r"seqno:\s+-1", f.read()):
                return []
        done = subprocess.run(
            [paths.program("mariadbd"), "--no-defaults", user_option(), "--datadir=" + self.datadir,
             "--socket=" + self.socket, "--port=%d" % self.port, "--wsrep-recover",
             "--wsrep-cluster-address=gcomm://"] + self.options,
            check=False, stdin=subprocess.DEVNULL, capture_output=True, cwd=self.folder)
        found = RECOVERED.findall(done.stderr.decode("utf-8", "replace"))
        if not found:
            raise RuntimeError("%s does not tell its position:\n%s" % (self.name, done.stderr.decode("utf-8", "replace")))
        return ["--wsrep-start-position=%s:%s" % found[-1]]

    def status(self, name):
        rows = self.query("SHOW GLOBAL STATUS LIKE %s", ("wsrep_" + name,))
        return rows[0][1] if rows else ""

    def is_synced(self):
        """A node that joins closes connections now and then."""
        try:
            return self.status("ready") == "ON" and self.status("local_state") == "4"
        except pymysql.err.MySQLError:
            return False


class Galera:
    """servers: alias of nodes, so that Tillway takes it for a cluster."""

    def __init__(self, nodes=3, gtids=True, options=()):
        self._count = nodes
        self._options = list(options)
        if gtids:
            self._options += ["--wsrep-gtid-mode=ON", "--wsrep-gtid-domain-id=9"]
        self.till_user, self.till_password = TILL_USER, TILL_PASSWORD
        self.service_user, self.service_password = SERVICE_USER, SERVICE_PASSWORD
        self.name = "shop"
        self.folder = None
        self.nodes = []

    @property
    def servers(self):
        return self.nodes

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        self.folder = scratch.current().folder("galera")
        os.environ["PATH"] += os.pathsep + os.path.dirname(os.path.abspath(__file__))
        try:
            self.nodes.append(self._add("node1", template()))
            self._begin_history(self.nodes[0])
            for i in range(1, self._count):
                self.nodes.append(self._add("node%d" % (i + 1), self.nodes[0].datadir))
            for node in self.nodes:
                node.start()
        except BaseException:
            self.stop()
            raise

    @staticmethod
    def _begin_history(node):
        """A cluster's history begins in the first node's tables; the others begin as copies of them."""
        node.start()
        node.stop()

    def _add(self, name, source):
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        subprocess.run(["cp", "-a", source, os.path.join(folder, "data")], check=True)
        return Node(self, name, folder, self._options)

    def stop(self):
        """Throw it away."""
        for node in self.nodes:
            if node.alive():
                node.kill()
        self.nodes = []
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None
