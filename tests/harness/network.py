"""A cluster whose primary is behind a cable of its own, which a test can cut, and a Tillway there.

In network namespaces that end with the test's process: needs root; `available()` says why there are none. Unix sockets go through
them, so that the test reaches every server, and tills both Tillways, whatever is cut.
"""

import ctypes
import os
import subprocess

from . import paths, scratch
from .cluster import Cluster, Server
from .tillway import Tillway

CLONE_NEWNET = 0x40000000
NEAR, FAR = "10.77.0.1", "10.77.0.2"


def available():
    """Enters a network namespace. None, or why that cannot be had."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        return "no network namespaces: " + os.strerror(ctypes.get_errno())
    _ip("link", "set", "lo", "up")
    return None


def _ip(*words):
    subprocess.run(["ip", *words], check=True)


class Cable:
    """From the process' own network namespace to a far one."""

    def __init__(self):
        self._far = scratch.spawn(["unshare", "--net", "sleep", "infinity"], os.devnull)
        scratch.wait_until("a namespace", self._is_apart, 10, self._far)
        _ip("link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(self._far.pid))
        _ip("addr", "add", NEAR + "/24", "dev", "near")
        subprocess.run(self.prefix + ["sh", "-c", "ip link set lo up; ip addr add %s/24 dev far; ip link set far up" % FAR],
                       check=True)
        self.mend()

    def _is_apart(self):
        return os.readlink("/proc/%d/ns/net" % self._far.pid) != os.readlink("/proc/self/ns/net")

    @property
    def prefix(self):
        """What runs a command at the far end."""
        return ["nsenter", "--net", "--target", str(self._far.pid)]

    def cut(self):
        _ip("link", "set", "near", "down")

    def mend(self):
        _ip("link", "set", "near", "up")

    def remove(self):
        _ip("link", "delete", "near")
        self._far.kill()


class Reached(Server):
    """Asked through its unix socket, which no cut hinders."""

    def connect(self, **kw):
        return super().connect(unix_socket=self.socket, **kw)


class Apart(Cluster):
    """The primary at the far end, its replicas at the near one."""

    server_class = Reached

    def start(self):
        self.cable = Cable()
        super().start()

    def _add(self, name, server_id, source):
        server = super()._add(name, server_id, source)
        server.options = server.options + ["--bind-address=0.0.0.0"]
        server.host = FAR if name == "primary" else NEAR
        server.prefix = self.cable.prefix if name == "primary" else []
        return server

    def stop(self):
        super().stop()
        self.cable.remove()


class FarTillway(Tillway):
    """At the far end; tills come through its unix socket."""

    def __init__(self, cluster, config):
        folder = scratch.current().folder("far")
        binary = os.path.join(folder, "tillway")
        with open(binary, "w", encoding="ascii") as f:
            f.write("#!/bin/sh\nexec %s %s \"$@\"\n" % (" ".join(cluster.cable.prefix), paths.tillway_binary()))
        os.chmod(binary, 0o755)
        super().__init__(cluster, config=config, binary=binary)
        self.till_socket = self.socket

    def _listens(self):
        return os.path.exists(self.socket)
