"""Servers as MariaDB's tests want them, and Tillway before them.

mtr's own settings (include/default_mysqld.cnf), its databases `mtr` and `test`, its time zones; the data
directory lies where tests look for it: VARDIR/mysqld.1/data. Modes:
    direct   no Tillway: the tests' truth
    primary  one server, every statement to it
    split    a primary and two replicas, reads balanced (consistency: global)
"""

import os
import shutil
import subprocess

import suite
from harness import paths, scratch
from harness.cluster import Cluster, Server, template
from harness.tillway import Tillway

MODES = ("direct", "primary", "split")
LEAN = ["--innodb-data-file-path=ibdata1:12M:autoextend", "--innodb-log-file-size=10M",
        "--innodb-buffer-pool-size=8M"]
OURS = [
    "--log-bin=master-bin", "--log-slave-updates", "--relay-log=relay",
    "--binlog-format=mixed", "--binlog-row-metadata=FULL", "--sync-binlog=0", "--skip-slave-start",
    "--innodb-flush-log-at-trx-commit=2", "--slow-query-log",
    "--log-queries-not-using-indexes", "--general-log", "--log-output=TABLE,FILE",
    "--max-allowed-packet=32000000",
]
FILLING = "mtr, its time zones, and test in latin1"


def _file(*names):
    return os.path.join(suite.folder(), *names)


def _options(vardir):
    """The [mysqld] group of mtr's settings as options."""
    with open(_file("include", "default_mysqld.cnf"), encoding="utf-8") as f:
        group = f.read().split("[mysqld]", 1)[1].split("\n[", 1)[0]
    group = group.replace("@ENV.MYSQLTEST_VARDIR", vardir).replace("@ENV.MYSQL_TEST_DIR", suite.folder())
    pairs = [line.split("=", 1) for line in group.splitlines() if line and not line.startswith("#")]
    return ["--" + "=".join(word.strip() for word in pair) for pair in pairs]


def _feed(server, script, database):
    """A script through the command line client, without comments and its own delimiter and use lines."""
    lines = [line for line in script.splitlines()
             if not line.lstrip().lower().startswith(("delimiter ", "use ", "--"))]
    delimiter = "||" if "\ndelimiter ||" in script.lower() else ";"
    subprocess.run([paths.program("mariadb"), "--no-defaults", "--protocol=tcp", "--host=" + server.host,
                    "--port=%d" % server.port, "--user=root", "--delimiter=" + delimiter, database],
                   input="\n".join(lines), text=True, check=True)


def _fill(server):
    for sql in ("CREATE DATABASE mtr", "ALTER DATABASE test CHARACTER SET latin1",
                "DELETE FROM mysql.global_priv WHERE User='' OR Host NOT IN ('localhost','127.0.0.1','%')",
                "FLUSH PRIVILEGES"):
        server.query(sql)
    for script in ("mtr_warnings.sql", "mtr_check.sql"):
        with open(_file("include", script), encoding="utf-8") as f:
            _feed(server, f.read(), "mtr")
    with open(os.path.join(suite.home(), "share", "mysql", "mysql_test_data_timezone.sql"), encoding="utf-8") as f:
        _feed(server, f.read(), "mysql")


class Servers(Cluster):
    """A primary, and replicas that follow it."""

    def __init__(self, replicas):
        super().__init__(replicas)
        self.vardir = scratch.current().folder("var")
        for name in ("log", "run", "tmp"):
            os.mkdir(os.path.join(self.vardir, name))
        shutil.copytree(_file("std_data"), os.path.join(self.vardir, "std_data"))

    def _template(self):
        return template(LEAN, _fill, FILLING)

    def _add(self, name, server_id, source):
        vardir = self.vardir if name == "primary" else os.path.join(self.folder, name)
        folder = os.path.join(vardir, "mysqld.1")
        os.makedirs(folder)
        subprocess.run(["cp", "-a", source, os.path.join(folder, "data")], check=True)
        server = Server(name, folder, server_id)
        if name == "primary":  # apart from Tillway, which has the same port: tests look at @@port
            server.host = "127.0.0.2"
        server.is_replica = name != "primary"
        server.options = _options(vardir) + OURS + ["--bind-address=" + server.host, "--read-only=%d" % server.is_replica]
        return server

    def broken(self):
        """What ails the replicas: a text, empty when they replicate."""
        ill = []
        for replica in self.replicas:
            status = replica.slave_status()
            if not self._runs(replica):
                ill.append("%s: %s" % (replica.name, status.get("Last_SQL_Error") or status.get("Last_IO_Error")))
        return "; ".join(ill)


class Bench:
    """The servers and, unless the mode is direct, Tillway; clients go to `host` and `port`, or to `socket`."""

    def __init__(self, mode):
        self.mode = mode
        self.servers = Servers(2 if mode == "split" else 0)
        self.tillway = None

    def __enter__(self):
        self.servers.start()
        self.host, self.port, self.socket = self.servers.primary.host, self.servers.primary.port, self.servers.primary.socket
        if self.mode == "direct":
            return self
        # Tests with several connections expect each to see what the others did.
        consistency = "global" if self.mode == "split" else "primary"
        self.tillway = Tillway(self.servers)
        self.tillway.port = self.servers.primary.port
        addresses = ("127.0.0.1:%d" % self.tillway.port, self.tillway.socket)
        # Some tests wait until the server has as many connections as before.
        self.tillway.write_config({"listeners": [{"address": a, "consistency": consistency} for a in addresses], "pool": {"idle": "2s"}})
        self.tillway.start()
        self.host, self.socket = self.tillway.host, self.tillway.socket
        return self

    def __exit__(self, kind, value, trace):
        try:
            if self.tillway:
                self.tillway.__exit__(kind, value, trace)
        finally:
            self.servers.stop()
            shutil.rmtree(self.servers.vardir, ignore_errors=True)
