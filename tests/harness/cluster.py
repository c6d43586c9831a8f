"""Throwaway MariaDB: a primary and its replicas, replicating by GTID.

    with Cluster(replicas=2) as c:
        c.primary.query("CREATE DATABASE shop")
        c.wait_in_sync()
        c.replicas[0].kill()

Accounts on every server: root without password over TCP; `till` (password till) with every right on every
database but no global one, so that read_only binds it; `tillway` (password secret) for monitor and mirror.
An empty database `test` is there.
"""

import contextlib
import fcntl
import getpass
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time

import pymysql

from . import paths, scratch
from .ports import free_port

TILL_USER, TILL_PASSWORD = "till", "till"
SERVICE_USER, SERVICE_PASSWORD = "tillway", "secret"
REPL_USER, REPL_PASSWORD = "repl", "repl"

LEAN = [
    "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
    "--innodb-data-file-path=ibdata1:4M:autoextend", "--innodb-autoextend-increment=1",
]
SERVER = LEAN + [
    "--bind-address=127.0.0.1", "--log-bin=bin", "--log-slave-updates", "--relay-log=relay",
    "--binlog-format=ROW", "--binlog-row-metadata=FULL", "--gtid-strict-mode=1", "--sync-binlog=0",
    "--skip-slave-start", "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=2",
    "--key-buffer-size=1M", "--aria-pagecache-buffer-size=1M", "--innodb-log-buffer-size=2M",
    "--performance-schema=OFF", "--max-connections=300", "--character-set-server=utf8mb4",
    # A till without SUPER creates the triggers and procedures of pos/.
    "--log-bin-trust-function-creators=1", "--event-scheduler=ON", "--local-infile=1",
    "--max-allowed-packet=256M",
]
ACCOUNTS = [
    "CREATE DATABASE IF NOT EXISTS test",
    "CREATE USER '{till}'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('{till_pw}')",
    "GRANT ALL PRIVILEGES ON `%`.* TO '{till}'@'%'",
    "CREATE USER '{svc}'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('{svc_pw}')",
    "GRANT SELECT, SHOW VIEW, TRIGGER, LOCK TABLES, RELOAD, PROCESS, REPLICATION SLAVE, BINLOG MONITOR,"
    " SLAVE MONITOR, REPLICATION SLAVE ADMIN, READ_ONLY ADMIN, CONNECTION ADMIN"
    " ON *.* TO '{svc}'@'%'",
    "CREATE USER '{repl}'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('{repl_pw}')",
    "GRANT REPLICATION SLAVE ON *.* TO '{repl}'@'%'",
    # IDENTIFIED VIA unix_socket stays out: tests reach root over TCP.
    "CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY ''",
    "GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION",
]


def user_option():
    return "--user=" + getpass.getuser()


def _version():
    out = subprocess.run([paths.program("mariadbd"), "--no-defaults", "--version"], check=True,
                         capture_output=True, text=True).stdout
    return re.search(r"Ver (\S+)", out).group(1)


def _account_statements():
    for sql in ACCOUNTS:
        yield sql.format(till=TILL_USER, till_pw=TILL_PASSWORD, svc=SERVICE_USER,
                         svc_pw=SERVICE_PASSWORD, repl=REPL_USER, repl_pw=REPL_PASSWORD)


