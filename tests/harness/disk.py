"""Servers each with a disk of its own, which a test can fill: a tmpfs, in a mount namespace that ends with the test's process.

Needs root; `available()` says why there are none.
"""

import ctypes
import os
import subprocess

from .cluster import Cluster

CLONE_NEWNS = 0x20000
SIZE = "200m"
FILLING = "filling"


def available():
    """Enters a mount namespace. None, or why that cannot be had."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        return "no mount namespaces: " + os.strerror(ctypes.get_errno())
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    return None


def fill(folder):
    """Not a block is left."""
    subprocess.run(["dd", "if=/dev/zero", "of=" + os.path.join(folder, FILLING), "bs=4k", "status=none"],
                   check=False, stderr=subprocess.DEVNULL)


def empty(folder):
    os.remove(os.path.join(folder, FILLING))


class OwnDisks(Cluster):
    def _place(self, source, data):
        os.mkdir(data)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=" + SIZE, "none", data], check=True)
        super()._place(source + "/.", data)

    def stop(self):
        servers = [s for s in self.servers if s is not None]
        for server in servers:
            if server.alive():
                server.kill()
            subprocess.run(["umount", "--lazy", server.datadir], check=False)
        super().stop()


class BinlogsElsewhere(OwnDisks):
    """What fills is the tables' disk alone."""

    def _add(self, name, server_id, source):
        server = super()._add(name, server_id, source)
        server.options = server.options + ["--log-bin=" + os.path.join(server.folder, "bin")]
        return server
