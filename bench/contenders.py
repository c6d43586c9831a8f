"""What is measured, each in front of the same servers: no proxy, HAProxy in TCP mode, Tillway.

A contender has a port that clients connect to, and the processes whose time is the proxy's."""

import os

from harness import scratch
from harness.ports import free_port
from harness.tillway import Tillway, listens

TICKS = os.sysconf("SC_CLK_TCK")

HAPROXY = """
global
    nbthread {threads}
    maxconn 9000
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
listen mariadb
    bind 127.0.0.1:{port}
    server primary 127.0.0.1:{primary}
"""


def cpu_seconds(pids):
    """User and system time that the processes have used, their threads included."""
    total = 0
    for pid in pids:
        with open("/proc/%d/stat" % pid, encoding="ascii") as f:
            fields = f.read().rsplit(") ", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def rss_bytes(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/statm" % pid, encoding="ascii") as f:
            total += int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total


class Direct:
    name = "direct"
    pids = ()

    def __init__(self, cluster):
        self._cluster = cluster
        self.port = None

    def start(self):
        self.port = self._cluster.primary.port

    def stop(self):
        pass


class HAProxy:
    """A bare TCP relay in front of the primary: it understands nothing and splits nothing."""

    name = "haproxy"

    def __init__(self, cluster):
        self._cluster = cluster
        self._proc = None
        self.port = free_port()

    def start(self):
        folder = scratch.current().folder("haproxy")
        config = os.path.join(folder, "haproxy.cfg")
        with open(config, "w", encoding="ascii") as f:
            f.write(HAPROXY.format(threads=os.cpu_count(), port=self.port,
                                   primary=self._cluster.primary.port))
        self._proc = scratch.spawn(["/usr/sbin/haproxy", "-db", "-f", config],
                                   os.path.join(folder, "log"), cwd=folder)
        scratch.wait_until("haproxy", lambda: listens(self.port), 10, self._proc)

    @property
    def pids(self):
        return (self._proc.pid,)

    def stop(self):
        self._proc.kill()


class Proxy:
    """Tillway, splitting, read-your-writes on: as it comes. `over` changes its configuration."""

    def __init__(self, cluster, name="tillway", over=None):
        self.name = name
        self._tillway = Tillway(cluster, config=dict({"workers": os.cpu_count()}, **(over or {})))
        self.port = self._tillway.port

    def listen(self, tls):
        """Before start(): offer TLS, `tls` as in listeners[].tls."""
        self._tillway.write_config({"listeners": [{"address": "127.0.0.1:%d" % self.port, "tls": tls}]})
        return self

    def start(self):
        self._tillway.start()

    @property
    def pids(self):
        return (self._tillway.pid,)

    def stop(self):
        self._tillway.stop()