def template(lean=LEAN, fill=None, filling=""):
    """A data directory with the accounts in it, made once for each server version.

    lean: what its tablespace is made with. fill: called with the running server, to put `filling` in."""
    key = hashlib.sha256(repr((lean, ACCOUNTS, os.getuid()) + ((filling,) if fill else ())).encode()).hexdigest()[:12]
    base = paths.cache_dir("mariadb")
    final = os.path.join(base, "%s-%s" % (_version(), key))
    with open(os.path.join(base, "lock-%d" % os.getuid()), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(final):
            made = _make_template(lean, fill)
            partial = final + ".partial"
            shutil.rmtree(partial, ignore_errors=True)
            shutil.copytree(made, partial)
            os.rename(partial, final)
            shutil.rmtree(made, ignore_errors=True)
    return final


def _make_template(lean, fill):
    folder = scratch.current().folder("template")
    data = os.path.join(folder, "data")
    done = subprocess.run(
        [paths.program("mariadb-install-db"), "--no-defaults", "--datadir=" + data, user_option(),
         "--auth-root-authentication-method=normal", "--skip-test-db", "--force"] + lean,
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError("mariadb-install-db failed:\n" + done.stdout + done.stderr)
    server = Server("template", folder, server_id=1)
    server.options = lean + ["--bind-address=127.0.0.1", "--skip-name-resolve"]
    server.start()
    for sql in _account_statements():
        server.query(sql)
    if fill:
        fill(server)
    server.query("SET GLOBAL innodb_fast_shutdown=0")
    server.stop()
    for name in ("aria_log_control", "ibdata1", "mysql"):
        if not os.path.exists(os.path.join(data, name)):
            raise RuntimeError("mariadb-install-db left no %s in %s" % (name, data))
    return data


class Server:
    """One mariadbd. user/host/port are how to reach it as root."""

    def __init__(self, name, folder, server_id, read_only=False, options=()):
        self.name = name
        self.folder = folder
        self.server_id = server_id
        self.host = "127.0.0.1"
        self.port = free_port()
        self.user = "root"
        self.password = ""
        self.datadir = os.path.join(folder, "data")
        self.socket = os.path.join(folder, "s.sock")
        self.error_log = os.path.join(folder, "error.log")
        self.is_replica = read_only
        self.options = SERVER + ["--read-only=%d" % read_only] + list(options)
        self.prefix = []  # words before its command
        self._proc = None

    def start(self, extra=(), timeout=30):
        """Start it and wait until it accepts."""
        # A tmpdir of its own: a starting server deletes every "#sql*" file in it, whosever it is.
        tmpdir = os.path.join(self.folder, "tmp")
        os.makedirs(tmpdir, exist_ok=True)
        argv = self.prefix + [
                paths.program("mariadbd"), "--no-defaults", user_option(),
                "--datadir=" + self.datadir, "--tmpdir=" + tmpdir, "--port=%d" % self.port,
                "--socket=" + self.socket,
                "--pid-file=" + os.path.join(self.folder, "pid"), "--log-error=" + self.error_log,
                "--server-id=%d" % self.server_id] + self.options + list(extra)
        self._proc = scratch.spawn(argv, self.error_log, cwd=self.folder)
        scratch.wait_until("MariaDB %s on port %d" % (self.name, self.port), self._accepts,
                           timeout, self._proc, interval=0.01)

    def _accepts(self):
        try:
            self.connect(connect_timeout=2).close()
            return True
        except (pymysql.err.OperationalError, OSError):
            return False

    @property
    def pid(self):
        return self._proc.pid

    def alive(self):
        return self._proc is not None and self._proc.alive()

    def kill(self):
        """SIGKILL; the port and the data stay for restart()."""
        self._proc.kill()

    def stop(self, timeout=60):
        """A clean shutdown."""
        self._proc.signal(signal.SIGTERM)
        return self._proc.wait(timeout)

    def freeze(self):
        self._proc.freeze()

    def thaw(self):
        self._proc.thaw()

    def restart(self, extra=(), timeout=60):
        """Kill it if it runs, and start it on the same port and data. A replica replicates again."""
        if self.alive():
            self.kill()
        self.start(extra, timeout)
        if self.is_replica:
            self.start_slave()

    def connect(self, **kw):
        """A pymysql connection as root; keywords are pymysql.connect's and override. autocommit is on."""
        args = dict(host=self.host, port=self.port, user=self.user, password=self.password,
                    charset="utf8mb4", autocommit=True, connect_timeout=10)
        args.update(kw)
        return pymysql.connect(**args)

    def query(self, sql, args=None, **kw):
        """Run one statement on a connection of its own: a list of tuples."""
        with contextlib.closing(self.connect(**kw)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(sql, args)
                return list(cursor.fetchall())

    def value(self, sql, args=None, **kw):
        """The first column of the first row."""
        return self.query(sql, args, **kw)[0][0]

    def stop_slave(self, thread=""):
        """thread: '', 'SQL_THREAD' or 'IO_THREAD'."""
        self.query("STOP SLAVE " + thread)

    def start_slave(self, thread=""):
        self.query("START SLAVE " + thread)

    def slave_status(self):
        """SHOW SLAVE STATUS as a dictionary; empty on a server that has no primary."""
        with contextlib.closing(self.connect()) as connection:
            with connection.cursor(pymysql.cursors.DictCursor) as cursor:
                cursor.execute("SHOW SLAVE STATUS")
                return cursor.fetchone() or {}

    def replicate_from(self, primary):
        self.query("CHANGE MASTER TO MASTER_HOST='%s', MASTER_PORT=%d, MASTER_USER='%s',"
                   " MASTER_PASSWORD='%s', MASTER_USE_GTID=slave_pos, MASTER_CONNECT_RETRY=1"
                   % (primary.host, primary.port, REPL_USER, REPL_PASSWORD))
        self.start_slave()

    def log_text(self):
        with open(self.error_log, "rb") as f:
            return f.read().decode("utf-8", "replace")


class Cluster:
    """A primary and its replicas. semi_sync: AFTER_SYNC from the first write on. options: for each server."""

    server_class = Server

    def __init__(self, replicas=2, semi_sync=False, options=()):
        self._replica_count = replicas
        self._semi_sync = semi_sync
        self._options = list(options)
        self.till_user, self.till_password = TILL_USER, TILL_PASSWORD
        self.service_user, self.service_password = SERVICE_USER, SERVICE_PASSWORD
        self.folder = None
        self.primary = None
        self.replicas = []

    @property
    def servers(self):
        return [self.primary] + self.replicas

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        self.stop()

    def _template(self):
        return template()

    def start(self):
        source = self._template()
        self.folder = scratch.current().folder("cluster")
        try:
            self.primary = self._add("primary", 1, source)
            self.replicas = [self._add("replica%d" % (i + 1), i + 2, source)
                             for i in range(self._replica_count)]
            for server in self.servers:
                server.start()
            for replica in self.replicas:
                if self._semi_sync:
                    replica.query("SET GLOBAL rpl_semi_sync_slave_enabled=1")
                replica.replicate_from(self.primary)
            self._wait_attached()
            if self._semi_sync:
                self.primary.query("SET GLOBAL rpl_semi_sync_master_wait_point=AFTER_SYNC")
                self.primary.query("SET GLOBAL rpl_semi_sync_master_enabled=1")
        except BaseException:
            self.stop()
            raise

    def _add(self, name, server_id, source):
        folder = os.path.join(self.folder, name)
        os.mkdir(folder)
        self._place(source, os.path.join(folder, "data"))
        return self.server_class(name, folder, server_id, read_only=name != "primary", options=self._options)

    def _place(self, source, data):
        subprocess.run(["cp", "-a", source, data], check=True)

    def _wait_attached(self):
        for replica in self.replicas:
            scratch.wait_until("replication on " + replica.name, lambda r=replica: self._runs(r), 30)

    @staticmethod
    def _runs(replica):
        status = replica.slave_status()
        return status.get("Slave_IO_Running") == "Yes" and status.get("Slave_SQL_Running") == "Yes"

    def wait_in_sync(self, timeout=30, replicas=None):
        """Until the replicas (default: all that run) have applied all the primary has committed."""
        position = self.primary.value("SELECT @@gtid_binlog_pos")
        deadline = time.monotonic() + timeout
        for replica in self.replicas if replicas is None else replicas:
            if not replica.alive():
                continue
            left = max(0.01, deadline - time.monotonic())
            if replica.value("SELECT MASTER_GTID_WAIT(%s, %s)", (position, left)) != 0:
                status = replica.slave_status()
                raise TimeoutError("%s has not reached %s in %g s: at %s, IO %s, SQL %s, %s" % (
                    replica.name, position, timeout, replica.value("SELECT @@gtid_slave_pos"),
                    status.get("Slave_IO_Running"), status.get("Slave_SQL_Running"),
                    status.get("Last_SQL_Error") or status.get("Last_IO_Error") or "no error"))

    def stop(self):
        """Throw it away."""
        for server in [s for s in self.servers if s is not None]:
            if server.alive():
                server.kill()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None
