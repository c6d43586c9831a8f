"""Certificates for all that speak TLS here."""

import functools
import os

from harness import scratch
from harness.certs import Authority


@functools.lru_cache(maxsize=None)
def folder():
    """tillway.pem and server.pem; and what sysbench looks for where it runs, by these names."""
    authority = Authority(scratch.current().folder("certificates"))
    for name in ("tillway", "server", "client"):
        authority.issue(name)
    for name, file in (("cacert.pem", authority.pem), ("client-cert.pem", "client.pem"), ("client-key.pem", "client.pem")):
        os.symlink(file, os.path.join(authority.folder, name))
    return authority.folder


def certificate(name):
    return os.path.join(folder(), name + ".pem")


def server_options():
    """sysbench shows its certificate, so they must know its authority."""
    return ["--ssl-cert=" + certificate("server"), "--ssl-key=" + certificate("server"), "--ssl-ca=" + certificate("cacert")]
