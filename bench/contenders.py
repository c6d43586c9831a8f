"""What is measured, each in front of the same servers: no proxy, HAProxy in TCP mode, Tillway.

A contender has a port that clients connect to, the processes whose time is the proxy's, and how clients connect: with TLS, and
not more than `most` of them."""

import os
import resource

import tls
from harness import scratch
from harness.chaos import FAILOVER
from harness.ports import free_port
from harness.tillway import Tillway, listens

TICKS = os.sysconf("SC_CLK_TCK")
# Two descriptors each; HAProxy does not start where it can't have them.
HAPROXY_MOST = min(12000, (resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 200) // 2)

HAPROXY = """
global
    nbthread {threads}
    maxconn {most}
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


class Meter:
    """What a contender, its servers and, where they are told, its clients spend from now on."""

    def __init__(self, contender, servers, clients=()):
        self._contender = contender
        self._pids = {"server_us": [s.pid for s in servers], "proxy_us": contender.pids, "client_us": clients}
        self._before = self._spent()

    def _spent(self):
        return {what: cpu_seconds(pids) for what, pids in self._pids.items() if pids}

    def per_query(self, queries):
        """CPU in µs of each of them; and the proxy's memory."""
        result = {what: (seconds - self._before[what]) / queries * 1e6 for what, seconds in self._spent().items()}
        if self._contender.pids:
            result["rss_mib"] = rss_bytes(self._contender.pids) / 2**20
        return result


class Direct:
    pids = ()

    def __init__(self, cluster, name="direct", tls=False, most=None):
        self._cluster = cluster
        self.name, self.tls, self.most = name, tls, most
        self.port = None

    def start(self):
        self.port = self._cluster.primary.port

    def stop(self):
        pass


class HAProxy:
    """A bare TCP relay in front of the primary: it understands nothing and splits nothing."""

    most = None

    def __init__(self, cluster, name="haproxy", tls=False):
        self._cluster = cluster
        self.name, self.tls = name, tls
        self._proc = None
        self.port = free_port()

    def start(self):
        folder = scratch.current().folder("haproxy")
        config = os.path.join(folder, "haproxy.cfg")
        with open(config, "w", encoding="ascii") as f:
            f.write(HAPROXY.format(threads=os.cpu_count(), most=HAPROXY_MOST, port=self.port,
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
    """Tillway, splitting, read-your-writes on: as it comes. `over` changes its configuration, `listener` that of its listener; `servers`: in
    front of the first so many, each with `connections` at most."""

    most = None

    def __init__(self, cluster, name="tillway", over=None, listener=None, servers=None, connections=0):
        self.name, self.tls = name, "tls" in (listener or {})
        self._tillway = Tillway(cluster, config=dict({"workers": os.cpu_count(), "limits": {"max_sessions": 12000}}, **(over or {})))
        self.port = self._tillway.port
        self._tillway.write_config({
            "listeners": [dict({"address": "127.0.0.1:%d" % self.port}, **(listener or {}))],
            "servers": [dict(s, max_connections=connections) for s in self._tillway.config["servers"][:servers]]})

    def start(self):
        self._tillway.start()

    @property
    def pids(self):
        return (self._tillway.pid,)

    def stop(self):
        self._tillway.stop()


def _over_tls(cluster, name):
    return Proxy(cluster, name, listener={"tls": {"certificate": tls.certificate("tillway")}})


ONE_BY_ONE = {"pool": {"pipelining": False}}
ALL_READ = {"routing": {"primary_reads": True}}

# name: how it is made of a cluster and that name
CONTENDERS = {
    "direct": Direct,
    "direct, TLS": lambda c, name: Direct(c, name, tls=True),
    "direct, 50 clients": lambda c, name: Direct(c, name, most=50),
    "haproxy": HAProxy,
    "haproxy, TLS": lambda c, name: HAProxy(c, name, tls=True),
    "tillway": Proxy,
    "tillway, TLS": _over_tls,
    "tillway, one by one": lambda c, name: Proxy(c, name, ONE_BY_ONE),
    "tillway, failover": lambda c, name: Proxy(c, name, {"failover": FAILOVER}),
    "tillway, exactly_once": lambda c, name: Proxy(c, name, {"failover": FAILOVER}, {"exactly_once": True}),
    "tillway, one server": lambda c, name: Proxy(c, name, servers=1),
    "tillway, 50 connections": lambda c, name: Proxy(c, name, servers=1, connections=50),
    "tillway, 3 × 16 connections": lambda c, name: Proxy(c, name, servers=3, connections=16),
    "tillway, 1 + 2": lambda c, name: Proxy(c, name, servers=3),
    "tillway, 1 + 2, all read": lambda c, name: Proxy(c, name, ALL_READ, servers=3),
    "tillway, 1 + 4, all read": lambda c, name: Proxy(c, name, ALL_READ, servers=5),
}


def make(names, cluster):
    """The contenders of these names, started."""
    made = [CONTENDERS[name](cluster, name) for name in names]
    for contender in made:
        contender.start()
    return made


def in_turn(all_contenders, turn):
    """Another first one each round, and every other round backwards: whoever follows whom must not matter."""
    first = turn % len(all_contenders)
    return (all_contenders[first:] + all_contenders[:first])[::-1 if turn % 2 else 1]
