"""The real binary in front of a throwaway cluster.

    with Cluster(replicas=2) as c, Tillway(c) as t:
        t.connect().cursor().execute("SELECT 1")

Environment: TILLWAY=/path/to/tillway (default: the release build).
"""

import os
import re
import shutil
import signal
import subprocess
import sys

import pymysql

from . import paths, scratch, yamlout
from .cluster import SERVICE_PASSWORD, SERVICE_USER, TILL_PASSWORD, TILL_USER
from .ports import free_port

SANITIZER = re.compile(r"(ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:)")
ENV = {
    # libmongoc's counters are a file in /dev/shm named by the process, which outlives a killed one: the next process of that
    # number would say on stderr that it does without
    "MONGOC_DISABLE_SHM": "1",
    "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1:history_size=4",
}


def pos_mirror(mongo, example="pos.example.yaml", **keys):
    """The section that mirrors the POS database as an example in conf/ maps it; keys go into it."""
    return {"mirror": dict({"uri": mongo.uri, "database": mongo.database}, **keys,
                           aggregates=yamlout.block(os.path.join(paths.ROOT, "conf", example), "aggregates"))}


def listens(port):
    """Whether something listens on the IPv4 port; asked of the kernel, so that nobody sees a connection."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        rows = [line.split() for line in f.readlines()[1:]]
    return any(r[3] == "0A" and int(r[1].rsplit(":", 1)[1], 16) == port for r in rows)


def covers(applied, wanted):
    """Whether one GTID position holds everything of another (a sequence number for each domain)."""
    def sequences(text):
        return {g.split("-")[0]: int(g.split("-")[2]) for g in text.replace(" ", "").split(",") if g}
    have = sequences(applied)
    return all(have.get(domain, 0) >= number for domain, number in sequences(wanted).items())


class Tillway:
    """config: laid over the default section by section (None removes a key). binary: instead of TILLWAY.

    ready: start() waits until a till can log in, not only until the port listens."""

    till_socket = None  # where tills connect that do not reach the port

    def __init__(self, cluster=None, mongo=None, config=None, binary=None, ready=None, env=None):
        self.cluster = cluster
        self.mongo = mongo
        self.binary = binary or paths.tillway_binary()
        self.folder = scratch.current().folder("tillway")
        self.host = "127.0.0.1"
        self.port = free_port()
        self.socket = os.path.join(self.folder, "tillway.sock")
        self.config_file = os.path.join(self.folder, "tillway.yaml")
        self.log_file = os.path.join(self.folder, "tillway.log")
        self.config = yamlout.merged(self._default_config(), config or {})
        self._ready = cluster is not None if ready is None else ready
        self._env = dict(ENV, **dict(os.environ, **(env or {})))
        self._proc = None
        self.write_config()

    def _default_config(self):
        config = {
            "listeners": [{"address": "%s:%d" % (self.host, self.port)}, {"address": self.socket}],
            "workers": 2,
            "limits": {"drain_timeout": "5s"},
            "admin": {"socket": os.path.join(self.folder, "admin.sock")},
            "log": {"level": "info", "format": "text", "file": "stderr"},
        }
        if self.cluster is not None:
            config["servers"] = [
                {"name": s.name, "address": "%s:%d" % (s.host, s.port)} for s in self.cluster.servers]
            config["monitor"] = {"user": SERVICE_USER, "password": SERVICE_PASSWORD,
                                 "interval": "50ms"}
        return config

    def write_config(self, over=None):
        """Write the file anew, over laid on what it was."""
        self.config = yamlout.merged(self.config, over or {})
        with open(self.config_file, "w", encoding="utf-8") as f:
            f.write(yamlout.dump(self.config))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            try:
                self.stop()
            finally:
                shutil.rmtree(self.folder, ignore_errors=True)
            return
        if self._proc is not None:
            self._proc.kill()
        if self._proc is not None and issubclass(kind, Exception):
            sys.stderr.write("--- the end of tillway's log:\n%s\n---\n" % self._proc.log_tail(40))
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, timeout=30):
        self._proc = scratch.spawn([self.binary, "run", "--config", self.config_file],
                                   self.log_file, cwd=self.folder, env=self._env)
        if "listeners" in self.config:
            scratch.wait_until("tillway on port %d" % self.port, self._listens, timeout, self._proc)
        if self._ready:
            scratch.wait_until("a login through tillway", self._accepts, timeout, self._proc)

    def _listens(self):
        return listens(self.port)

    def _accepts(self):
        try:
            self.connect(connect_timeout=5).close()
            return True
        except (pymysql.err.MySQLError, OSError):
            return False

    @property
    def pid(self):
        return self._proc.pid

    def alive(self):
        return self._proc is not None and self._proc.alive()

    def stop(self, timeout=30):
        """SIGTERM; it must drain, end with status 0 and have nothing to say about memory or races."""
        if self._proc is None:
            return
        proc, self._proc = self._proc, None
        proc.signal(signal.SIGTERM)
        try:
            status = proc.wait(timeout)
        except subprocess.TimeoutExpired:
            proc.kill()
            raise RuntimeError("tillway did not end %g s after SIGTERM:\n%s"
                               % (timeout, proc.log_tail(40)))
        if status != 0 or SANITIZER.search(proc.log_text()):
            raise RuntimeError("tillway ended with status %d:\n%s" % (status, proc.log_tail(100)))

    def kill(self):
        """SIGKILL. Complains if a sanitizer had something to say before."""
        self._proc.kill()
        if SANITIZER.search(self._proc.log_text()):
            raise RuntimeError("sanitizer report:\n" + self._proc.log_tail(100))

    def freeze(self):
        self._proc.freeze()

    def thaw(self):
        self._proc.thaw()

    def restart(self, timeout=30):
        """Start it again on the same port, after kill() or stop()."""
        if self.alive():
            self.stop()
        self.start(timeout)

    def reload(self, over=None):
        """SIGHUP, after laying `over` on the configuration."""
        if over:
            self.write_config(over)
        self._proc.signal(signal.SIGHUP)

    def connect(self, user=TILL_USER, password=TILL_PASSWORD, **kw):
        """A pymysql connection through the proxy, autocommit on; keywords are pymysql.connect's."""
        args = dict(host=self.host, port=self.port, unix_socket=self.till_socket, user=user, password=password,
                    charset="utf8mb4", autocommit=True, connect_timeout=10)
        args.update(kw)
        return pymysql.connect(**args)

    def query(self, sql, args=None, **kw):
        """One statement on a connection of its own: a list of tuples."""
        connection = self.connect(**kw)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, args)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def value(self, sql, args=None, **kw):
        return self.query(sql, args, **kw)[0][0]

    def log_text(self):
        with open(self.log_file, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def wait_log(self, pattern, timeout=10):
        """Until a line of the log matches the regular expression; the match."""
        return scratch.wait_until("/%s/ in tillway's log" % pattern,
                                  lambda: re.search(pattern, self.log_text(), re.M), timeout,
                                  self._proc)

    def command(self, *words, timeout=120, check=False):
        """`tillway WORDS... --config FILE`, words such as "mirror", "verify"; a CompletedProcess."""
        return subprocess.run(self._argv(words), stdin=subprocess.DEVNULL, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=check,
                              env=self._env)

    def begin(self, *words):
        """The same while it runs: a Popen."""
        return subprocess.Popen(self._argv(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                                env=self._env)

    def _argv(self, words):
        split = 2 if words[0] in ("mirror", "cluster") else 1
        return [self.binary] + list(words[:split]) + ["--config", self.config_file] + list(words[split:])

    def mirror_status(self):
        """`tillway mirror status` as a dictionary: state, source, gtid, lag_ms (None: not known), ..."""
        done = self.command("mirror", "status")
        found = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
        if "state" not in found:
            raise RuntimeError("tillway mirror status: %s" % (done.stderr.strip() or done.stdout.strip()))
        lag = re.fullmatch(r"(\d+) ms", found.get("lag", ""))
        found["lag_ms"] = int(lag.group(1)) if lag else None
        return found

    def wait_mirror(self, position, timeout=60):
        """Until the mirror has applied all up to a GTID position such as @@gtid_binlog_pos; its status."""
        def check():
            status = self.mirror_status()
            return status if covers(status.get("gtid", ""), position) else None
        return scratch.wait_until("the mirror at " + (position or "the start"), check, timeout, self._proc,
                                  interval=0.1)
